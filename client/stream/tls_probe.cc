#include "client/stream/tls_probe.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/stream/authorities.h"
#include "proto/tls/openssl_handles.h"

namespace wormhole {
namespace {

using tls::Bio;
using tls::Certificate;
using tls::ErrorsCleared;
using tls::Key;
using tls::Ssl;
using tls::SslContext;

constexpr unsigned char kAlpn[] = {2, 'h', '2'};
constexpr size_t kMaxNames = 5;
constexpr size_t kMaxNameBytes = 100;

struct Findings {
  // The errors of verification. The handshake goes on after each, since it only serves to find
  // them.
  std::set<int> faults;
  bool certificate_asked = false;  // for the client's
  // The other end has shown that its handshake is over, and that it accepts our certificate, or
  // that there is none.
  bool accepted = false;
};

int NoteFinding(int ok, X509_STORE_CTX* context) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* findings = static_cast<Findings*>(SSL_get_app_data(ssl));
  if (ok == 0) findings->faults.insert(X509_STORE_CTX_get_error(context));
  return 1;
}

// OpenSSL calls this in a client only when the other end asks for a certificate.
int NoteAsked(SSL* ssl, void*) {
  auto* findings = static_cast<Findings*>(SSL_get_app_data(ssl));
  findings->certificate_asked = true;
  // An end whose own certificate is not good must not learn who the client is.
  if (!findings->faults.empty()) SSL_certs_clear(ssl);
  return 1;
}

// A ticket to resume the session, which an end of TLS 1.3 sends first when its handshake is over.
int NoteTicket(SSL* ssl, SSL_SESSION*) {
  static_cast<Findings*>(SSL_get_app_data(ssl))->accepted = true;
  return 0;  // not kept
}

// Trusts as gRPC does: an authority need not be a root.
void Trust(const Tls& tls, SSL_CTX* context) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (tls.root_certificates.empty()) {
    for (const std::string& file : AuthorityPlaces::From(&std::getenv).files) {
      if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) == 1) return;
    }
    return;
  }
  const Bio bio(BIO_new_mem_buf(tls.root_certificates.data(),
                                static_cast<int>(tls.root_certificates.size())));
  while (const Certificate root{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(store, root.get());
  }
}

void SetOwnCertificate(const Tls& tls, SSL_CTX* context) {
  if (tls.certificate_chain.empty()) return;
  const Bio chain(BIO_new_mem_buf(tls.certificate_chain.data(),
                                  static_cast<int>(tls.certificate_chain.size())));
  const Certificate own(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (own != nullptr) SSL_CTX_use_certificate(context, own.get());
  while (const Certificate more{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    SSL_CTX_add1_chain_cert(context, more.get());
  }
  const Bio bio(BIO_new_mem_buf(tls.private_key.data(), static_cast<int>(tls.private_key.size())));
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key != nullptr) SSL_CTX_use_PrivateKey(context, key.get());
}

void Expect(const std::string& host, SSL* ssl) {
  in6_addr address;
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (inet_pton(AF_INET, host.c_str(), &address) == 1 ||
      inet_pton(AF_INET6, host.c_str(), &address) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
    return;
  }
  X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

// Runs `step` until it is done; its last result.
template <typename Step>
int Drive(ProbeSocket& socket, SSL* ssl, Step step) {
  while (true) {
    ERR_clear_error();
    const int result = step();
    const int error = SSL_get_error(ssl, result);
    const bool again = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (!again || !socket.Wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return result;
  }
}

// The alert that the other end has sent, or -1.
int AlertReceived() {
  const uint64_t error = ERR_peek_last_error();
  const int reason = ERR_GET_REASON(error);
  const bool alert = ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET;
  return alert ? reason - SSL_AD_REASON_OFFSET : -1;
}

// What the other end's alert, or its hanging up, says about our certificate, or about there being
// none: nothing, unless it has asked for one. gRPC's servers refuse a certificate by hanging up
// without an alert; but a server that is busy or ends hangs up as well.
TlsFinding AboutOurs(const Findings& findings, const Tls& tls) {
  const TlsFinding hung_up{Trouble{.kind = TroubleKind::kHungUp}};
  if (!findings.certificate_asked) return hung_up;
  const bool none = tls.certificate_chain.empty();
  const Trouble refused{.kind = none ? TroubleKind::kWantsCertificate
                                     : TroubleKind::kRefusesCertificate};
  switch (AlertReceived()) {
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return {Trouble{.kind = TroubleKind::kWantsCertificate}};
    case SSL3_AD_CERTIFICATE_EXPIRED:
      return {Trouble{TroubleKind::kRefusesCertificate, ": it says that it has expired"}};
    case TLS1_AD_UNKNOWN_CA:
      return {Trouble{TroubleKind::kRefusesCertificate, ": it does not know who signed it"}};
    case SSL3_AD_BAD_CERTIFICATE:
    case SSL3_AD_UNSUPPORTED_CERTIFICATE:
    case SSL3_AD_CERTIFICATE_REVOKED:
    case SSL3_AD_CERTIFICATE_UNKNOWN:
    case SSL3_AD_HANDSHAKE_FAILURE:
    case TLS1_AD_ACCESS_DENIED:
      return {refused};
    case -1:
      return findings.accepted ? hung_up : TlsFinding{refused, /*sure=*/false};
    default:
      return hung_up;
  }
}

std::string DateOf(const ASN1_TIME* time) {
  tm parts = {};
  char text[32];
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "";
  const size_t size = strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts);
  return std::string(text, size);
}

// Whether `name` can be a host's name in a certificate. A certificate may hold anything else, too.
bool IsPlain(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*") ==
             std::string_view::npos;
}

std::string NameOf(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    return std::string(data, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  // The certificate decides how many bytes there are: not always as many as an address has.
  constexpr int kV4Bytes = 4;
  if (name->type != GEN_IPADD || ASN1_STRING_length(name->d.iPAddress) != kV4Bytes) return "";
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, ASN1_STRING_get0_data(name->d.iPAddress), text, sizeof(text));
  return text;
}

// " (a.example.com, b.example.com)"
std::string NamesIn(X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string text;
  size_t count = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names) && count < kMaxNames; ++i) {
    const std::string name = NameOf(sk_GENERAL_NAME_value(names, i));
    if (!IsPlain(name)) continue;
    absl::StrAppend(&text, count++ == 0 ? " (" : ", ", name);
  }
  GENERAL_NAMES_free(names);
  return text.empty() ? text : text + ")";
}

std::optional<Trouble> AboutTheirs(const std::set<int>& faults, X509* certificate) {
  const auto found = [&faults](int error) { return faults.contains(error); };
  if (faults.empty() || certificate == nullptr) return std::nullopt;
  if (found(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)) return Trouble{TroubleKind::kSelfSigned, ""};
  if (found(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) ||
      found(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY) ||
      found(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT) ||
      found(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)) {
    return Trouble{TroubleKind::kUnknownAuthority, ""};
  }
  if (found(X509_V_ERR_CERT_HAS_EXPIRED)) {
    const std::string date = DateOf(X509_get0_notAfter(certificate));
    return Trouble{TroubleKind::kExpired, date.empty() ? "" : absl::StrCat(" (", date, ")")};
  }
  if (found(X509_V_ERR_HOSTNAME_MISMATCH) || found(X509_V_ERR_IP_ADDRESS_MISMATCH)) {
    return Trouble{TroubleKind::kOtherName, NamesIn(certificate)};
  }
  if (found(X509_V_ERR_CERT_NOT_YET_VALID)) {
    const std::string date = DateOf(X509_get0_notBefore(certificate));
    return Trouble{TroubleKind::kNotYetValid, date.empty() ? "" : absl::StrCat(" (", date, ")")};
  }
  return Trouble{TroubleKind::kBadCertificate,
                 absl::StrCat(" (", X509_verify_cert_error_string(*faults.begin()), ")")};
}

TlsFinding AfterHandshake(ProbeSocket& socket, SSL* ssl, const Findings& findings, const Tls& tls) {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  if (size == 0) return {Trouble{.kind = TroubleKind::kNoRelay}};
  // With TLS 1.3 the relay checks our certificate after the handshake is over for us.
  const std::string_view greeting = Http2Greeting();
  Drive(socket, ssl,
        [&] { return SSL_write(ssl, greeting.data(), static_cast<int>(greeting.size())); });
  char buffer[64];
  const int read = Drive(socket, ssl, [&] { return SSL_read(ssl, buffer, sizeof(buffer)); });
  if (read <= 0) return AboutOurs(findings, tls);
  if (IsHttp2({buffer, static_cast<size_t>(read)})) return {};
  return {Trouble{.kind = TroubleKind::kNoRelay}};
}

TlsFinding AfterNoHandshake(const Findings& findings, const Tls& tls) {
  const uint64_t error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    switch (ERR_GET_REASON(error)) {
      case SSL_R_WRONG_VERSION_NUMBER:  // also of what is no record of TLS
      case SSL_R_HTTP_REQUEST:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
        return {Trouble{.kind = TroubleKind::kSpeaksPlaintext}};
      default:
        break;
    }
  }
  return AboutOurs(findings, tls);
}

}  // namespace

TlsFinding ProbeTls(ProbeSocket& socket, const Tls& tls, const std::string& host) {
  const ErrorsCleared cleared;
  Findings findings;
  const SslContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return {};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof(kAlpn));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, &NoteFinding);
  SSL_CTX_set_cert_cb(context.get(), &NoteAsked, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(context.get(), &NoteTicket);
  Trust(tls, context.get());
  SetOwnCertificate(tls, context.get());
  const Ssl ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket.fd()) != 1) return {};
  SSL_set_app_data(ssl.get(), &findings);
  Expect(host, ssl.get());
  const int connected = Drive(socket, ssl.get(), [&] { return SSL_connect(ssl.get()); });
  // With TLS 1.2 the other end sends the last message of the handshake.
  if (connected == 1 && SSL_version(ssl.get()) <= TLS1_2_VERSION) findings.accepted = true;
  const TlsFinding ended = connected == 1 ? TlsFinding{} : AfterNoHandshake(findings, tls);
  const Certificate theirs(SSL_get1_peer_certificate(ssl.get()));
  if (auto trouble = AboutTheirs(findings.faults, theirs.get())) return {std::move(trouble)};
  return connected == 1 ? AfterHandshake(socket, ssl.get(), findings, tls) : ended;
}

bool AnswersTls(ProbeSocket& socket) {
  const ErrorsCleared cleared;
  const SslContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return false;
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof(kAlpn));
  const Ssl ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket.fd()) != 1) return false;
  const int connected = Drive(socket, ssl.get(), [&] { return SSL_connect(ssl.get()); });
  return connected == 1 || AlertReceived() >= 0;
}

// A probe takes seconds, and the process may end before: OpenSSL would then free its state while
// the probe uses it. Only the first initialization of OpenSSL can prevent that, so this runs before
// main.
[[gnu::constructor]] static void KeepOpensslToTheEnd() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
}

std::string_view Http2Greeting() {
  static constexpr char kGreeting[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  return std::string_view(kGreeting, sizeof(kGreeting) - 1);
}

// A frame's head: three bytes of length, the type, which is 4 for settings, flags and the stream,
// which is 0.
bool IsHttp2(std::string_view bytes) {
  return bytes.size() >= 9 && bytes[3] == 4 &&
         bytes.substr(5, 4) == std::string_view("\0\0\0\0", 4);
}

}  // namespace wormhole
