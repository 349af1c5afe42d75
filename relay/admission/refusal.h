// Why somebody is told to come back later, and who hears of it.
#ifndef WORMHOLE_RELAY_ADMISSION_REFUSAL_H_
#define WORMHOLE_RELAY_ADMISSION_REFUSAL_H_

#include <array>
#include <string>
#include <string_view>

#include "proto/net/address.h"

namespace wormhole::relay {

// Each has a flag that sets its limit.
enum class Refusal {
  // For what one address does, or its network:
  kConnectionRate,     // it connects too often
  kStreamRate,         // it opens streams too often
  kStreamsOfAddress,   // it holds too many streams
  kAllocationRate,     // it allocates too often
  kClaimRate,          // it claims too often
  kFailedClaimRate,    // too many of its claims found no channel: it may be guessing
  kChannelsOfAddress,  // too many channels that it has allocated are active
  // For what all do:
  kStreamsInAll,
  kChannelsOfApp,
  kChannelsInAll,
  kStoredBytes,  // frames that nobody has accepted yet
  kMemory,       // the relay's own is nearly used up
};

inline constexpr std::array kRefusals = {
    Refusal::kConnectionRate,    Refusal::kStreamRate,   Refusal::kStreamsOfAddress,
    Refusal::kAllocationRate,    Refusal::kClaimRate,    Refusal::kFailedClaimRate,
    Refusal::kChannelsOfAddress, Refusal::kStreamsInAll, Refusal::kChannelsOfApp,
    Refusal::kChannelsInAll,     Refusal::kStoredBytes,  Refusal::kMemory,
};

// As metrics and logs have it: `connection_rate`.
std::string_view RefusalName(Refusal refusal);
// The flag that sets the limit: `--max-connections-per-minute`.
std::string_view RefusalFlag(Refusal refusal);

class AdmissionObserver {
 public:
  virtual ~AdmissionObserver() = default;

  // Once for each refusal. `client` is unspecified (0.0.0.0) for those who have no address, and
  // `app_id` empty before an app-id is known. Any thread, perhaps under a lock: it may not block.
  virtual void OnRefused(Refusal refusal, const net::Address& client,
                         const std::string& app_id) = 0;

  // A channel that `client` has allocated here is active, or is no more. As with OnRefused.
  virtual void OnChannelBegan(const net::Address& /*client*/) {}
  virtual void OnChannelEnded(const net::Address& /*client*/) {}
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ADMISSION_REFUSAL_H_
