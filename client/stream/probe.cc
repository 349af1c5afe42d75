#include "client/stream/probe.h"

#include <string>
#include <string_view>

#include "client/stream/probe_socket.h"
#include "client/stream/relay_address.h"
#include "client/stream/tls_probe.h"

namespace wormhole {
namespace {

// The host that the certificate has to name, without port and brackets; `localhost` for a socket.
std::string HostOf(const TroubleScene& scene) {
  std::string host = scene.route.authority;
  if (host.empty()) {
    const auto address = ParseRelayAddress(scene.relay);
    if (!address.ok() || address->endpoints.empty()) return "localhost";
    return address->endpoints[0].host;
  }
  host = host.substr(0, host.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

bool Reach(ProbeSocket& socket, const SocketAddress& address, const Route& route) {
  return socket.Connect(address) && (!route.proxy.has_value() || socket.AskProxy(route));
}

std::optional<Trouble> ProbePlaintext(ProbeSocket& socket, const SocketAddress& address,
                                      const ProbeTarget& target) {
  socket.Send(Http2Greeting());
  const std::string answer = socket.Receive();
  if (IsHttp2(answer)) return std::nullopt;
  // A server that speaks TLS hangs up, sends an alert, or says in HTTP that it wants TLS.
  ProbeSocket again(target.deadline);
  if (Reach(again, address, target.scene.route) && AnswersTls(again)) {
    return Trouble{.kind = TroubleKind::kSpeaksTls};
  }
  if (answer.empty()) return Trouble{.kind = TroubleKind::kHungUp};
  return Trouble{.kind = TroubleKind::kNoRelay};
}

// A server that hangs up where our certificate is due may do so for any reason. When it does so
// twice, the certificate is the reason.
std::optional<Trouble> FindTlsTrouble(ProbeSocket& socket, const SocketAddress& address,
                                      const ProbeTarget& target) {
  const std::string host = HostOf(target.scene);
  TlsFinding finding = ProbeTls(socket, target.tls, host);
  if (finding.sure) return finding.trouble;
  ProbeSocket again(target.deadline);
  if (!Reach(again, address, target.scene.route)) return Trouble{.kind = TroubleKind::kHungUp};
  const TlsFinding second = ProbeTls(again, target.tls, host);
  const bool same = second.trouble.has_value() && second.trouble->kind == finding.trouble->kind;
  return second.sure || same ? second.trouble : Trouble{.kind = TroubleKind::kHungUp};
}

}  // namespace

std::optional<Trouble> Probe(const ProbeTarget& target) {
  std::optional<Trouble> worst;
  bool others = false;
  for (const SocketAddress& address :
       AddressesOf(target.scene.route, target.scene.relay, target.deadline, *target.threads)) {
    ProbeSocket socket(target.deadline);
    if (!Reach(socket, address, target.scene.route)) {
      // Names of this machine have an address of either family, and a relay listens on one.
      others |= !target.scene.loopback && !socket.no_route();
      continue;
    }
    const std::optional<Trouble> trouble = target.security == Security::kTls
                                               ? FindTlsTrouble(socket, address, target)
                                               : ProbePlaintext(socket, address, target);
    if (socket.expired() || !trouble.has_value()) return std::nullopt;
    if (!IsPermanent(trouble->kind)) return trouble;
    if (!worst.has_value()) worst = trouble;
  }
  if (worst.has_value()) worst->others = others;
  return worst;
}

}  // namespace wormhole
