// The begin of a connection from a proxy, which may be anything: the header is found where it ends,
// however much has come of it and whatever comes behind.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "relay/accept/proxy_header.h"
#include "tests/fuzz/check.h"

namespace {

using wormhole::fuzz::Check;
using wormhole::relay::ParseProxyHeader;
using wormhole::relay::ProxyHeader;
using Kind = ProxyHeader::Kind;

bool Same(const ProxyHeader& a, const ProxyHeader& b) {
  return a.kind == b.kind && a.size == b.size && a.client == b.client && a.port == b.port;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view begin(reinterpret_cast<const char*>(data), size);
  const ProxyHeader header = ParseProxyHeader(begin);
  const bool whole = header.kind == Kind::kLocal || header.kind == Kind::kClient;
  Check(whole == (header.size > 0) && header.size <= begin.size());
  Check(header.size <= wormhole::relay::kMaxProxyHeader);
  if (header.kind != Kind::kIncomplete) {
    Check(Same(header, ParseProxyHeader(std::string(begin) + "PRI * HTTP/2.0\r\n")));
  }
  // No part of it says anything else.
  for (size_t part = 0; part < begin.size(); ++part) {
    const ProxyHeader some = ParseProxyHeader(begin.substr(0, part));
    Check(some.kind == Kind::kIncomplete || Same(some, header));
    if (whole) Check((some.kind == Kind::kIncomplete) == (part < header.size));
  }
  // It is never waited for more than the longest header.
  Check(header.kind != Kind::kIncomplete || begin.size() < wormhole::relay::kMaxProxyHeader);
  return 0;
}
