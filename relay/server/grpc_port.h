// One address at which gRPC serves.
#ifndef WORMHOLE_RELAY_SERVER_GRPC_PORT_H_
#define WORMHOLE_RELAY_SERVER_GRPC_PORT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "relay/accept/accept_loop.h"
#include "relay/accept/client_names.h"
#include "relay/grpc/begun_calls.h"
#include "relay/grpc/call_gate.h"
#include "relay/monitor/monitor.h"
#include "relay/server/socket_file.h"
#include "relay/server/unknown_methods.h"

namespace wormhole::relay {

struct GrpcPortOptions {
  std::string flag;    // sets the address; errors name it
  std::string listen;  // ADDRESS:PORT or unix:PATH
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::vector<grpc::Service*> services;  // outlive the port
  bool in_channelz = false;  // lets channelz show this port; each connection pays for it
  int max_request_bytes = 64 << 10;
  int max_header_bytes = 16 << 10;
  // The age at which streams are told to end, give or take a tenth; their connections are renewed
  // at the same age.
  absl::Duration max_stream_age = absl::InfiniteDuration();
  // For ports whose streams nobody tells: connections are told to end at this age, give or take a
  // tenth, and ten seconds later, or as much again if that is less, their calls are cut. Instead of
  // max_stream_age.
  absl::Duration max_connection_age = absl::InfiniteDuration();
  absl::Duration handshake_timeout = absl::Seconds(10);
  // A connection without a stream for so long is told to end.
  absl::Duration idle_timeout = absl::Minutes(5);
  int max_streams_per_connection = 100;
  // What the kernel takes of a connection before it is read, in bytes. 0: as much as it likes.
  int receive_buffer = 0;
  Monitor* monitor = nullptr;  // counts the calls; outlives the port
  // How many calls the services have in hand, which they limit themselves (see BegunCalls); and how
  // many a client that comes back may begin before any of them is in hand.
  std::function<size_t()> calls_in_hand;
  size_t burst = 0;
  // Who may call methods that nobody has; `services` judge their own. Outlives the port. Null:
  // whoever calls is told that there are none.
  CallGate* gate = nullptr;
  bool unknown_is_abandoned = false;  // see UnknownMethods
  // Who may connect. At a path the caps on an address and proxies do not count: everybody there is
  // of this machine, and often the one edge.
  AcceptRules accept;
  AcceptObserver* arrivals = nullptr;  // is told what becomes of connections; outlives the port
  ClientNames* names = nullptr;        // is told for whom proxies connect; outlives the port
};

// Whoever sends calls faster than the relay can refuse them is cut off (see BegunCalls).
class GrpcPort {
 public:
  // Serves from the moment that this returns. UNAVAILABLE, with one line for people that names the
  // flag, when the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcPort>> Open(const GrpcPortOptions& options);

  // Cuts the calls that are left.
  ~GrpcPort();

  GrpcPort(const GrpcPort&) = delete;
  GrpcPort& operator=(const GrpcPort&) = delete;

  // ADDRESS:PORT with the port that the kernel bound, or unix:PATH.
  const std::string& address() const { return address_; }
  // 0 for a path.
  uint16_t port() const { return port_; }

  // Of a path: how the kernel names the listener and its connections, which keep the path that was
  // bound when it is moved to its place. Empty for a port.
  std::string socket_name() const { return place_ == nullptr ? "" : place_->bind_path(); }

  // Stops listening, tells connections so (GOAWAY), cuts the calls that are left at the deadline,
  // and returns when none is left: long after the last call, if a client does not read the GOAWAY
  // (see CutCalls). Any thread, once.
  void Close(std::chrono::steady_clock::time_point deadline);

  // See AcceptLoop::Cut, CutAll and CutWhoHoldsUp.
  void CutConnectionsOf(const net::Address& client);
  void CutConnections();
  std::optional<net::Address> CutWhoHoldsUp();

  // During Close: cuts the calls that are left now.
  void CutCalls();

 private:
  static absl::StatusOr<std::unique_ptr<GrpcPort>> OpenSocket(const GrpcPortOptions& options,
                                                              const std::string& path);

  // Accepts by these rules from the listeners, which it closes.
  absl::Status Accept(const GrpcPortOptions& options, const AcceptRules& rules,
                      std::vector<int> listeners);

  // A server, which an acceptor gives its connections.
  struct Served {
    std::unique_ptr<UnknownMethods> unknown;  // with a gate; the server uses it
    std::unique_ptr<grpc::Server> server;     // null when gRPC could not start it
    BegunCalls* calls = nullptr;              // the server's
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  };

  static Served Serve(const GrpcPortOptions& options);

  GrpcPort(std::string address, uint16_t port, Served served);

  const std::string address_;
  const uint16_t port_;
  std::unique_ptr<SocketPlace> place_;  // of a path
  const Served served_;
  std::unique_ptr<AcceptLoop> loop_;  // what it accepts, the acceptor hands to the server
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_GRPC_PORT_H_
