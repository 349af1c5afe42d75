// From Options to a running exchange.
#ifndef WORMHOLE_CLIENT_ENGINE_PARTY_FACTORY_H_
#define WORMHOLE_CLIENT_ENGINE_PARTY_FACTORY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/engine/engine.h"
#include "client/engine/party_driver.h"
#include "client/pake/role.h"
#include "client/pake/secret_view.h"
#include "wormhole/options.h"

namespace wormhole {

struct PartyEngine {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<Engine::CreationGuard> creation;  // until the exchange is made
  std::shared_ptr<const void> keep_alive;           // lives as long as the exchange; may be empty
};

// Finds or makes the engine of an exchange. A parameter of all below, since Options name a Client,
// and only wormhole.cc knows what is in one. Making an engine starts threads, so CreateParty checks
// the timeout and the target first.
using FindEngine = absl::StatusOr<PartyEngine> (*)(const Options& options);

// These make all checks before anything is sent; whether this is a forked child comes first.
//
// `code` is the receiver's; the initiator's is in the options.
absl::StatusOr<std::shared_ptr<PartyDriver>> CreateParty(FindEngine find_engine, Options options,
                                                         pake::Role role, std::string_view code,
                                                         std::string data);
absl::StatusOr<std::shared_ptr<PartyDriver>> RestoreParty(FindEngine find_engine,
                                                          std::string_view state, Options options,
                                                          pake::Role role);
absl::StatusOr<std::shared_ptr<PartyDriver>> RestoreSealedParty(FindEngine find_engine,
                                                                std::string_view sealed,
                                                                pake::SecretView key,
                                                                Options options, pake::Role role);

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_PARTY_FACTORY_H_
