// Random operations on a small world of channels, carried out on a store and on a model of it.
#ifndef WORMHOLE_TESTS_STORE_RANDOM_OPERATION_H_
#define WORMHOLE_TESTS_STORE_RANDOM_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "absl/status/statusor.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/store.h"

namespace wormhole::relay {

struct RandomOperation {
  enum class Kind { kPut, kErase, kAppend, kAccept, kLoad, kRead, kFindSide, kDue };

  Kind kind = Kind::kLoad;
  ChannelKey key;
  uint64_t version = 0;        // of kPut, kErase, kAppend
  ChannelRecord record;        // of kPut
  PerRole<uint64_t> accepted;  // along with it
  Role author = Role::kInitiator;
  uint64_t number = 0;                      // of kAppend, kAccept; what kRead reads after
  std::string bytes;                        // the frame, or the side
  size_t max_bytes = 1000;                  // of kRead
  absl::Time now = absl::InfiniteFuture();  // of kDue
};

// An operation that mostly succeeds on `model`, the state in which it will find the store.
RandomOperation DrawOperation(const MemoryChannels& model, std::mt19937_64& random);

// Carries it out and tells the result in words that can be compared.
std::string Carry(const RandomOperation& operation, MemoryChannels& model);
void Carry(const RandomOperation& operation, Store& store,
           std::function<void(absl::StatusOr<std::string>)> done);

// Everything there is, in words. The second waits for the store.
std::string Describe(const MemoryChannels& model);
std::string Describe(Store& store);

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_RANDOM_OPERATION_H_
