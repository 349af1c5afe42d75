// A client that has been told an authority says nothing to whom it cannot tell to be its relay.
#include <string>

#include "tests/conformance/bad_relay_case.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

std::string NothingWasSaid(const Transcript& transcript, const ClientEnd&) {
  return transcript.streams() == 0 ? "" : "it opens a stream, and so shows its token";
}

void Refuses(Cases& cases, Role client, const char* name, const char* shows, RelayTls tls) {
  cases.push_back({.name = std::string("tls-") + name,
                   .client = client,
                   .section = "2 Transport",
                   .shows = shows,
                   .script = {},
                   .outcomes = kTimeout,
                   .check = NothingWasSaid,
                   .timeout_seconds = 3,
                   .tls = tls});
}

}  // namespace

void AddTlsCases(Cases& cases) {
  for (const Role role : kBoth) {
    cases.push_back({.name = "tls",
                     .client = role,
                     .section = "2 Transport",
                     .shows = "an exchange over TLS, ALPN `h2`",
                     .script = {},
                     .tls = RelayTls::kGood});
    Refuses(cases, role, "of-an-unknown-authority", "a certificate of another authority",
            RelayTls::kUnknown);
    Refuses(cases, role, "self-signed", "a certificate that only it itself vouches for",
            RelayTls::kSelfSigned);
    Refuses(cases, role, "for-another-host", "a good certificate, for another name and address",
            RelayTls::kOtherName);
    Refuses(cases, role, "expired", "a certificate that was good an hour ago", RelayTls::kExpired);
    Refuses(cases, role, "not-spoken", "a relay in plaintext, asked for TLS: no falling back",
            RelayTls::kPlaintext);
  }
}

}  // namespace wormhole::conformance
