#include "relay/accept/proxy_header.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using std::string_literals::operator""s;
using Kind = ProxyHeader::Kind;

const std::string kV2 = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kV4Block = "\xc0\x00\x02\x07\xc6\x33\x64\x01\xc4\x88\xb8\x4c"s;
const std::string kV6Block =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\xc4\x88\xb8\x4c"s;

std::string Binary(uint8_t version_and_command, uint8_t family, const std::string& block) {
  std::string header = kV2;
  header += static_cast<char>(version_and_command);
  header += static_cast<char>(family);
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size());
  return header + block;
}

// `header` is whole: every part of it is incomplete, and what follows is left alone.
ProxyHeader Whole(const std::string& header) {
  for (size_t size = 0; size < header.size(); ++size) {
    EXPECT_EQ(ParseProxyHeader(std::string_view(header).substr(0, size)).kind, Kind::kIncomplete)
        << size;
  }
  const ProxyHeader alone = ParseProxyHeader(header);
  const ProxyHeader followed = ParseProxyHeader(header + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(alone.size, header.size());
  EXPECT_EQ(followed.size, header.size());
  EXPECT_EQ(followed.kind, alone.kind);
  return alone;
}

TEST(ProxyHeaderTest, TextNamesTheClient) {
  const ProxyHeader v4 = Whole("PROXY TCP4 192.0.2.7 198.51.100.1 50312 47180\r\n");
  EXPECT_EQ(v4.kind, Kind::kClient);
  EXPECT_EQ(v4.client.ToString(), "192.0.2.7");
  EXPECT_EQ(v4.port, 50312);
  const ProxyHeader v6 = Whole("PROXY TCP6 2001:db8::7 2001:db8::1 0 65535\r\n");
  EXPECT_EQ(v6.kind, Kind::kClient);
  EXPECT_EQ(v6.client.ToString(), "2001:db8::7");
  EXPECT_EQ(v6.port, 0);
}

TEST(ProxyHeaderTest, TheLongestText) {
  const std::string longest =
      "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535" + std::string(48, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), 107u);
  EXPECT_EQ(Whole(longest).kind, Kind::kLocal);
  EXPECT_EQ(ParseProxyHeader("PROXY UNKNOWN " + std::string(94, 'x') + "\r\n").kind,
            Kind::kMalformed);
  EXPECT_EQ(ParseProxyHeader("PROXY " + std::string(101, 'x')).kind, Kind::kMalformed);
  EXPECT_EQ(ParseProxyHeader("PROXY " + std::string(100, 'x')).kind, Kind::kIncomplete);
}

TEST(ProxyHeaderTest, BinaryNamesTheClient) {
  const ProxyHeader v4 = Whole(Binary(0x21, 0x11, kV4Block));
  EXPECT_EQ(v4.kind, Kind::kClient);
  EXPECT_EQ(v4.client.ToString(), "192.0.2.7");
  EXPECT_EQ(v4.port, 50312);
  const ProxyHeader v6 = Whole(Binary(0x21, 0x21, kV6Block));
  EXPECT_EQ(v6.kind, Kind::kClient);
  EXPECT_EQ(v6.client.ToString(), "2001:db8::7");
  EXPECT_EQ(v6.port, 50312);
  EXPECT_EQ(Whole(Binary(0x21, 0x11, kV4Block + "\x04\x00\x01x"s)).client.ToString(), "192.0.2.7")
      << "TLVs are skipped";
}

TEST(ProxyHeaderTest, AnIpv4AddressInIpv6sClothes) {
  EXPECT_EQ(Whole("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n").client.ToString(), "192.0.2.7");
  const std::string block =
      std::string(10, '\0') + "\xff\xff\xc0\x00\x02\x07"s + std::string(20, 0);
  EXPECT_EQ(Whole(Binary(0x21, 0x21, block)).client.ToString(), "192.0.2.7");
}

TEST(ProxyHeaderTest, TheProxysOwn) {
  EXPECT_EQ(Whole("PROXY UNKNOWN\r\n").kind, Kind::kLocal);
  EXPECT_EQ(Whole("PROXY UNKNOWN anything at all\r\n").kind, Kind::kLocal);
  EXPECT_EQ(Whole(Binary(0x20, 0x00, "")).kind, Kind::kLocal);
  EXPECT_EQ(Whole(Binary(0x20, 0x11, kV4Block)).kind, Kind::kLocal);
  EXPECT_EQ(Whole(Binary(0x20, 0x77, "x")).kind, Kind::kLocal);
  EXPECT_EQ(Whole(Binary(0x21, 0x00, "TLVs")).kind, Kind::kLocal);
}

TEST(ProxyHeaderTest, SomethingElse) {
  EXPECT_EQ(ParseProxyHeader("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").kind, Kind::kNone);
  EXPECT_EQ(ParseProxyHeader("PRI").kind, Kind::kNone);
  EXPECT_EQ(ParseProxyHeader("\x16\x03\x01").kind, Kind::kNone);
  EXPECT_EQ(ParseProxyHeader("\r\n\r\n\r\n").kind, Kind::kNone);
  EXPECT_EQ(ParseProxyHeader("proxy TCP4").kind, Kind::kNone);
  EXPECT_EQ(ParseProxyHeader("").kind, Kind::kIncomplete);
}

TEST(ProxyHeaderTest, TextThatIsWrong) {
  for (const char* rest :
       {"TCP4 192.0.2.7 198.51.100.1 50312", "TCP4 192.0.2.7 198.51.100.1 50312 47180 1",
        "TCP4  192.0.2.7 198.51.100.1 50312 47180", "TCP4 192.0.2.7 198.51.100.1 050312 47180",
        "TCP4 192.0.2.7 198.51.100.1 65536 47180", "TCP4 192.0.2.7 198.51.100.1 -1 47180",
        "TCP4 192.0.2.7 198.51.100.1 50312 ", "TCP4 2001:db8::7 2001:db8::1 50312 47180",
        "TCP6 192.0.2.7 198.51.100.1 50312 47180", "TCP4 192.0.2.7 2001:db8::1 50312 47180",
        "TCP4 localhost localhost 1 2", "UDP4 192.0.2.7 198.51.100.1 50312 47180", "TCP5 1 2 3 4",
        "", " ", "TCP4", "tcp4 192.0.2.7 198.51.100.1 50312 47180"}) {
    EXPECT_EQ(ParseProxyHeader("PROXY "s + rest + "\r\n").kind, Kind::kMalformed) << rest;
  }
}

TEST(ProxyHeaderTest, BinaryThatIsWrong) {
  EXPECT_EQ(ParseProxyHeader(Binary(0x11, 0x11, kV4Block)).kind, Kind::kMalformed) << "version";
  EXPECT_EQ(ParseProxyHeader(Binary(0x22, 0x11, kV4Block)).kind, Kind::kMalformed) << "command";
  EXPECT_EQ(ParseProxyHeader(Binary(0x21, 0x12, kV4Block)).kind, Kind::kMalformed) << "datagrams";
  EXPECT_EQ(ParseProxyHeader(Binary(0x21, 0x31, std::string(216, 'x'))).kind, Kind::kMalformed)
      << "a path";
  EXPECT_EQ(ParseProxyHeader(Binary(0x21, 0x11, kV4Block.substr(1))).kind, Kind::kMalformed);
  EXPECT_EQ(ParseProxyHeader(Binary(0x21, 0x21, kV6Block.substr(1))).kind, Kind::kMalformed);
  EXPECT_EQ(ParseProxyHeader(Binary(0x20, 0x00, std::string(4080, 'x'))).kind, Kind::kLocal);
  EXPECT_EQ(ParseProxyHeader(Binary(0x20, 0x00, std::string(4081, 'x')).substr(0, 16)).kind,
            Kind::kMalformed);
}

}  // namespace
}  // namespace wormhole::relay
