// Finds out why TLS fails with the other end of a connection.
#ifndef WORMHOLE_CLIENT_STREAM_TLS_PROBE_H_
#define WORMHOLE_CLIENT_STREAM_TLS_PROBE_H_

#include <optional>
#include <string>

#include "client/stream/probe_socket.h"
#include "client/stream/trouble.h"
#include "wormhole/security.h"

namespace wormhole {

struct TlsFinding {
  std::optional<Trouble> trouble;  // nothing: all is well
  bool sure = true;                // false: a guess from the moment when the other end hung up
};

// Checks the certificate as gRPC would: it has to name `host`.
TlsFinding ProbeTls(ProbeSocket& socket, const Tls& tls, const std::string& host);

// Whether the other end answers a TLS greeting, whatever its certificate.
bool AnswersTls(ProbeSocket& socket);

// The first bytes of a client of HTTP/2: its preface, and settings that set nothing.
std::string_view Http2Greeting();
// Whether `bytes`, the first of an answer, are those of HTTP/2: settings.
bool IsHttp2(std::string_view bytes);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TLS_PROBE_H_
