// The binary from outside: what it prints, how it refuses, how it stops, what survives.
#include "tests/support/relay_process.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/monitor/testing/metrics_page.h"
#include "tests/support/attach_client.h"
#include "tests/support/child_process.h"
#include "tests/support/http_client.h"
#include "tests/support/reflection_client.h"
#include "tests/support/reserved_port.h"
#include "tests/support/temp_folder.h"

namespace wormhole::service_test {
namespace {

using error::ErrorDetail;
using error::ReasonOf;
using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;
using relay::MetricsPage;
using ::testing::AnyOf;
using testing::ChildProcess;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::RelayProcess;
using ::testing::StartsWith;

constexpr char kAny[] = "--listen=127.0.0.1:0";
constexpr char kMemory[] = "--store=memory";

int CountLines(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

// Expects one line on standard error, and nothing on standard output.
std::string Refusal(RelayProcess& relay, int exit_status) {
  EXPECT_EQ(relay.AwaitExit(), exit_status) << relay.error();
  EXPECT_EQ(relay.output(), "");
  EXPECT_EQ(CountLines(relay.error()), 1) << relay.error();
  EXPECT_THAT(relay.error(), StartsWith("wormhole-relay: "));
  return relay.error();
}

// Flags with a new certificate, valid for so many days.
std::vector<std::string> WithTls(const testing::TempFolder& folder, const std::string& listen,
                                 int days) {
  const std::string cert = folder.File("cert.pem");
  const std::string key = folder.File("key.pem");
  ChildProcess openssl(
      {.arguments = {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", std::to_string(days), "-subj",
                     "/CN=localhost", "-keyout", key, "-out", cert}});
  EXPECT_EQ(openssl.WaitForExit(), 0) << openssl.err();
  return {listen, "--tls-cert=" + cert, "--tls-key=" + key};
}

TEST(RelayProcessTest, SaysWhereItListensAndStopsOnSigterm) {
  for (const int signal : {SIGTERM, SIGINT}) {
    RelayProcess relay({kAny, kMemory});
    EXPECT_THAT(relay.AwaitListening(), MatchesRegex("127\\.0\\.0\\.1:[1-9][0-9]*"));
    relay.Signal(signal);
    EXPECT_EQ(relay.AwaitExit(), 0) << relay.error();
    EXPECT_EQ(CountLines(relay.output()), 1);
  }
}

// As some start daemons. A file of its own there would be written to by whoever prints. (gRPC takes
// one for itself before main.)
TEST(RelayProcessTest, HoldsStandardDescriptorsThatWereClosed) {
  const wormhole::testing::ReservedPort port;
  const testing::TempFolder folder;
  RelayProcess relay(
      {.flags = {"--listen=" + port.host_port(), "--store=sqlite:" + folder.File("relay.db")},
       .runner = {"/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"}});
  ASSERT_TRUE(
      Connect(port.host_port())->WaitForConnected(std::chrono::system_clock::now() + kPatience));
  for (const char* fd : {"0", "1", "2"}) {
    const std::string link = "/proc/" + std::to_string(relay.pid()) + "/fd/" + fd;
    EXPECT_THAT(std::filesystem::read_symlink(link).string(),
                AnyOf("/dev/null", "anon_inode:[eventfd]"));
  }
  EXPECT_EQ(relay.Stop(), 0);
}

TEST(RelayProcessTest, PrintsVersionAndHelp) {
  RelayProcess version({"--version"});
  EXPECT_EQ(version.AwaitExit(), 0);
  EXPECT_THAT(version.output(), MatchesRegex("wormhole-relay [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  RelayProcess help({"--help"});
  EXPECT_EQ(help.AwaitExit(), 0);
  EXPECT_THAT(help.output(), HasSubstr("--channel-ttl-max=TIME"));
}

TEST(RelayProcessTest, BadUsageIsOneLine) {
  RelayProcess unknown({"--nope"});
  EXPECT_THAT(Refusal(unknown, 2), HasSubstr("unknown flag --nope"));
  RelayProcess twin({kAny}, {{"WORMHOLE_RELAY_STORE", "etcd:x"}});
  EXPECT_THAT(Refusal(twin, 2), HasSubstr("WORMHOLE_RELAY_STORE=etcd:x: should be memory, "));
}

TEST(RelayProcessTest, TheEnvironmentSetsFlags) {
  RelayProcess relay({kAny}, {{"WORMHOLE_RELAY_LISTEN", "not looked at"},
                              {"WORMHOLE_RELAY_STORE", "memory"},
                              {"WORMHOLE_RELAY_MOTD", "bread is free today"}});
  AttachClient client(Connect(relay.AwaitListening()));
  client.Send(OpenAllocate('a'));
  EXPECT_EQ(client.Receive()->opened().motd(), "bread is free today");
}

TEST(RelayProcessTest, ATakenPortIsOneLine) {
  RelayProcess first({kAny, kMemory});
  const std::string address = first.AwaitListening();
  RelayProcess second({"--listen=" + address, kMemory});
  EXPECT_THAT(Refusal(second, 1), HasSubstr("cannot listen on " + address + ": the port is taken"));
}

TEST(RelayProcessTest, AnAddressOfAnotherHostIsOneLine) {
  RelayProcess relay({"--listen=192.0.2.1:0", kMemory});
  EXPECT_THAT(Refusal(relay, 1), HasSubstr("cannot listen on 192.0.2.1:0: "));
}

TEST(RelayProcessTest, ASecondRelayOnTheSameFileIsOneLine) {
  const testing::TempFolder folder;
  const std::string store = "--store=sqlite:" + folder.File("relay.sqlite3");
  RelayProcess first({kAny, store});
  ASSERT_NE(first.AwaitListening(), "");
  RelayProcess second({kAny, store});
  Refusal(second, 1);
  first.Signal(SIGTERM);
  EXPECT_EQ(first.AwaitExit(), 0);
  RelayProcess third({kAny, store});
  EXPECT_NE(third.AwaitListening(), "");
}

TEST(RelayProcessTest, AStoreThatCannotBeOpenedIsOneLine) {
  RelayProcess relay({kAny, "--store=sqlite:/nowhere/at/all.sqlite3"});
  EXPECT_THAT(Refusal(relay, 1), HasSubstr("/nowhere/at/all.sqlite3"));
}

TEST(RelayProcessTest, UnreadableTlsFilesAreOneLine) {
  RelayProcess relay({kAny, kMemory, "--tls-cert=/nowhere/c.pem", "--tls-key=/nowhere/k.pem"});
  EXPECT_THAT(Refusal(relay, 1), HasSubstr("--tls-cert=/nowhere/c.pem: cannot be read"));
}

TEST(RelayProcessTest, SigtermSendsClientsAwayWithADelay) {
  RelayProcess relay({kAny, kMemory});
  const auto channel = Connect(relay.AwaitListening());
  AttachClient client(channel);
  client.Send(OpenAllocate('a'));
  ASSERT_TRUE(client.Receive()->has_opened());
  relay.Signal(SIGTERM);
  const auto last = client.ReceiveNews();
  ASSERT_TRUE(last && last->has_draining());
  const absl::Status status = client.Finish();
  EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_DRAINING) << status;
  EXPECT_TRUE(error::DetailOf(status)->has_retry_delay());
  EXPECT_EQ(relay.AwaitExit(), 0);
}

// A client that reads nothing keeps its stream, and so the drain, from ending.
TEST(RelayProcessTest, ASecondSignalStopsAtOnce) {
  RelayProcess relay(
      {kAny, kMemory, "--drain-timeout=1h", "--window-frames=4096", "--window-bytes=67108864"});
  const std::string address = relay.AwaitListening();
  AttachClient reader(Connect(address));
  reader.Send(OpenAllocate('a'));
  const uint32_t id = reader.Receive()->opened().channel_id();
  AttachClient idler(Connect(address));
  idler.Send(OpenClaim('b', id));
  ASSERT_TRUE(idler.Receive()->has_opened());
  for (uint64_t n = 1; n <= 300; ++n) reader.Send(Post(n, std::string(66'000, 'x')));
  while (reader.ReceiveNews()->posted().number() < 300) {
  }
  relay.Signal(SIGTERM);
  ASSERT_TRUE(relay.AwaitError("draining"));
  relay.Signal(SIGTERM);
  EXPECT_EQ(relay.AwaitExit(), 1);
}

TEST(RelayProcessTest, AKilledRelayGoesOnWithItsChannels) {
  const testing::TempFolder folder;
  const std::string store = "--store=sqlite:" + folder.File("relay.sqlite3");
  uint32_t id = 0;
  {
    RelayProcess relay({kAny, store});
    const auto channel = Connect(relay.AwaitListening());
    AttachClient a(channel);
    a.Send(OpenAllocate('a'));
    id = a.Receive()->opened().channel_id();
    a.Send(Post(1, "one"));
    a.Send(Post(2, "two"));
    while (a.ReceiveNews()->posted().number() < 2) {
    }
    relay.Signal(SIGKILL);
    EXPECT_EQ(relay.AwaitExit(), 128 + SIGKILL);
    EXPECT_EQ(ReasonOf(a.Finish()), ErrorDetail::REASON_UNSPECIFIED);
  }
  RelayProcess relay({kAny, store});
  const auto channel = Connect(relay.AwaitListening());
  AttachClient a(channel);
  a.Send(OpenResume('a', id));
  EXPECT_EQ(a.Receive()->opened().stored(), 2u);
  AttachClient b(channel);
  b.Send(OpenClaim('b', id));
  EXPECT_EQ(b.Receive()->opened().peer_stored(), 2u);
  EXPECT_EQ(b.ReceiveNews()->message().frame(), "one");
  EXPECT_EQ(b.ReceiveNews()->message().frame(), "two");
}

int ThreadsOf(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (int threads = 0; word == "Threads:" && status >> threads) return threads;
  }
  return 0;
}

// Reflection is the one service whose streams hold a thread each.
TEST(RelayProcessTest, StreamsOfReflectionDoNotTakeAllThreads) {
  RelayProcess relay({kAny, kMemory});
  const auto channel = Connect(relay.AwaitListening());
  const auto stub = ServerReflection::NewStub(channel);
  std::list<grpc::ClientContext> contexts(100);
  std::vector<
      std::unique_ptr<grpc::ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>>>
      streams;
  for (grpc::ClientContext& context : contexts) {
    streams.push_back(stub->ServerReflectionInfo(&context));
    streams.back()->Write(ServerReflectionRequest());
  }
  AttachClient client(channel);  // comes after them on the same connection
  client.Send(OpenAllocate('a'));
  EXPECT_TRUE(client.Receive()->has_opened());
  EXPECT_LT(ThreadsOf(relay.pid()), 60);
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  for (const auto& stream : streams) stream->Finish();
}

// With the files that they import, so that a client needs no .proto file.
TEST(RelayProcessTest, ReflectionDescribesTheServices) {
  RelayProcess relay({kAny, kMemory});
  ReflectionClient client(relay.AwaitListening());
  for (const char* service :
       {"wormhole.rendezvous.v1.RendezvousService", "grpc.health.v1.Health"}) {
    EXPECT_NE(client.FindService(service), nullptr) << service;
  }
}

constexpr char kPlaintext[] = "clients are served in plaintext beyond this machine";

// Its log, once it has served and stopped.
std::string LogOf(std::vector<std::string> flags) {
  flags.emplace_back(kMemory);
  RelayProcess relay(std::move(flags));
  EXPECT_NE(relay.AwaitListening(), "");
  EXPECT_EQ(relay.Stop(), 0);
  return relay.error();
}

TEST(RelayProcessTest, PlaintextBeyondThisMachineIsWarnedOf) {
  EXPECT_THAT(LogOf({"--listen=0.0.0.0:0"}), HasSubstr(kPlaintext));
  EXPECT_THAT(LogOf({kAny}), Not(HasSubstr(kPlaintext)));
  // A proxy that says for whom it connects may end TLS.
  EXPECT_THAT(LogOf({"--listen=0.0.0.0:0", "--proxy-from=192.0.2.1"}), Not(HasSubstr(kPlaintext)));
}

TEST(RelayProcessTest, TlsBeyondThisMachineIsNotWarnedOf) {
  const testing::TempFolder folder;
  EXPECT_THAT(LogOf(WithTls(folder, "--listen=0.0.0.0:0", 365)), Not(HasSubstr(kPlaintext)));
}

TEST(RelayProcessTest, ACertificateThatEndsWithinADayIsInTheLogAndOnThePage) {
  const testing::TempFolder folder;
  std::vector<std::string> flags = WithTls(folder, kAny, 1);
  flags.insert(flags.end(), {kMemory, "--metrics-listen=127.0.0.1:0"});
  RelayProcess relay(flags);
  EXPECT_TRUE(relay.AwaitError("the certificate (--tls-cert) ends soon"));
  const std::string page = HttpGet(relay.AwaitLine("metrics on ")).body;
  const double end = MetricsPage(page).Value("wormhole_certificate_end_seconds");
  const absl::Duration left =
      absl::UnixEpoch() + absl::Seconds(end) - absl::Now();  // it was made a moment ago
  EXPECT_GT(left, absl::Hours(22));
  EXPECT_LE(left, absl::Hours(24));
  EXPECT_EQ(relay.Stop(), 0);
}

TEST(RelayProcessTest, ACertificateThatEndsInAYearIsNotInTheLog) {
  const testing::TempFolder folder;
  EXPECT_THAT(LogOf(WithTls(folder, kAny, 365)), Not(HasSubstr("--tls-cert")));
}

// Tokens, frames and addresses have no place in a log; tests/end_to_end/secrets_test.cc looks
// closer.
TEST(RelayProcessTest, TheLogIsShortAndDiscreet) {
  RelayProcess relay({kAny, kMemory});
  const std::string address = relay.AwaitListening();
  {
    AttachClient client(Connect(address));
    client.Send(OpenAllocate('T', 123'456));
    client.Receive();
    client.Send(Post(1, "the frame"));
    client.ReceiveNews();
  }
  relay.Signal(SIGTERM);
  EXPECT_EQ(relay.AwaitExit(), 0);
  EXPECT_LE(CountLines(relay.error()), 4) << relay.error();
  for (const char* secret : {"TTTT", "the frame", "127.0.0.1"}) {
    EXPECT_EQ(relay.error().find(secret), std::string::npos) << relay.error();
  }
}

}  // namespace
}  // namespace wormhole::service_test
