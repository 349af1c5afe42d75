#include "client/stream/relay_address.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/core/failure.h"
#include "proto/net/address.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

constexpr size_t kMaxTargetBytes = 1024;
// IF_NAMESIZE is 16 with the NUL at the end.
constexpr size_t kMaxZoneBytes = 15;

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

absl::Status Invalid(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

absl::Status BadRelay(std::string_view relay, std::string_view why) {
  return Invalid(
      absl::StrCat("write the relay as HOST:PORT, for example relay.example.com:443: the relay "
                   "address '",
                   View(relay), "' ", View(why)));
}

absl::Status WriteInstead(std::string_view relay, std::string_view better, std::string_view why) {
  return Invalid(absl::StrCat("write ", View(better), " as the relay: the relay address '",
                              View(relay), "' ", View(why)));
}

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

// `host` with a port, unless it has one.
std::string WithDefaultPort(std::string_view host, int port) {
  const size_t end_of_ipv6 = host.rfind(']');
  const size_t from = end_of_ipv6 == std::string_view::npos ? 0 : end_of_ipv6;
  if (host.find(':', from) != std::string_view::npos) return std::string(host);
  return absl::StrCat(View(host), ":", port);
}

// For a URL, which people copy out of a browser, says what to write instead. OK for anything else.
absl::Status CheckForUrl(std::string_view relay) {
  for (const char* scheme : {"dns:", "unix:", "unix-abstract:"}) {
    if (absl::StartsWith(View(relay), scheme)) return absl::OkStatus();
  }
  const size_t colon = relay.find("://");
  const bool url = colon != std::string_view::npos && colon > 0;
  const std::string_view rest = url ? relay.substr(colon + 3) : relay;
  const std::string_view host = rest.substr(0, rest.find('/'));
  if (host.empty()) return url ? BadRelay(relay, "is a URL without a host") : absl::OkStatus();
  if (url) {
    const std::string scheme = absl::AsciiStrToLower(View(relay.substr(0, colon)));
    return WriteInstead(relay, WithDefaultPort(host, scheme == "http" || scheme == "ws" ? 80 : 443),
                        "is a URL: a relay has no scheme. TLS is used by itself, and plaintext has "
                        "to be asked for");
  }
  if (host.size() == rest.size()) return absl::OkStatus();
  return WriteInstead(relay, WithDefaultPort(host, 443), "has a path: a relay has none");
}

absl::StatusOr<uint16_t> ParsePort(std::string_view relay, std::string_view digits) {
  uint32_t port = 0;
  const bool number = !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  if (!number || !absl::SimpleAtoi(View(digits), &port) || port < 1 || port > 65535) {
    return BadRelay(relay, "has a port that is none");
  }
  return static_cast<uint16_t>(port);
}

// Takes the zone off `host`, and says whether what it took is one.
bool TakeZone(std::string_view* host, std::string* zone) {
  const size_t percent = host->find('%');
  if (percent == std::string_view::npos) return true;
  std::string_view name = host->substr(percent + 1);
  // In a URL the percent sign is itself escaped, as %25 (RFC 6874). With nothing behind it, %25
  // names an interface `25`.
  if (name.size() > 2) ConsumePrefix(&name, "25");
  *host = host->substr(0, percent);
  *zone = std::string(name);
  return !name.empty() && name.size() <= kMaxZoneBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.' || c == '~';
         });
}

absl::StatusOr<Endpoint> ParseEndpoint(std::string_view relay, std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || address.back() == ']') {
    return BadRelay(relay, "names no port");
  }
  const absl::StatusOr<uint16_t> port = ParsePort(relay, address.substr(colon + 1));
  if (!port.ok()) return port.status();
  Endpoint endpoint;
  endpoint.port = *port;
  std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[]/") != std::string_view::npos ||
      (!bracketed && host.find_first_of(":%") != std::string_view::npos)) {
    return BadRelay(relay, "has a host that is none (an IPv6 address goes into brackets)");
  }
  if (bracketed && !TakeZone(&host, &endpoint.zone)) {
    return BadRelay(relay, "has a zone that is none: behind the % goes the name of an interface");
  }
  endpoint.host = std::string(host);
  const std::optional<net::Address> literal = net::Address::Parse(endpoint.host);
  if (bracketed && (!literal || !literal->v6())) {
    return BadRelay(relay, "has brackets around what is no IPv6 address");
  }
  if (literal) endpoint.kind = bracketed ? Endpoint::Kind::kIpv6 : Endpoint::Kind::kIpv4;
  if (literal && literal->unspecified()) {
    return WriteInstead(relay,
                        absl::StrCat("localhost:", *port, ", or the address of its machine,"),
                        "stands for every address of a machine, which a relay can listen on but "
                        "nobody can connect to");
  }
  return endpoint;
}

absl::Status ParseList(std::string_view relay, std::string_view list, Endpoint::Kind kind,
                       RelayAddress* address) {
  address->list = true;
  for (const absl::string_view item : absl::StrSplit(View(list), ',')) {
    auto endpoint = ParseEndpoint(relay, std::string_view(item.data(), item.size()));
    if (!endpoint.ok()) return endpoint.status();
    if (endpoint->kind != kind) return BadRelay(relay, "lists something that is no such address");
    address->endpoints.push_back(*std::move(endpoint));
  }
  return absl::OkStatus();
}

absl::Status CheckCharacters(std::string_view relay) {
  if (relay.empty()) return BadRelay(relay, "is empty");
  if (relay.size() > kMaxTargetBytes) return Invalid("the relay address has over 1,024 bytes");
  if (!std::all_of(relay.begin(), relay.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return Invalid("the relay address has white space, control or non-ASCII characters");
  }
  return CheckForUrl(relay);
}

}  // namespace

bool Endpoint::loopback() const {
  if (kind == Kind::kName) return absl::EqualsIgnoreCase(host, "localhost");
  const std::optional<net::Address> address = net::Address::Parse(host);
  return address && address->loopback();
}

std::string Endpoint::HostPort() const {
  return kind == Kind::kIpv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

bool RelayAddress::loopback() const {
  return own_resolver && std::all_of(endpoints.begin(), endpoints.end(),
                                     [](const Endpoint& one) { return one.loopback(); });
}

absl::StatusOr<RelayAddress> ParseRelayAddress(std::string_view relay) {
  if (absl::Status status = CheckCharacters(relay); !status.ok()) return status;
  RelayAddress address;
  std::string_view rest = relay;
  if (ConsumePrefix(&rest, "unix:") || ConsumePrefix(&rest, "unix-abstract:")) {
    if (rest.empty()) return BadRelay(relay, "names no socket");
    address.socket = true;
    return address;
  }
  const bool v4 = ConsumePrefix(&rest, "ipv4:");
  if (v4 || ConsumePrefix(&rest, "ipv6:")) {
    const auto kind = v4 ? Endpoint::Kind::kIpv4 : Endpoint::Kind::kIpv6;
    if (absl::Status status = ParseList(relay, rest, kind, &address); !status.ok()) return status;
    return address;
  }
  if (ConsumePrefix(&rest, "dns:") && ConsumePrefix(&rest, "//")) {
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return BadRelay(relay, "has no host after dns://");
    address.own_resolver = slash == 0;
    rest = rest.substr(slash + 1);
  }
  auto endpoint = ParseEndpoint(relay, rest);
  if (!endpoint.ok()) return endpoint.status();
  address.endpoints.push_back(*std::move(endpoint));
  return address;
}

}  // namespace wormhole
