// Whole exchanges over real gRPC, with a relay in this process.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "relay/admission/token_list.h"
#include "relay/server/server.h"
#include "relay/store/memory/memory_store.h"
#include "tests/support/signal.h"
#include "tests/support/temp_folder.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using Result = absl::StatusOr<std::string>;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// A certificate for this machine that is its own authority, in NAME.pem and NAME.key.
std::string MakeCertificate(const std::string& name) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/", name);
  const std::string command = absl::StrCat(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=",
      name, " -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ", path, ".key -out ", path,
      ".pem 2> ", path, ".log");
  EXPECT_EQ(std::system(command.c_str()), 0) << ReadFile(path + ".log");
  return path;
}

class GrpcExchangeTest : public ::testing::Test {
 protected:
  GrpcExchangeTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
    config_.listen = "127.0.0.1:0";
    config_.admin_listen = "";
  }

  void Serve() {
    server_ = nullptr;
    store_ = std::make_unique<relay::MemoryStore>();
    auto server = relay::RelayServer::Start(
        config_, [this] { return store_.get(); }, &clock_, &monitor_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    config_.listen = server_->address();  // the same port the next time
  }

  Options NewOptions() {
    Options options;
    options.app_id = "example.com/test";
    options.rendezvous = config_.listen;
    options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(50)}};
    return options;
  }

  void ExpectExchange(const Options& options) {
    auto initiator = Initiator::Create(options, "from the initiator").value();
    const auto code = initiator.GetCode();
    ASSERT_TRUE(code.ok()) << code.status();
    auto receiver = Receiver::Create(options, *code, "from the receiver").value();
    EXPECT_EQ(initiator.GetData().value(), "from the receiver");
    EXPECT_EQ(receiver.GetData().value(), "from the initiator");
    EXPECT_EQ(initiator.Finish(absl::Seconds(10)), absl::OkStatus());
    EXPECT_EQ(receiver.Finish(absl::Seconds(10)), absl::OkStatus());
  }

  const TempFolder folder_;
  relay::RelayConfig config_;
  relay::RelayClock clock_;
  relay::Monitor monitor_{config_};
  std::unique_ptr<relay::MemoryStore> store_;
  std::unique_ptr<relay::RelayServer> server_;
};

TEST_F(GrpcExchangeTest, BothSidesGetEachOthersData) {
  Serve();
  ExpectExchange(NewOptions());
}

TEST_F(GrpcExchangeTest, EveryFormOfTheAddress) {
  Serve();
  const std::string port = config_.listen.substr(config_.listen.rfind(':'));
  for (const char* host : {"ipv4:127.0.0.1", "dns:///127.0.0.1", "localhost", "dns:localhost"}) {
    Options options = NewOptions();
    options.rendezvous = host + port;
    ExpectExchange(options);
  }
}

TEST_F(GrpcExchangeTest, ManyOverOneClientByCallbacks) {
  Serve();
  Options options = NewOptions();
  options.client = Client::Create().value();
  constexpr int kPairs = 60;
  std::vector<Initiator> initiators;
  std::vector<std::optional<Receiver>> receivers(kPairs);
  Signal done;
  for (int i = 0; i < kPairs; ++i) {
    initiators.push_back(Initiator::Create(options, absl::StrCat(i)).value());
    initiators[i].WhenData([&done](Result data) {
      EXPECT_EQ(data.value(), "b");
      done.Notify();
    });
  }
  for (int i = 0; i < kPairs; ++i) {
    receivers[i] = Receiver::Create(options, initiators[i].GetCode().value(), "b").value();
    receivers[i]->WhenData([&done, i](Result data) {
      EXPECT_EQ(data.value(), absl::StrCat(i));
      done.Notify();
    });
  }
  done.Await(2 * kPairs);
}

TEST_F(GrpcExchangeTest, TypedErrorsArrive) {
  Serve();
  auto receiver = Receiver::Create(NewOptions(), "7-abandon-ability", "b").value();
  EXPECT_EQ(ReasonOf(receiver.GetData().status()), Reason::kNoSuchCode);
  Options options = NewOptions();
  options.code = "7-abandon-ability";
  auto first = Initiator::Create(options, "a").value();
  ASSERT_TRUE(first.GetCode().ok());
  auto second = Initiator::Create(options, "a").value();
  EXPECT_EQ(ReasonOf(second.GetCode().status()), Reason::kTaken);
}

TEST_F(GrpcExchangeTest, ARelayThatComesLateIsFound) {
  Serve();
  server_ = nullptr;  // the port is free again, and known
  Options options = NewOptions();
  Signal refused;
  options.on_progress = [&refused](const ProgressEvent& event) {
    if (event.kind == ProgressEvent::Kind::kDisconnected) refused.Notify();
  };
  auto initiator = Initiator::Create(options, "a").value();
  refused.Await(3);
  Serve();
  EXPECT_TRUE(initiator.GetCode().ok());
}

TEST_F(GrpcExchangeTest, ARelayThatIsAwayIsNamed) {
  Serve();
  server_ = nullptr;
  Options options = NewOptions();
  options.timeout = absl::Milliseconds(300);
  auto initiator = Initiator::Create(options, "a").value();
  const absl::Status status = initiator.GetData().status();
  EXPECT_EQ(ReasonOf(status), Reason::kUnreachable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(config_.listen));
}

TEST_F(GrpcExchangeTest, HandlesMayGoAtAnyMoment) {
  Serve();
  for (int i = 0; i < 40; ++i) {
    auto initiator = Initiator::Create(NewOptions(), "a").value();
    if (i % 4 == 1) {
      ASSERT_TRUE(initiator.GetCode().ok());
    }
    if (i % 4 == 2) initiator.Cancel();
    if (i % 4 == 3) initiator.WhenCode([](Result) {});
  }
  ExpectExchange(NewOptions());
}

TEST_F(GrpcExchangeTest, TlsWithAnAuthorityOfItsOwn) {
  const std::string certificate = MakeCertificate("relay");
  config_.tls = {.cert = certificate + ".pem", .key = certificate + ".key"};
  Serve();
  Options options = NewOptions();
  options.tls.root_certificates = ReadFile(certificate + ".pem");
  options.bearer_token = "token";
  ExpectExchange(options);

  // Others trust another authority, the system's, or speak no TLS: none gets through.
  std::vector<Options> others(3, NewOptions());
  others[0].tls.root_certificates = ReadFile(MakeCertificate("other") + ".pem");
  others[1].security = Security::kTls;
  for (Options& other : others) {
    other.timeout = absl::Milliseconds(500);
    auto initiator = Initiator::Create(other, "a").value();
    EXPECT_EQ(ReasonOf(initiator.GetCode().status()), Reason::kUnreachable);
  }
}

// Initiators have a token, receivers another one, and who has none hears so at once.
TEST_F(GrpcExchangeTest, ARelayMayAskForBearerTokens) {
  config_.tokens_file = folder_.File("tokens");
  const auto grant = [](const char* token, const char* use, const char* app_id) {
    return relay::TokenList::Write(relay::HashToken(token), use, app_id).value() + "\n";
  };
  std::ofstream(config_.tokens_file)
      << grant("alice", "allocate", "example.com/*") << grant("bob", "claim", "example.com/test");
  Serve();
  Options alice = NewOptions();
  alice.bearer_token = "alice";
  Options bob = NewOptions();
  bob.bearer_token = "bob";
  std::string state;
  alice.on_save = [&state](std::string_view now) {
    state = std::string(now);
    return absl::OkStatus();
  };
  std::optional<Initiator> first = Initiator::Create(alice, "a").value();
  const std::string code = first->GetCode().value();
  first.reset();
  alice.on_save = nullptr;

  // Each as the one who has no right to it.
  const auto failure = [](auto party) { return party.GetData().status(); };
  const absl::Status none = failure(Initiator::Create(NewOptions(), "x").value());
  EXPECT_EQ(ReasonOf(none), Reason::kNotAuthorized);
  EXPECT_EQ(none.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(none.message()), HasSubstr("a bearer token is needed to allocate"));
  const absl::Status other_use = failure(Initiator::Create(bob, "x").value());
  EXPECT_EQ(ReasonOf(other_use), Reason::kNotAuthorized);
  EXPECT_EQ(other_use.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(failure(Receiver::Create(alice, code, "x").value())), Reason::kNotAuthorized);
  EXPECT_EQ(ReasonOf(failure(Receiver::Create(NewOptions(), code, "x").value())),
            Reason::kNotAuthorized);

  // The code is as good as before, and what is under way needs no token to go on.
  auto initiator = Initiator::FromSerialized(state, NewOptions()).value();
  auto receiver = Receiver::Create(bob, code, "b").value();
  EXPECT_EQ(initiator.GetData().value(), "b");
  EXPECT_EQ(receiver.GetData().value(), "a");
}

TEST_F(GrpcExchangeTest, ARelayMayAskForCertificates) {
  const std::string certificate = MakeCertificate("relay");
  const std::string client = MakeCertificate("client");
  config_.tls = {
      .cert = certificate + ".pem", .key = certificate + ".key", .client_ca = client + ".pem"};
  Serve();
  Options options = NewOptions();
  options.tls.root_certificates = ReadFile(certificate + ".pem");
  options.tls.certificate_chain = ReadFile(client + ".pem");
  options.tls.private_key = ReadFile(client + ".key");
  ExpectExchange(options);
  options.tls.certificate_chain.clear();
  options.tls.private_key.clear();
  options.timeout = absl::Milliseconds(500);
  auto initiator = Initiator::Create(options, "a").value();
  EXPECT_EQ(ReasonOf(initiator.GetCode().status()), Reason::kUnreachable);
}

}  // namespace
}  // namespace wormhole::testing
