// Fault 5: the disk full, errors of it, a write that is torn by the end of the process, a log that
// is cut, and a clock that jumps. The relay says what is wrong, stays up or ends as documented, and
// has all that it acknowledged.
#include <poll.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/faults/injected_faults.h"
#include "tests/faults/one_exchange.h"
#include "tests/faults/scene.h"
#include "tests/faults/small_disk.h"
#include "tests/support/attach_client.h"

namespace wormhole::faults {
namespace {

using ::testing::HasSubstr;

constexpr int kShort = 100;
constexpr char kTrouble[] = "clients are sent away until the store works again";
constexpr char kWorks[] = "the store works again";

// How long a fault that passes lasts.
void HoldOn() { std::this_thread::sleep_for(std::chrono::milliseconds(600)); }

// The relay never ended, and ends well now.
void ExpectStayedUp(Scene& scene) {
  EXPECT_EQ(scene.relay().Stop(), 0) << scene.relay().process().error();
}

// A relay on SQLite in `folder` whose system calls fail as `faults` says.
Relay::Options Suffering(const InjectedFaults& faults, const testing::TempFolder& folder) {
  return {.store = "sqlite:" + folder.File("relay.db"), .environment = faults.Environment()};
}

// First, while the process has one thread.
TEST(StoreFaultsTest, AFullDisk) {
  testing::TempFolder folder;
  SmallDisk disk(folder.File("disk"), /*megabytes=*/48);
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  Scene scene({.short_exchanges = kShort,
               .relays = {{.store = absl::StrCat("sqlite:", disk.path(), "/relay.db")}}});
  int times = 0;
  scene.RunDuring([&] {
    scene.AwaitSomeEvents();
    disk.Fill();
    HoldOn();
    disk.Free();
    ++times;
  });
  scene.ExpectAllFinished(absl::StrCat("disk full ", times, " times"));
  ExpectStayedUp(scene);
  EXPECT_THAT(scene.relay().process().error(), HasSubstr(kTrouble));
  EXPECT_THAT(scene.relay().process().error(), HasSubstr("full"));
  EXPECT_THAT(scene.relay().process().error(), HasSubstr(kWorks));
}

TEST(StoreFaultsTest, ErrorsOfTheDisk) {
  testing::TempFolder folder;
  InjectedFaults faults(folder.File("control"));
  Scene scene({.short_exchanges = kShort, .relays = {Suffering(faults, folder)}});
  int times = 0;
  scene.RunDuring([&] {
    scene.AwaitSomeEvents();
    (++times % 2 == 0 ? faults->write_error : faults->sync_error) = EIO;
    HoldOn();
    faults->write_error = faults->sync_error = 0;
  });
  scene.ExpectAllFinished(absl::StrCat("disk broken ", times, " times"));
  ExpectStayedUp(scene);
  EXPECT_THAT(scene.relay().process().error(), HasSubstr(kTrouble));
  EXPECT_THAT(scene.relay().process().error(), HasSubstr("I/O error"));
  EXPECT_THAT(scene.relay().process().error(), HasSubstr(kWorks));
}

std::string HealthOf(const std::shared_ptr<grpc::Channel>& probes, const std::string& service) {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  grpc::health::v1::HealthCheckResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + service_test::kPatience);
  const auto stub = grpc::health::v1::Health::NewStub(probes);
  const grpc::Status status = stub->Check(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status());
}

void AwaitReadiness(const std::shared_ptr<grpc::Channel>& probes, const std::string& wanted) {
  while (HealthOf(probes, "readiness") != wanted && !::testing::Test::HasFailure()) {
    poll(nullptr, 0, 10);  // an operator has so many calls a minute
  }
}

// Twice within the time in which the log tells of it once; and it is ready again although nobody
// comes to try.
TEST(StoreFaultsTest, ProbesSeeABrokenDisk) {
  testing::TempFolder folder;
  InjectedFaults faults(folder.File("control"));
  Relay::Options options = Suffering(faults, folder);
  options.flags = {"--probe-listen=127.0.0.1:0"};
  Relay relay(options);
  ASSERT_TRUE(relay.Start());
  const auto probes = service_test::Connect(relay.process().AwaitLine("probes on "));
  for (const char token : {'a', 'b'}) {
    EXPECT_EQ(HealthOf(probes, "readiness"), "SERVING");
    faults->write_error = EIO;
    service_test::AttachClient client(service_test::Connect(relay.address()));
    client.Send(service_test::OpenAllocate(token));
    EXPECT_EQ(error::ReasonOf(client.Finish()), error::ErrorDetail::REASON_STORE_AWAY);
    AwaitReadiness(probes, "NOT_SERVING");
    EXPECT_EQ(HealthOf(probes, "liveness"), "SERVING");
    faults->write_error = 0;
    AwaitReadiness(probes, "SERVING");
  }
  EXPECT_EQ(relay.Stop(), 0);
}

TEST(StoreFaultsTest, ATornLastWrite) {
  testing::TempFolder folder;
  InjectedFaults faults(folder.File("control"));
  Scene scene({.short_exchanges = kShort, .relays = {Suffering(faults, folder)}});
  std::uniform_int_distribution<int> writes(1, 30);
  int times = 0;
  scene.RunDuring([&] {
    faults->tear_write = writes(scene.random());
    ASSERT_EQ(scene.relay().AwaitExit(), 128 + SIGKILL) << scene.relay().process().error();
    ++times;
    ASSERT_TRUE(scene.relay().Start()) << scene.relay().process().error();
  });
  scene.ExpectAllFinished(absl::StrCat("write torn ", times, " times"));
  ExpectStayedUp(scene);
}

// Back and forth by less than a channel lives.
TEST(StoreFaultsTest, AClockThatJumps) {
  testing::TempFolder folder;
  InjectedFaults faults(folder.File("control"));
  Scene scene({.short_exchanges = kShort, .relays = {Suffering(faults, folder)}});
  std::uniform_int_distribution<int> seconds(-60, 60);
  int times = 0;
  scene.RunDuring([&] {
    scene.AwaitSomeEvents();
    faults->clock_shift_seconds = seconds(scene.random());
    ++times;
  });
  scene.ExpectAllFinished(absl::StrCat("clock jumped ", times, " times"));
  ExpectStayedUp(scene);
}

// No channel is over for it: the relay goes on by the time that it had.
TEST(StoreFaultsTest, AClockThatJumpsBeyondTheLifeOfAChannel) {
  testing::TempFolder folder;
  InjectedFaults faults(folder.File("control"));
  Scene scene({.short_exchanges = kShort, .relays = {Suffering(faults, folder)}});
  int times = 0;
  scene.RunDuring([&] {
    if (++times == 3) faults->clock_shift_seconds = 10 * 24 * 3600;
    if (times == 5) faults->clock_shift_seconds = -10 * 24 * 3600;
  });
  scene.ExpectAllFinished("clock jumped by ten days, and back by twenty");
  ExpectStayedUp(scene);
}

// A store as it was when its relay was killed, in a folder of its own.
class StoreCopy {
 public:
  explicit StoreCopy(const testing::TempFolder& original) {
    for (const char* name : {"relay.db", "relay.db-wal"}) {
      std::filesystem::copy_file(original.File(name), folder_.File(name));
    }
  }
  std::string File() const { return folder_.File("relay.db"); }
  std::string Log() const { return folder_.File("relay.db-wal"); }
  Relay::Options Options() const { return {.store = "sqlite:" + File()}; }

 private:
  testing::TempFolder folder_;
};

// What is behind the cut was acknowledged and is gone, which no relay can help. What is before it
// is a store.
TEST(StoreFaultsTest, ALogThatIsCutSomewhere) {
  Scene original({.short_exchanges = 20, .raw_pairs = 1});
  original.RunDuring([] {});
  original.ExpectAllFinished("a store to cut");
  original.relay().Kill();
  constexpr int kCopies = 5;
  for (int i = 0; i < kCopies; ++i) {
    StoreCopy copy(original.folder());
    const uint64_t size = std::filesystem::file_size(copy.Log());
    std::filesystem::resize_file(copy.Log(), original.random()() % size);
    Scene scene({.relays = {copy.Options()}});
    RunExchange({.name = "after",
                 .initiators_relay = scene.relay().address(),
                 .receivers_relay = scene.relay().address()},
                scene.initiators(), scene.receivers());
    scene.ExpectAllFinished("a log cut", 1);
    ExpectStayedUp(scene);
  }
  StoreCopy copy(original.folder());
  std::filesystem::remove(copy.Log());
  std::fstream(copy.File(), std::ios::in | std::ios::out) << std::string(4096, 'x');
  Relay relay(copy.Options());
  EXPECT_FALSE(relay.Start());
  EXPECT_EQ(relay.AwaitExit(), 1);
  EXPECT_THAT(relay.process().error(), HasSubstr("is not an SQLite file"));
}

}  // namespace
}  // namespace wormhole::faults
