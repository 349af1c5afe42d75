// The ways to a relay as gRPC takes them: proxies, zones, sockets.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "client/stream/grpc_transport.h"
#include "client/stream/testing/connect_proxy.h"
#include "client/stream/testing/echo.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

class GrpcRouteTest : public testing::Test {
 protected:
  GrpcRouteTest() {
    gpr_set_log_function([](gpr_log_func_args*) {});  // refused connections are part of the test
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.AddListeningPort("[::1]:0", grpc::InsecureServerCredentials(), &port6_);
    builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
  }
  ~GrpcRouteTest() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    unlink(socket_.c_str());
  }

  static ProxySettings Through(const std::string& proxy, const std::string& no_proxy = "") {
    return {.for_tls = {"https_proxy", proxy},
            .for_plaintext = {"http_proxy", proxy},
            .no_proxy = no_proxy};
  }

  static StreamTarget Plain(const std::string& relay) {
    return {.relay = relay, .security = Security::kPlaintext};
  }

  // Whether a stream works. Ends it.
  static bool Answers(GrpcTransport& transport, const StreamTarget& target) {
    EXPECT_EQ(transport.Check(target), absl::OkStatus());
    auto recorder = std::make_shared<Recorder>();
    const auto stream = transport.Open(target, recorder);
    AttachRequest close;
    close.mutable_close();
    stream->Send(close);
    const absl::Status status = recorder->AwaitEnd();
    EXPECT_TRUE(error::DetailOf(status).has_value()) << target.relay << ": " << status;
    return error::DetailOf(status).has_value();
  }

  EchoService service_;
  // Short: a socket's path has at most 107 bytes.
  const std::string socket_ = "/tmp/grpc_route_test." + std::to_string(getpid());
  int port_ = 0;
  int port6_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(GrpcRouteTest, TheProxyIsAskedForTheRelay) {
  ConnectProxy proxy(port_);
  GrpcTransport transport(Through("http://user:p%40ss%2Fword@" + proxy.address()));
  EXPECT_TRUE(Answers(transport, Plain("relay.test:47180")));
  ASSERT_EQ(proxy.requests().size(), 1u);
  const std::string request = proxy.requests()[0];
  EXPECT_EQ(request.substr(0, request.find('\r')), "CONNECT relay.test:47180 HTTP/1.1") << request;
  // user:p@ss/word
  EXPECT_NE(request.find("Proxy-Authorization: Basic dXNlcjpwQHNzL3dvcmQ=\r\n"), std::string::npos)
      << request;
}

TEST_F(GrpcRouteTest, ASlashInThePasswordIsPartOfIt) {
  ConnectProxy proxy(port_);
  GrpcTransport transport(Through("http://user:p@ss/word@" + proxy.address()));
  EXPECT_TRUE(Answers(transport, Plain("relay.test:47180")));
  ASSERT_EQ(proxy.requests().size(), 1u);
  EXPECT_NE(proxy.requests()[0].find("dXNlcjpwQHNzL3dvcmQ="), std::string::npos);
}

TEST_F(GrpcRouteTest, EachAddressOfAListIsAskedForByItself) {
  ConnectProxy proxy(port_);
  GrpcTransport transport(Through("http://" + proxy.address()));
  const StreamTarget target = Plain("ipv4:192.0.2.1:1,192.0.2.2:2");
  EXPECT_TRUE(Answers(transport, target));
  EXPECT_TRUE(Answers(transport, target));
  const std::vector<std::string> requests = proxy.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_TRUE(requests[0].starts_with("CONNECT 192.0.2.1:1 ")) << requests[0];
  EXPECT_TRUE(requests[1].starts_with("CONNECT 192.0.2.2:2 ")) << requests[1];
}

// One address of the list is this machine's own, and for that nobody asks a proxy.
TEST_F(GrpcRouteTest, AListThroughAProxyInPart) {
  ConnectProxy proxy(port_);
  GrpcTransport transport(Through("http://" + proxy.address()));
  const StreamTarget target = Plain("ipv4:192.0.2.1:1,127.0.0.1:" + std::to_string(port_));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Answers(transport, target));
  EXPECT_EQ(proxy.requests().size(), 2u);
}

// gRPC takes `test` for the end of `latest`, and would pass the proxy by.
TEST_F(GrpcRouteTest, NoProxyIsReadHereAlone) {
  ASSERT_EQ(setenv("no_proxy", "test", 1), 0);
  ConnectProxy proxy(port_);
  GrpcTransport transport(Through("http://" + proxy.address(), "test"));
  EXPECT_TRUE(Answers(transport, Plain("relay.latest:47180")));
  EXPECT_EQ(proxy.requests().size(), 1u);
  ASSERT_EQ(unsetenv("no_proxy"), 0);
}

TEST_F(GrpcRouteTest, ThisMachineNeedsNoProxy) {
  ConnectProxy proxy(port_);
  GrpcTransport transport(Through("http://" + proxy.address()));
  EXPECT_TRUE(Answers(transport, {.relay = "127.0.0.1:" + std::to_string(port_)}));
  EXPECT_TRUE(Answers(transport, {.relay = "unix:" + socket_}));
  EXPECT_EQ(proxy.requests().size(), 0u);
}

TEST_F(GrpcRouteTest, AProxyThatIsNoneIsNotPassedBy) {
  GrpcTransport transport(Through("socks5://127.0.0.1:1", "127.0.0.0/8"));
  EXPECT_EQ(ReasonOf(transport.Check(Plain("192.0.2.1:1"))), Reason::kInvalidArgument);
  auto recorder = std::make_shared<Recorder>();
  const auto stream = transport.Open(Plain("192.0.2.1:1"), recorder);
  EXPECT_EQ(recorder->AwaitEnd().code(), absl::StatusCode::kUnavailable);
}

TEST_F(GrpcRouteTest, AnAddressWithAZone) {
  if (port6_ == 0) GTEST_SKIP() << "this machine has no IPv6";
  GrpcTransport transport{ProxySettings()};
  for (const char* zone : {"%lo", "%25lo", "%1"}) {
    EXPECT_TRUE(
        Answers(transport, {.relay = "[::1" + std::string(zone) + "]:" + std::to_string(port6_)}))
        << zone;
  }
  const absl::Status unknown = transport.Check(Plain("[fe80::1%nosuch0]:1"));
  EXPECT_EQ(ReasonOf(unknown), Reason::kInvalidArgument) << unknown;
}

TEST_F(GrpcRouteTest, Sockets) {
  GrpcTransport transport{ProxySettings()};
  EXPECT_TRUE(Answers(transport, {.relay = "unix:" + socket_}));
}

}  // namespace
}  // namespace wormhole
