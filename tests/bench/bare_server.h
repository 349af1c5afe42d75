// What the floor has in common with the relay: the settings of gRPC's server.
#ifndef WORMHOLE_TESTS_BENCH_BARE_SERVER_H_
#define WORMHOLE_TESTS_BENCH_BARE_SERVER_H_

#include "grpcpp/grpcpp.h"

namespace wormhole::bench {

// Serves `service`, and grpc.health.v1.Health/Check as a unary call that does nothing, on a
// loopback port that the system picks; prints `listening on ADDRESS:PORT` and never returns, unless
// it cannot listen. `service` outlives the process's end.
int Serve(grpc::Service& service);

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_BARE_SERVER_H_
