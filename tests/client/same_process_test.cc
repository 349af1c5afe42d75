// A process that uses gRPC for purposes of its own besides: a server, and interceptors of every
// client call.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "grpcpp/support/client_interceptor.h"
#include "gtest/gtest.h"
#include "tests/support/mute.h"
#include "tests/support/relay_process.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

std::atomic<int> calls = 0;  // that an interceptor has seen

class Interceptor : public grpc::experimental::Interceptor {
 public:
  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      ++calls;
    }
    methods->Proceed();
  }
};

class Factory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo*) override {
    return new Interceptor;
  }
};

// A server of the application's.
class OwnServer {
 public:
  OwnServer() {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service_);
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    server_ = builder.BuildAndStart();
  }
  ~OwnServer() { server_->Shutdown(); }

  // Whether a client of the application's, too, reaches it.
  bool Answers() const {
    const auto channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(port_),
                                             grpc::InsecureChannelCredentials());
    return channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::minutes(1));
  }

 private:
  grpc::CallbackGenericService service_;  // has no method
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST(SameProcessTest, AnExchangeAndShutdownBesideAServerAndInterceptors) {
  grpc::experimental::RegisterGlobalClientInterceptorFactory(new Factory);
  const OwnServer server;
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"});
  Options options;
  options.app_id = "example.com/test";
  options.rendezvous = relay.AwaitListening();
  options.security = Security::kPlaintext;
  for (int round = 0; round < 3; ++round) {
    auto initiator = Initiator::Create(options, "a").value();
    auto receiver = Receiver::Create(options, initiator.GetCode().value(), "b").value();
    EXPECT_EQ(initiator.GetData().value(), "b");
    EXPECT_EQ(receiver.GetData().value(), "a");
    EXPECT_EQ(ShutdownCommonClient(absl::Minutes(1)), absl::OkStatus());
    EXPECT_TRUE(server.Answers());  // gRPC goes on without us
  }
  EXPECT_GE(calls, 6);
}

// It is no business of Shutdown's how long gRPC goes on for others.
TEST(SameProcessTest, ShutdownWithAConnectionAttemptBesideAServer) {
  const OwnServer server;
  Mute mute;
  Options options;
  options.app_id = "example.com/test";
  options.rendezvous = mute.address();
  options.security = Security::kPlaintext;
  auto initiator = Initiator::Create(options, "a").value();
  mute.AwaitFirstBytes();
  EXPECT_EQ(ShutdownCommonClient(absl::Minutes(1)), absl::OkStatus());
  EXPECT_TRUE(server.Answers());
}

}  // namespace
}  // namespace wormhole::testing
