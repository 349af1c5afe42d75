// One address at which gRPC serves. PortOptions alone decides which services answer there: gRPC's
// own (reflection, channelz) would otherwise come with their library, on every server of the
// process.
#ifndef WORMHOLE_RELAY_SERVER_GRPC_PORT_H_
#define WORMHOLE_RELAY_SERVER_GRPC_PORT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "relay/monitor/monitor.h"
#include "relay/server/socket_file.h"

namespace wormhole::relay {

struct GrpcPortOptions {
  std::string flag;    // sets the address; errors name it
  std::string listen;  // ADDRESS:PORT or unix:PATH
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::vector<grpc::Service*> services;  // outlive the port
  bool reflection = false;               // of these services
  bool channelz = false;                 // of the whole process, with the addresses of clients
  int max_request_bytes = 64 << 10;
  // The age at which streams are told to end, give or take a tenth; their connections are renewed
  // at the same age.
  absl::Duration max_stream_age = absl::InfiniteDuration();
  Monitor* monitor = nullptr;  // counts the calls; outlives the port
};

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

  // Stops listening, tells connections so (GOAWAY), cuts the calls that are left at the deadline,
  // and returns when none is left: long after the last call, if a client does not read the GOAWAY
  // (see CutCalls). Any thread, once.
  void Close(std::chrono::steady_clock::time_point deadline);

  // During Close: cuts the calls that are left now.
  void CutCalls();

 private:
  static absl::StatusOr<std::unique_ptr<GrpcPort>> OpenSocket(const GrpcPortOptions& options,
                                                              const std::string& path);

  GrpcPort(std::string address, uint16_t port, std::unique_ptr<grpc::Server> server);

  const std::string address_;
  const uint16_t port_;
  std::unique_ptr<SocketPlace> place_;  // of a path
  const std::unique_ptr<grpc::Server> server_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_GRPC_PORT_H_
