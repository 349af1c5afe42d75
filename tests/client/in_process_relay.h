// A relay with an in-memory store in this process, and clients of it, without gRPC.
#ifndef WORMHOLE_TESTS_CLIENT_IN_PROCESS_RELAY_H_
#define WORMHOLE_TESTS_CLIENT_IN_PROCESS_RELAY_H_

#include <memory>
#include <string>
#include <thread>

#include "relay/store/memory/memory_store.h"
#include "relay/switchboard/switchboard.h"
#include "tests/client/switchboard_transport.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {

class InProcessRelay {
 public:
  explicit InProcessRelay(relay::SwitchboardOptions options = {});
  // Cuts what is left. Exchanges in the background may keep the transport, and find it unreachable.
  ~InProcessRelay();

  SwitchboardTransport& transport() { return *transport_; }
  relay::Switchboard& switchboard() { return *switchboard_; }

  // A client of this relay.
  std::shared_ptr<Client> MakeClient(int threads = 2);
  // Options for exchanges over `client`.
  static Options OptionsFor(std::shared_ptr<Client> client);

 private:
  void TickUntil(std::stop_token stop);

  relay::MemoryStore store_;
  std::unique_ptr<relay::Switchboard> switchboard_;
  std::shared_ptr<SwitchboardTransport> transport_;
  std::jthread ticker_;  // last: it uses the switchboard
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_CLIENT_IN_PROCESS_RELAY_H_
