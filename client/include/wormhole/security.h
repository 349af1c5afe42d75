// How the connection to the relay is protected.
#ifndef WORMHOLE_SECURITY_H_
#define WORMHOLE_SECURITY_H_

#include <string>

namespace wormhole {
inline namespace v0 {

// The exchange itself is end-to-end encrypted in any case; TLS hides the app-id, channel id and
// token from the network.
enum class Security {
  kAuto,       // plaintext to loopback targets, TLS to all others and wherever Tls says something:
               // the only choice that is safe without knowing the target
  kPlaintext,  // never TLS; refused together with anything in Tls
  kTls,        // TLS, also to loopback targets
};

// Whom TLS trusts, and as whom the client shows itself. A plain value; Create copies it, and
// refuses with INVALID_ARGUMENT what is not PEM, and a chain or a key without the other. The
// private key is a secret; none of this is in a saved state.
struct Tls {
  std::string root_certificates;  // PEM; empty: the system's roots
  std::string certificate_chain;  // PEM of the client, for relays that ask for one; or empty
  std::string private_key;        // PEM, with certificate_chain

  // Whether nothing is set.
  bool empty() const {
    return root_certificates.empty() && certificate_chain.empty() && private_key.empty();
  }
};

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_SECURITY_H_
