// The program's public port behind a proxy that says for whom it connects.
#include <signal.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/raw_socket.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawSocket;
using testing::RelayProcess;

constexpr char kV4[] = "PROXY TCP4 203.0.113.7 198.51.100.1 50312 47180\r\n";
constexpr char kV6[] = "PROXY TCP6 2001:db8::7 2001:db8::1 50312 47180\r\n";

std::string Frame(char type, char flags, char stream, const std::string& payload) {
  std::string frame(9, '\0');
  frame[2] = static_cast<char>(payload.size());
  frame[3] = type;
  frame[4] = flags;
  frame[8] = stream;
  return frame + payload;
}

// HPACK: a field that is not indexed, whose name is in the static table.
std::string Field(char name, const std::string& value) {
  return std::string(1, name) + static_cast<char>(value.size()) + value;
}

// HTTP/2 of a client that opens an Attach stream and asks for nothing.
std::string EmptyStream() {
  const std::string headers = "\x83\x86" +  // POST, http
                              Field(4, "/wormhole.rendezvous.v1.RendezvousService/Attach") +
                              Field(1, "localhost") + std::string("\0\x02te\x08trailers", 13) +
                              "\x0f" + Field(16, "application/grpc");  // content-type, 15 + 16
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "") + Frame(1, 4 | 1, 1, headers);
}

class ProxyTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--listen=127.0.0.1:0", "--store=memory", "--log-addresses"});
    relay_ = std::make_unique<RelayProcess>(std::move(flags));
    address_ = relay_->AwaitListening();
    ASSERT_NE(address_, "") << relay_->error();
  }

  // What the relay logs by its end.
  std::string Log() {
    relay_->Signal(SIGTERM);
    EXPECT_EQ(relay_->AwaitExit(), 0) << relay_->error();
    return relay_->error();
  }

  std::unique_ptr<RelayProcess> relay_;
  std::string address_;
};

TEST_F(ProxyTest, TheLogHasTheClientsAddress) {
  Serve({"--proxy-from=127.0.0.0/8"});
  RawSocket v4 = RawSocket::Connect(address_);
  ASSERT_TRUE(v4.Send(kV4 + EmptyStream()));
  EXPECT_TRUE(relay_->AwaitError("client=203.0.113.7:50312"));
  RawSocket v6 = RawSocket::Connect(address_);
  ASSERT_TRUE(v6.Send(kV6 + EmptyStream()));
  EXPECT_TRUE(relay_->AwaitError("client=[2001:db8::7]:50312"));
  EXPECT_THAT(Log(), Not(HasSubstr("client=127.0.0.1")));
}

TEST_F(ProxyTest, TheProxyItselfHasItsOwnAddress) {
  Serve({"--proxy-from=127.0.0.1"});
  RawSocket proxy = RawSocket::Connect(address_);
  ASSERT_TRUE(proxy.Send(EmptyStream()));
  EXPECT_TRUE(relay_->AwaitError("client=127.0.0.1:"));
}

TEST_F(ProxyTest, AHeaderFromElsewhereIsNotHttp2) {
  Serve({"--proxy-from=127.0.0.2,10.0.0.0/8"});
  RawSocket liar = RawSocket::Connect(address_);
  ASSERT_TRUE(liar.Send(kV4 + EmptyStream()));
  EXPECT_TRUE(liar.AwaitClosed());
  RawSocket client = RawSocket::Connect(address_);
  ASSERT_TRUE(client.Send(EmptyStream()));
  EXPECT_TRUE(relay_->AwaitError("client=127.0.0.1:"));
  EXPECT_THAT(Log(), Not(HasSubstr("203.0.113.7")));
}

TEST_F(ProxyTest, BelievingEverybodyIsWarnedOf) {
  Serve({"--proxy-from=127.0.0.1,0.0.0.0/0"});
  EXPECT_TRUE(relay_->AwaitError("--proxy-from believes everybody"));
  EXPECT_TRUE(relay_->AwaitError("network=0.0.0.0/0"));
}

TEST_F(ProxyTest, WhatIsNoHeaderIsReset) {
  Serve({"--proxy-from=127.0.0.1"});
  RawSocket broken = RawSocket::Connect(address_);
  ASSERT_TRUE(broken.Send("PROXY TCP4 nobody\r\n"));
  EXPECT_TRUE(broken.AwaitReset());
}

}  // namespace
}  // namespace wormhole::service_test
