// What a program of a user looks like, as C++17; the project itself is C++20. That each public
// header compiles alone is seen by tests/lint/run headers.
#include "gtest/gtest.h"
#include "wormhole/wormhole.h"

static_assert(__cplusplus == 201703L, "this is to be compiled as C++17");

namespace {

TEST(HeadersTest, AreCpp17) {
  wormhole::Options options;
  options.rendezvous = "localhost:1";
  options.on_save = [](std::string_view) { return absl::OkStatus(); };
  options.on_progress = [](const wormhole::ProgressEvent&) {};
  const auto initiator = wormhole::Initiator::Create(options, "data");
  EXPECT_EQ(wormhole::ReasonOf(initiator.status()), wormhole::Reason::kInvalidArgument);
  options.app_id = "example.com/app1";
  const auto receiver = wormhole::Receiver::Create(options, "4-not-listed", "data");
  EXPECT_FALSE(receiver.ok());
}

}  // namespace
