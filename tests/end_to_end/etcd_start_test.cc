// A relay that is started while its etcd is away: what its ports say meanwhile, and how it goes on.
// What cannot heal by itself ends it.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/support/attach_client.h"
#include "tests/support/etcd_server.h"
#include "tests/support/http_client.h"
#include "tests/support/relay_process.h"
#include "tests/support/reserved_port.h"
#include "tests/support/temp_folder.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Clock = std::chrono::steady_clock;

// What is promised, and what a busy machine may make of it.
constexpr std::chrono::seconds kPromised(2);
constexpr std::chrono::seconds kSoon(30);

constexpr char kIsAway[] = "clients are sent away until the store works again";

int CountLines(const std::string& text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

class EtcdStartTest : public ::testing::Test {
 protected:
  EtcdStartTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
  }

  // With all its ports, which it cannot print before it serves.
  std::unique_ptr<RelayProcess> Start(const std::string& endpoints,
                                      std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(),
                 {"--listen=" + public_.host_port(), "--admin-listen=" + admin_.host_port(),
                  "--probe-listen=" + probes_.host_port(),
                  "--metrics-listen=" + metrics_.host_port(), "--store=etcd:" + endpoints});
    return std::make_unique<RelayProcess>(std::move(flags));
  }

  static std::string Health(const ReservedPort& port, const std::string& service) {
    using grpc::health::v1::HealthCheckResponse;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    const auto stub = grpc::health::v1::Health::NewStub(service_test::Connect(port.host_port()));
    const grpc::Status status = stub->Check(&context, request, &response);
    return status.ok() ? HealthCheckResponse::ServingStatus_Name(response.status())
                       : status.error_message();
  }

  // How a stream ends that begins with this request.
  absl::Status Refusal(const service_test::AttachRequest& request) {
    service_test::AttachClient client(service_test::Connect(public_.host_port()));
    client.Send(request);
    return client.Finish();
  }

  Options NewOptions() const {
    Options options;
    options.app_id = "example.com/start";
    options.rendezvous = public_.host_port();
    options.timeout = absl::Minutes(1);
    return options;
  }

  void ExpectExchange(Initiator& initiator) {
    const auto code = initiator.GetCode();
    ASSERT_TRUE(code.ok()) << code.status();
    Receiver receiver = Receiver::Create(NewOptions(), *code, "from the receiver").value();
    EXPECT_EQ(receiver.GetData().value_or("failed"), "from the initiator");
    EXPECT_EQ(initiator.GetData().value_or("failed"), "from the receiver");
  }
  void ExpectExchange() {
    Initiator initiator = Initiator::Create(NewOptions(), "from the initiator").value();
    ExpectExchange(initiator);
  }

  // Since etcd is there.
  static void ExpectSoonAfter(Clock::time_point begin, const char* what) {
    const auto took = Clock::now() - begin;
    std::cout << what << " after "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
    EXPECT_LT(took, kSoon) << what;
  }

  // Expects one line on standard error beside the log, the last one, and nothing on standard
  // output.
  static std::string LastWords(RelayProcess& relay) {
    EXPECT_EQ(relay.AwaitExit(), 1) << relay.error();
    EXPECT_EQ(relay.output(), "");
    const std::string error = relay.error().substr(0, relay.error().size() - 1);
    const std::string last = error.substr(error.rfind('\n') + 1);
    EXPECT_THAT(last, StartsWith("wormhole-relay: "));
    EXPECT_EQ(CountLines(relay.error().substr(0, relay.error().find("wormhole-relay: "))),
              CountLines(relay.error()) - 1);
    return last;
  }

  const ReservedPort public_;
  const ReservedPort admin_;
  const ReservedPort probes_;
  const ReservedPort metrics_;
  const TempFolder folder_;
};

TEST_F(EtcdStartTest, ItAnswersRefusesAndServesWhenEtcdIsThere) {
  EtcdCluster etcd;
  etcd.Kill(0);
  const auto relay = Start(etcd.endpoints());
  ASSERT_TRUE(relay->AwaitError(kIsAway));
  ASSERT_TRUE(relay->AwaitError(etcd.endpoint(0))) << "the log does not say why";
  EXPECT_EQ(Health(probes_, "liveness"), "SERVING");
  EXPECT_EQ(Health(probes_, "readiness"), "NOT_SERVING");
  EXPECT_EQ(Health(public_, ""), "NOT_SERVING");
  const std::string page = service_test::HttpGet(metrics_.host_port()).body;
  EXPECT_THAT(page, HasSubstr("\nwormhole_store_up 0\n"));
  for (const auto& request : {service_test::OpenAllocate('a'), service_test::OpenClaim('b', 7),
                              service_test::OpenResume('c', 7)}) {
    const absl::Status refusal = Refusal(request);
    EXPECT_EQ(error::ReasonOf(refusal), error::ErrorDetail::REASON_STORE_AWAY) << refusal;
    EXPECT_TRUE(error::DetailOf(refusal)->has_retry_delay());
  }
  const auto inspection =
      rendezvous::v1::InspectionService::NewStub(service_test::Connect(admin_.host_port()));
  grpc::ClientContext context;
  rendezvous::v1::GetRelayResponse seen;
  EXPECT_TRUE(inspection->GetRelay(&context, {}, &seen).ok());
  EXPECT_FALSE(seen.store().healthy());

  Initiator waiting = Initiator::Create(NewOptions(), "from the initiator").value();
  etcd.Restart(0);
  const auto begin = Clock::now();
  EXPECT_EQ(relay->AwaitListening(), public_.host_port());
  ExpectSoonAfter(begin, "serves");
  EXPECT_EQ(relay->AwaitLine("probes on "), probes_.host_port());
  EXPECT_EQ(Health(probes_, "readiness"), "SERVING");
  EXPECT_EQ(Health(public_, ""), "SERVING");
  ExpectExchange(waiting);
  ExpectSoonAfter(begin, "who waited has exchanged");
  EXPECT_EQ(relay->Stop(), 0);
}

// The quickest of a few times, since what other programs do on this machine is not the relay's
// doing.
TEST_F(EtcdStartTest, ItServesWithinTwoSecondsOfEtcdsReturn) {
  EtcdCluster etcd;
  Clock::duration quickest = Clock::duration::max();
  for (int i = 0; i < 5 && quickest >= kPromised; ++i) {
    etcd.Kill(0);
    const auto relay = Start(etcd.endpoints());
    ASSERT_TRUE(relay->AwaitError(kIsAway));
    etcd.Restart(0);
    const auto begin = Clock::now();
    EXPECT_EQ(relay->AwaitListening(), public_.host_port());
    quickest = std::min(quickest, Clock::now() - begin);
    EXPECT_EQ(relay->Stop(), 0);
  }
  EXPECT_LT(quickest, kPromised);
}

TEST_F(EtcdStartTest, OneNodeOfThreeIsThere) {
  EtcdCluster etcd;
  const ReservedPort nobody;
  const ReservedPort nobody_either;
  const auto relay =
      Start(nobody.host_port() + "," + nobody_either.host_port() + "," + etcd.endpoints());
  EXPECT_EQ(relay->AwaitListening(), public_.host_port());
  ExpectExchange();
  EXPECT_EQ(relay->Stop(), 0);
}

// Without the delay that is for a balancer that sends clients here.
TEST_F(EtcdStartTest, SigtermEndsTheWait) {
  const ReservedPort nobody;
  const auto relay = Start(nobody.host_port(), {"--drain-delay=30m", "--drain-timeout=1h"});
  ASSERT_TRUE(relay->AwaitError(kIsAway));
  EXPECT_EQ(relay->Stop(), 0);
  EXPECT_EQ(relay->output(), "");
  EXPECT_THAT(relay->error(), HasSubstr("info stopped"));
}

class EtcdRefusesTest : public EtcdStartTest {
 protected:
  EtcdRefusesTest() { etcd_.AddUser("relay", "word", "wormhole/"); }

  std::string Written(const std::string& name, const std::string& text) {
    const std::string path = folder_.File(name);
    std::ofstream(path) << text;
    return path;
  }
  std::vector<std::string> As(const std::string& password) {
    return {"--etcd-user-file=" + Written("user", "relay\n"),
            "--etcd-password-file=" + Written("password", password + "\n")};
  }

  EtcdCluster etcd_{{.root_password = "secret"}};
};

TEST_F(EtcdRefusesTest, WhatDoesNotHealByItselfIsOneLine) {
  const std::string& endpoints = etcd_.endpoints();
  const auto wrong_password = Start(endpoints, As("wrong"));
  EXPECT_THAT(LastWords(*wrong_password), HasSubstr("authentication failed"));
  EXPECT_EQ(CountLines(wrong_password->error()), 1) << wrong_password->error();
  std::vector<std::string> other_prefix = As("word");
  other_prefix.push_back("--etcd-prefix=other/");
  EXPECT_THAT(LastWords(*Start(endpoints, other_prefix)), HasSubstr("permission denied"));
  EXPECT_THAT(LastWords(*Start(endpoints)), HasSubstr("user name is empty"));
  EXPECT_THAT(LastWords(*Start(endpoints, {"--etcd-tls-ca=/nowhere"})),
              HasSubstr("--etcd-tls-ca=/nowhere: cannot be read"));
}

TEST_F(EtcdRefusesTest, WhatIsRefusedWhenEtcdIsThereEndsTheWait) {
  etcd_.Kill(0);
  const auto relay = Start(etcd_.endpoints(), As("wrong"));
  ASSERT_TRUE(relay->AwaitError(kIsAway));
  etcd_.Restart(0);
  EXPECT_THAT(LastWords(*relay), HasSubstr("authentication failed"));
}

TEST_F(EtcdRefusesTest, TheRightPasswordServes) {
  etcd_.Kill(0);
  const auto relay = Start(etcd_.endpoints(), As("word"));
  ASSERT_TRUE(relay->AwaitError(kIsAway));
  etcd_.Restart(0);
  EXPECT_EQ(relay->AwaitListening(), public_.host_port());
  ExpectExchange();
}

}  // namespace
}  // namespace wormhole::testing
