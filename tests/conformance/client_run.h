// One run of a client under test, from its command line.
#ifndef WORMHOLE_TESTS_CONFORMANCE_CLIENT_RUN_H_
#define WORMHOLE_TESTS_CONFORMANCE_CLIENT_RUN_H_

#include <chrono>
#include <map>
#include <string>

#include "tests/conformance/outcome.h"
#include "tests/support/child_process.h"

namespace wormhole::conformance {

// How clients are started, and how they say what became of them.
struct ClientCommands {
  std::string initiate, receive;
  std::string receive_waiting;  // a receiver that comes first; empty: not known
  std::string saving;           // options with which a client saves in {state}; empty: it cannot
  std::string resume;           // goes on from {state}
  std::string tls;       // options for TLS with the authority in {tls_ca}; empty: it has none
  std::string check_in;  // options for check-in mode each second; empty: it has none
  ExitCodes exit_codes;
  // Before the code, on a line of an initiator's standard error.
  std::string code_prefix = "Invitation code: ";

  bool takes_timeout() const {
    return initiate.find("{timeout}") != std::string::npos &&
           receive.find("{timeout}") != std::string::npos;
  }
};

struct ClientEnd {
  bool ended = false;  // by itself, within the patience
  int exit_code = -1;
  Outcome outcome = Outcome::kLocal;
  double seconds = 0;
  std::string out, err;
};

class ClientRun {
 public:
  // `command` with {name} replaced by the values, as one command of sh. `data` is its standard
  // input.
  ClientRun(const ClientCommands& commands, std::string command,
            const std::map<std::string, std::string>& values, const std::string& data);

  // What follows the prefix; empty when it ends without.
  std::string WaitForCode();
  ClientEnd Wait();
  // At once, and waits until it is gone.
  void Kill();

 private:
  const ClientCommands& commands_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  testing::ChildProcess process_;
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_CLIENT_RUN_H_
