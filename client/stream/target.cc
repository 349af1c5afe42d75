#include "client/stream/target.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "client/core/failure.h"
#include "client/stream/relay_address.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// gRPC refuses metadata of more than 8 KiB; real tokens have less than half of that.
constexpr size_t kMaxTokenBytes = 4096;

absl::Status Invalid(std::string_view message) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument, message);
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
  const absl::StatusOr<RelayAddress> address = ParseRelayAddress(relay);
  if (!address.ok()) return address.status();
  return address->loopback();
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
