#include "client/stream/proxy.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/core/failure.h"
#include "proto/net/address.h"
#include "proto/net/percent.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// curl's default.
constexpr uint16_t kDefaultPort = 1080;

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

std::string_view View(absl::string_view text) { return std::string_view(text.data(), text.size()); }

ProxySettings::Variable FirstSet(const std::function<const char*(const char*)>& get,
                                 std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = get(name);
    const absl::string_view trimmed =
        value == nullptr ? absl::string_view() : absl::StripAsciiWhitespace(value);
    if (!trimmed.empty()) return {name, std::string(trimmed)};
  }
  return {};
}

// --- no_proxy

// Whether `item` is the endpoint's address, or a network that has it.
bool NamesAddress(std::string_view item, const Endpoint& endpoint) {
  const std::optional<net::Network> listed = net::Network::Parse(item);
  const std::optional<net::Address> wanted = net::Address::Parse(endpoint.host);
  return listed && wanted && listed->Contains(*wanted);
}

bool NamesHost(absl::string_view item, const Endpoint& endpoint) {
  absl::ConsumePrefix(&item, "*");  // `*.example.com`: what people write for `.example.com`
  absl::ConsumePrefix(&item, ".");
  absl::ConsumeSuffix(&item, ".");
  absl::string_view host = endpoint.host;
  absl::ConsumeSuffix(&host, ".");
  if (item.empty() || !absl::EndsWithIgnoreCase(host, item)) return false;
  return host.size() == item.size() || host[host.size() - item.size() - 1] == '.';
}

// Takes `:PORT` off the end of `item`, and the brackets of an IPv6 address. False when the port is
// another one than the endpoint's.
bool TakePort(std::string_view* item, const Endpoint& endpoint) {
  const size_t colon = item->rfind(':');
  const bool bare_ipv6 = item->find(':') != colon && item->front() != '[';
  bool same = true;
  if (colon != std::string_view::npos && !bare_ipv6 && item->back() != ']') {
    uint32_t port = 0;
    same = absl::SimpleAtoi(View(item->substr(colon + 1)), &port) && port == endpoint.port;
    *item = item->substr(0, colon);
  }
  if (item->size() > 2 && item->front() == '[' && item->back() == ']') {
    *item = item->substr(1, item->size() - 2);
  }
  return same;
}

// --- The proxy's address

absl::Status BadProxy(const ProxySettings::Variable& variable, std::string_view why) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                       absl::StrCat("set $", variable.name,
                                    " to http://HOST:PORT, http://USER:PASSWORD@HOST:PORT "
                                    "or nothing: what it holds ",
                                    View(why), ", and it was not passed by"));
}

// HOST or HOST:PORT.
absl::StatusOr<Proxy> ParseHost(const ProxySettings::Variable& variable, std::string_view text) {
  Proxy proxy{.port = kDefaultPort};
  std::string_view host = text;
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.back() != ']') {
    uint32_t port = 0;
    if (!absl::SimpleAtoi(View(text.substr(colon + 1)), &port) || port < 1 || port > 65535) {
      return BadProxy(variable, "has a port that is none");
    }
    proxy.port = static_cast<uint16_t>(port);
    host = text.substr(0, colon);
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<net::Address> literal = net::Address::Parse(host);
  const bool sane = std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
  });
  if (bracketed ? !literal || !literal->v6() : host.empty() || !sane) {
    return BadProxy(variable, "has a host that is none");
  }
  proxy.host = std::string(host);
  return proxy;
}

// Credentials end at the last @, so that a slash or an @ in a password is part of it.
absl::StatusOr<Proxy> ParseProxy(const ProxySettings::Variable& variable) {
  std::string_view rest = variable.value;
  const size_t scheme = rest.find("://");
  if (scheme != std::string_view::npos && scheme < rest.find('@')) {
    if (!absl::EqualsIgnoreCase(View(rest.substr(0, scheme)), "http")) {
      return BadProxy(variable, "is no proxy of the kind that is spoken here, http://");
    }
    rest = rest.substr(scheme + 3);
  }
  std::string credentials;
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = rest.substr(0, at);
    const size_t colon = user.find(':');
    credentials = net::PercentDecoded(user.substr(0, colon)) + ":";
    if (colon != std::string_view::npos) credentials += net::PercentDecoded(user.substr(colon + 1));
    if (credentials.find_first_of("\r\n") != std::string::npos) {
      return BadProxy(variable, "has a line end in its credentials");
    }
    rest = rest.substr(at + 1);
  }
  auto proxy = ParseHost(variable, rest.substr(0, rest.find('/')));
  if (proxy.ok()) proxy->credentials = std::move(credentials);
  return proxy;
}

}  // namespace

ProxySettings ProxySettings::From(const std::function<const char*(const char*)>& get) {
  ProxySettings settings;
  settings.for_tls = FirstSet(
      get, {"grpc_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy"});
  settings.for_plaintext = FirstSet(
      get, {"grpc_proxy", "http_proxy", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"});
  settings.no_proxy = FirstSet(get, {"no_grpc_proxy", "no_proxy", "NO_PROXY"}).value;
  return settings;
}

std::string Proxy::HostPort() const {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

bool IsListed(const Endpoint& endpoint, std::string_view no_proxy) {
  for (const absl::string_view each :
       absl::StrSplit(View(no_proxy), absl::ByAnyChar(", \t\r\n"), absl::SkipEmpty())) {
    std::string_view item = View(each);
    if (!TakePort(&item, endpoint)) continue;
    if (item == "*") return true;
    const bool listed = endpoint.kind == Endpoint::Kind::kName ? NamesHost(View(item), endpoint)
                                                               : NamesAddress(item, endpoint);
    if (listed) return true;
  }
  return false;
}

absl::StatusOr<std::optional<Proxy>> ProxyFor(const Endpoint& endpoint, bool tls,
                                              const ProxySettings& settings) {
  const ProxySettings::Variable& variable = tls ? settings.for_tls : settings.for_plaintext;
  if (variable.value.empty() || endpoint.loopback() || IsListed(endpoint, settings.no_proxy)) {
    return std::nullopt;
  }
  absl::StatusOr<Proxy> proxy = ParseProxy(variable);
  if (!proxy.ok()) return proxy.status();
  return *std::move(proxy);
}

}  // namespace wormhole
