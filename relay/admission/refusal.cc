#include "relay/admission/refusal.h"

namespace wormhole::relay {

std::string_view RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConnectionRate:
      return "connection_rate";
    case Refusal::kStreamRate:
      return "stream_rate";
    case Refusal::kStreamsOfAddress:
      return "streams_of_address";
    case Refusal::kAllocationRate:
      return "allocation_rate";
    case Refusal::kClaimRate:
      return "claim_rate";
    case Refusal::kFailedClaimRate:
      return "failed_claim_rate";
    case Refusal::kChannelsOfAddress:
      return "channels_of_address";
    case Refusal::kStreamsInAll:
      return "streams_in_all";
    case Refusal::kChannelsOfApp:
      return "channels_of_app";
    case Refusal::kChannelsInAll:
      return "channels_in_all";
    case Refusal::kStoredBytes:
      return "stored_bytes";
    case Refusal::kMemory:
      return "memory";
  }
  return "unknown";
}

std::string_view RefusalFlag(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConnectionRate:
      return "--max-connections-per-minute";
    case Refusal::kStreamRate:
      return "--max-stream-opens-per-minute";
    case Refusal::kStreamsOfAddress:
      return "--max-streams-per-address";
    case Refusal::kAllocationRate:
      return "--max-allocations-per-minute";
    case Refusal::kClaimRate:
      return "--max-claims-per-minute";
    case Refusal::kFailedClaimRate:
      return "--max-failed-claims-per-minute";
    case Refusal::kChannelsOfAddress:
      return "--max-channels-per-address";
    case Refusal::kStreamsInAll:
      return "--max-streams";
    case Refusal::kChannelsOfApp:
      return "--max-channels-per-app";
    case Refusal::kChannelsInAll:
      return "--max-channels";
    case Refusal::kStoredBytes:
      return "--max-stored-bytes";
    case Refusal::kMemory:
      return "--max-memory";
  }
  return "unknown";
}

}  // namespace wormhole::relay
