// TCP sockets on loopback.
#ifndef WORMHOLE_TESTS_FAULTS_LOOPBACK_H_
#define WORMHOLE_TESTS_FAULTS_LOOPBACK_H_

#include <string>

namespace wormhole::faults {

// A socket that listens on 127.0.0.1 and a port that the kernel picks; closed on exec. Ends the
// process when there is none to be had.
int ListenOnLoopback();

// ADDRESS:PORT of a bound socket.
std::string AddressOf(int socket);

// A connection to ADDRESS:PORT (IPv4), or -1.
int ConnectTo(const std::string& address);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_LOOPBACK_H_
