// Exchanges with the fixed inputs of a file in proto/vectors, for tests with known answers.
#ifndef WORMHOLE_CLIENT_CORE_TESTING_KNOWN_INPUTS_H_
#define WORMHOLE_CLIENT_CORE_TESTING_KNOWN_INPUTS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "client/core/exchange.h"
#include "client/core/random_source.h"
#include "client/pake/role.h"

namespace wormhole::core {

nlohmann::json LoadVectors(const std::string& name);
std::string FromHex(const nlohmann::json& hex);
std::string ToHex(const std::string& bytes);

// An exchange of one side of `inputs`, and the randomness that it draws its token, scalar, sid and
// words from. Jitter is always the least.
class KnownSide {
 public:
  // `change` is applied to the config before the exchange is made.
  KnownSide(const nlohmann::json& inputs, pake::Role role,
            const std::function<void(ExchangeConfig&)>& change = nullptr);

  Exchange& exchange() { return *exchange_; }

 private:
  class Script;
  std::shared_ptr<RandomSource> random_;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_TESTING_KNOWN_INPUTS_H_
