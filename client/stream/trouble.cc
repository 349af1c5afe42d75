#include "client/stream/trouble.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/core/failure.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

using Kind = TroubleKind;

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

struct Words {
  const char* grpc;
  Kind kind;
};

// How gRPC 1.51's own messages begin when there is no connection. A message that gRPC only passes
// on begins as its author likes.
constexpr const char* kBeginnings[] = {
    "DNS resolution failed for ",
    "connections to all backends failing; last error: ",
    "failed to connect to all addresses; last error: ",
};

// What follows: c-ares' words, the proxy's answer, and what the kernel says. The first that the
// message contains counts. When a later gRPC changes its words, a probe asks who answers, and the
// trouble is kHungUp if that finds nothing: less precise, never wrong. No row has a kind that is
// permanent and a relay's answer: gRPC's message is about the last address alone, and the probe
// asks all.
constexpr Words kWords[] = {
    {"Domain name not found", Kind::kNoSuchName},
    {"DNS server returned answer with no data", Kind::kNoSuchName},
    {"DNS resolution failed", Kind::kNameServersAway},
    {"HTTP proxy returned response code 407", Kind::kProxyWantsPassword},
    {"HTTP proxy returned response code 403", Kind::kProxyForbids},
    {"HTTP proxy returned response code", Kind::kProxyFailed},
    {"Connection refused", Kind::kRefused},
    {"Network is unreachable", Kind::kNoNetwork},
    {"No route to host", Kind::kNoNetwork},
    {"Network is down", Kind::kNoNetwork},
    {"Cannot assign requested address", Kind::kNoNetwork},
    {"No such file or directory", Kind::kNoSocket},
    {"Permission denied", Kind::kForbiddenSocket},
    {"Too many open files", Kind::kNoDescriptors},
    {"Cannot allocate memory", Kind::kNoMemory},
    {"Connection timed out", Kind::kSilent},
    {"FD Shutdown", Kind::kSilent},
    {"FD shutdown", Kind::kSilent},
    {"Handshake timed out", Kind::kSilent},
};

// What to do, and why; $R is the relay as it was typed, $H the host asked for, $P the proxy, $W
// what goes with the kind.
struct Row {
  Kind kind;
  bool permanent;
  const char* text;
};

constexpr Row kTable[] = {
    {Kind::kNoSuchName, false, "check the name of the relay, $R: there is no host of that name"},
    {Kind::kNameServersAway, false,
     "check this machine's network: its name servers do not say where $R is"},
    {Kind::kRefused, false, "check the address and the port: nobody listens at $R"},
    {Kind::kNoNetwork, false, "check this machine's network: no way leads from it to $R"},
    {Kind::kSilent, false,
     "check the address, the network and firewalls in between: $R does not answer"},
    {Kind::kNoSocket, false, "start a relay with --listen=$R: there is no such socket"},
    {Kind::kForbiddenSocket, false,
     "have the owner of $R let this user use it: the socket is not open to everybody"},
    {Kind::kNoDescriptors, false,
     "close files, or raise the limit (`ulimit -n`): this process can open no more, nor a "
     "connection to $R"},
    {Kind::kNoMemory, true,
     "raise the limit on memory of this process (`ulimit -v`, a container's): there was none left "
     "for a connection to $R"},
    {Kind::kProxyAway, false,
     "check the proxy that the environment names, $P: it cannot be reached, and $R is not to be "
     "without it"},
    {Kind::kProxyWantsPassword, true,
     "set the variable that names the proxy to http://USER:PASSWORD@$P: it lets nobody to $R "
     "without the right ones"},
    {Kind::kProxyForbids, true,
     "have the proxy's operator let you through, or list the relay in no_proxy: the proxy $P "
     "forbids the way to $R"},
    {Kind::kProxyFailed, false,
     "check the relay's address, $R, and the proxy: the proxy $P does not get there$W"},
    {Kind::kSelfSigned, true,
     "give the certificate of the relay with --tls-ca (Tls::root_certificates) if you trust it: "
     "that of $R is self-signed, and unknown here"},
    {Kind::kUnknownAuthority, true,
     "give the authority of the relay with --tls-ca (Tls::root_certificates) if you trust it: the "
     "certificate of $R is signed by one that is unknown here"},
    {Kind::kExpired, true,
     "set this machine's clock if it is wrong, or have the relay's operator renew its "
     "certificate: that of $R has expired$W"},
    {Kind::kNotYetValid, false,
     "set this machine's clock if it is wrong, or wait: the certificate of $R is not valid yet$W"},
    {Kind::kOtherName, true,
     "write the relay by a name that its certificate has$W: that of $R is for another one"},
    {Kind::kBadCertificate, true,
     "have the relay's operator mend its certificate: that of $R cannot be trusted$W"},
    {Kind::kSpeaksPlaintext, true,
     "use --plaintext (Security::kPlaintext), without --tls-... options, if the network can be "
     "trusted: $R speaks no TLS"},
    {Kind::kSpeaksTls, true,
     "leave out --plaintext, and give the relay's authority with --tls-ca (Security::kTls): $R "
     "speaks TLS"},
    {Kind::kWantsCertificate, true,
     "give your certificate with --tls-cert and --tls-key (Tls::certificate_chain and "
     "private_key): $R lets nobody in without one"},
    {Kind::kRefusesCertificate, true,
     "give another certificate with --tls-cert and --tls-key (Tls::certificate_chain and "
     "private_key): $R does not take this one$W"},
    {Kind::kNoRelay, true, "check the address and the port: what answers at $R is no relay"},
    {Kind::kHungUp, false,
     "try again later, or look into the details (--verbose, DetailsOf): $R ended the connection "
     "before it said a word"},
};

const Row& RowOf(Kind kind) {
  for (const Row& row : kTable) {
    if (row.kind == kind) return row;
  }
  return kTable[std::size(kTable) - 1];
}

// When nobody listens on the user's own machine, the user has to start a relay.
std::string RefusedHere(const std::string& relay) {
  return absl::StrCat("start a relay there (`wormhole-relay --listen=", relay,
                      "`), or name another one with --rendezvous: nobody listens at ", relay);
}

bool IsGrpcs(std::string_view message) {
  return std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [&](const char* beginning) { return message.starts_with(beginning); });
}

// " (502)"; empty unless the code has three digits: the proxy chooses what it answers.
std::string ProxysCode(std::string_view message) {
  constexpr std::string_view kBefore = "response code ";
  const std::string_view code = message.substr(message.find(kBefore) + kBefore.size());
  const size_t digits = std::min(code.find_first_not_of("0123456789"), code.size());
  return digits == 3 ? absl::StrCat(" (", View(code.substr(0, 3)), ")") : "";
}

}  // namespace

bool IsPermanent(TroubleKind kind) { return RowOf(kind).permanent; }

std::optional<Trouble> ReadTrouble(std::string_view grpc_message, const TroubleScene& scene) {
  if (!IsGrpcs(grpc_message)) return std::nullopt;
  for (const Words& words : kWords) {
    // Without a proxy these words are not a proxy's: a relay may say them, too.
    const bool of_proxy = words.kind >= Kind::kProxyAway && words.kind <= Kind::kProxyFailed;
    if (of_proxy && !scene.route.proxy.has_value()) continue;
    if (!absl::StrContains(View(grpc_message), words.grpc)) continue;
    Trouble trouble{.kind = words.kind};
    // With a proxy in between, it is the proxy that gRPC connects to.
    const bool before_a_byte = words.kind < Kind::kNoDescriptors;
    if (scene.route.proxy.has_value() && before_a_byte) trouble.kind = Kind::kProxyAway;
    if (words.kind == Kind::kProxyFailed) trouble.what = ProxysCode(grpc_message);
    return trouble;
  }
  return std::nullopt;
}

absl::Status TroubleStatus(const Trouble& trouble, const TroubleScene& scene,
                           std::string_view details) {
  const Row& row = RowOf(trouble.kind);
  const std::string proxy = scene.route.proxy.has_value() ? scene.route.proxy->HostPort() : "";
  const std::string text =
      trouble.kind == Kind::kRefused && scene.loopback
          ? RefusedHere(scene.relay)
          : absl::StrReplaceAll(row.text,
                                {{"$R", scene.relay}, {"$P", proxy}, {"$W", trouble.what}});
  if (trouble.kind == Kind::kNoMemory) {
    return core::WithDetails(
        core::Failure(Reason::kInternal, absl::StatusCode::kResourceExhausted, text), details);
  }
  const bool hopeless = row.permanent && scene.only_route && !trouble.others;
  const auto code =
      hopeless ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable;
  return core::WithDetails(core::Failure(Reason::kUnreachable, code, text), details);
}

}  // namespace wormhole
