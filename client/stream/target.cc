#include "client/stream/target.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/core/outcome.h"

namespace wormhole {
namespace {

// gRPC refuses metadata of more than 8 KiB; real tokens have less than half of that.
constexpr size_t kMaxTokenBytes = 4096;
constexpr size_t kMaxTargetBytes = 1024;

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

absl::Status Invalid(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
}

absl::Status BadRelay(std::string_view relay, std::string_view why) {
  return Invalid(absl::StrCat("the relay address '", View(relay), "' ", View(why),
                              ": write HOST:PORT, for example relay.example.com:443"));
}

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (text->substr(0, prefix.size()) != prefix) return false;
  text->remove_prefix(prefix.size());
  return true;
}

struct HostPort {
  std::string host;  // without brackets
  bool bracketed = false;
};

absl::StatusOr<HostPort> SplitHostPort(std::string_view relay, std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || address.back() == ']') {
    return BadRelay(relay, "names no port");
  }
  uint32_t port = 0;
  const std::string_view digits = address.substr(colon + 1);
  const bool number = !digits.empty() && std::all_of(digits.begin(), digits.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  if (!number || !absl::SimpleAtoi(View(digits), &port) || port < 1 || port > 65535) {
    return BadRelay(relay, "has a port that is none");
  }
  HostPort result;
  std::string_view host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    result.bracketed = true;
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || host.find_first_of("[]/") != std::string_view::npos ||
      (!result.bracketed && host.find(':') != std::string_view::npos)) {
    return BadRelay(relay, "has a host that is none (an IPv6 address goes into brackets)");
  }
  result.host = std::string(host);
  return result;
}

// Nothing when `host` is no literal address of that family.
std::optional<bool> LoopbackV4(const std::string& host) {
  in_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
  return (ntohl(address.s_addr) >> 24) == 127;
}

std::optional<bool> LoopbackV6(const std::string& host) {
  in6_addr address;
  if (inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return address.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&address) != 0;
}

// A list of literal addresses of one family.
absl::StatusOr<bool> LiteralsAreLoopback(std::string_view relay, std::string_view list,
                                         std::optional<bool> (*loopback)(const std::string&)) {
  bool all = true;
  for (const absl::string_view item : absl::StrSplit(View(list), ',')) {
    const auto split = SplitHostPort(relay, std::string_view(item.data(), item.size()));
    if (!split.ok()) return split.status();
    const std::optional<bool> one = loopback(split->host);
    if (!one.has_value()) return BadRelay(relay, "lists something that is no such address");
    all = all && *one;
  }
  return all;
}

absl::StatusOr<bool> HostIsLoopback(std::string_view relay, std::string_view address) {
  const auto split = SplitHostPort(relay, address);
  if (!split.ok()) return split.status();
  if (split->bracketed) {
    const std::optional<bool> v6 = LoopbackV6(split->host);
    if (!v6.has_value()) return BadRelay(relay, "has brackets around what is no IPv6 address");
    return *v6;
  }
  const std::optional<bool> v4 = LoopbackV4(split->host);
  return v4.has_value() ? *v4 : absl::EqualsIgnoreCase(split->host, "localhost");
}

absl::Status CheckTls(const Tls& tls) {
  if (tls.certificate_chain.empty() != tls.private_key.empty()) {
    return Invalid("a client certificate and its private key go together: give both or neither");
  }
  for (const std::string* pem : {&tls.root_certificates, &tls.certificate_chain}) {
    if (!pem->empty() && pem->find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
      return Invalid("a TLS certificate is not in PEM form: it holds no BEGIN CERTIFICATE line");
    }
  }
  if (!tls.private_key.empty() && tls.private_key.find("PRIVATE KEY-----") == std::string::npos) {
    return Invalid("the TLS private key is not in PEM form: it holds no BEGIN ... KEY line");
  }
  return absl::OkStatus();
}

absl::Status CheckToken(const std::string& token) {
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (printable && token.size() <= kMaxTokenBytes) return absl::OkStatus();
  return Invalid(
      "the bearer token has white space, control or non-ASCII characters, or more than 4,096 "
      "bytes: "
      "remove line ends around it");
}

}  // namespace

absl::StatusOr<bool> IsLoopback(std::string_view relay) {
  if (relay.empty()) return BadRelay(relay, "is empty");
  if (relay.size() > kMaxTargetBytes) return Invalid("the relay address has over 1,024 bytes");
  if (!std::all_of(relay.begin(), relay.end(), [](char c) { return c > ' ' && c < 0x7f; })) {
    return Invalid("the relay address has white space, control or non-ASCII characters");
  }
  std::string_view rest = relay;
  if (ConsumePrefix(&rest, "unix:") || ConsumePrefix(&rest, "unix-abstract:")) {
    if (rest.empty()) return BadRelay(relay, "names no socket");
    return true;
  }
  if (ConsumePrefix(&rest, "ipv4:")) return LiteralsAreLoopback(relay, rest, &LoopbackV4);
  if (ConsumePrefix(&rest, "ipv6:")) return LiteralsAreLoopback(relay, rest, &LoopbackV6);
  if (ConsumePrefix(&rest, "dns:") && ConsumePrefix(&rest, "//")) {
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return BadRelay(relay, "has no host after dns://");
    const bool own_resolver = slash == 0;  // dns://SERVER/HOST asks that server, whoever it is
    const auto loopback = HostIsLoopback(relay, rest.substr(slash + 1));
    if (!loopback.ok()) return loopback.status();
    return *loopback && own_resolver;
  }
  return HostIsLoopback(relay, rest);
}

absl::StatusOr<Security> CheckTarget(const StreamTarget& target) {
  const auto loopback = IsLoopback(target.relay);
  if (!loopback.ok()) return loopback.status();
  if (absl::Status status = CheckTls(target.tls); !status.ok()) return status;
  if (absl::Status status = CheckToken(target.bearer_token); !status.ok()) return status;
  if (target.security == Security::kPlaintext && !target.tls.empty()) {
    return Invalid("plaintext was asked for together with TLS certificates: drop one of them");
  }
  const bool plaintext = target.security == Security::kPlaintext ||
                         (target.security == Security::kAuto && *loopback && target.tls.empty());
  if (plaintext && !*loopback && !target.bearer_token.empty()) {
    return Invalid("a bearer token in plaintext would be read on the way: use TLS");
  }
  return plaintext ? Security::kPlaintext : Security::kTls;
}

}  // namespace wormhole
