// Statuses on the wire, good and bad, as proto/vectors/make has computed them without a line of
// this code.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"

namespace wormhole::error {
namespace {

using nlohmann::json;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

DetailFields FieldsOf(const json& c) {
  DetailFields fields{.field = c["field"], .mood = c["mood"].get<rendezvous::v1::Mood>()};
  if (c["delay_ms"].is_number()) fields.retry_delay = absl::Milliseconds(c["delay_ms"].get<int>());
  return fields;
}

void ExpectDetail(const ErrorDetail& detail, const json& c) {
  EXPECT_EQ(json(static_cast<int>(detail.reason())), c["reason"]) << c["name"];
  EXPECT_EQ(json(detail.field()), c["field"]) << c["name"];
  EXPECT_EQ(json(static_cast<int>(detail.mood())), c["mood"]) << c["name"];
  const auto& delay = detail.retry_delay();
  EXPECT_EQ(
      detail.has_retry_delay() ? json(delay.seconds() * 1000 + delay.nanos() / 1'000'000) : json(),
      c["delay_ms"])
      << c["name"];
}

TEST(KnownAnswersTest, ErrorDetails) {
  std::ifstream stream("proto/vectors/error_details.json");
  const json file = json::parse(stream);
  int read = 0;
  for (const json& c : file["cases"]) {
    const std::string envelope = FromHex(c["envelope"]);
    const absl::Status status = FromWire(c["code"], c["message"].get<std::string>(), envelope);
    EXPECT_EQ(json(static_cast<int>(status.code())), c["code"]) << c["name"];
    EXPECT_EQ(json(std::string(status.message())), c["message"]) << c["name"];
    const auto detail = DetailOf(status);
    ASSERT_EQ(detail.has_value(), c["reason"].is_number()) << c["name"];
    if (!detail) continue;
    ++read;
    ExpectDetail(*detail, c);
    if (!c["canonical"]) continue;
    const absl::Status made = Make(detail->reason(), "m", FieldsOf(c));
    EXPECT_EQ(made.code(), status.code()) << c["name"];
    EXPECT_EQ(ToEnvelope(made), envelope) << c["name"];
  }
  EXPECT_GT(read, 20);
}

}  // namespace
}  // namespace wormhole::error
