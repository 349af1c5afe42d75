// From Options to a running exchange.
#ifndef WORMHOLE_CLIENT_PARTY_FACTORY_H_
#define WORMHOLE_CLIENT_PARTY_FACTORY_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/engine/party_driver.h"
#include "client/pake/role.h"
#include "client/pake/secret_view.h"
#include "client/wormhole.h"

namespace wormhole {

// All checks are made before anything is sent. A friend of Client.
class PartyFactory {
 public:
  // `code` is the receiver's; the initiator's is in the options.
  static absl::StatusOr<std::shared_ptr<PartyDriver>> Create(Options options, pake::Role role,
                                                             std::string_view code,
                                                             std::string data);
  static absl::StatusOr<std::shared_ptr<PartyDriver>> Restore(std::string_view state,
                                                              Options options, pake::Role role);
  static absl::StatusOr<std::shared_ptr<PartyDriver>> RestoreSealed(std::string_view sealed,
                                                                    pake::SecretView key,
                                                                    Options options,
                                                                    pake::Role role);

 private:
  struct Shared;  // a Client and its engine

  static absl::StatusOr<Shared> SharedOf(const Options& options);
  static absl::StatusOr<std::shared_ptr<PartyDriver>> Start(
      Options options, Shared shared, StreamTarget target,
      std::unique_ptr<core::Exchange> exchange);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_PARTY_FACTORY_H_
