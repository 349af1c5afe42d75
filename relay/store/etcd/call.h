// The calls that callers have made on one channel, and that wait for etcd.
#ifndef WORMHOLE_RELAY_STORE_ETCD_CALL_H_
#define WORMHOLE_RELAY_STORE_ETCD_CALL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/store.h"

namespace wormhole::relay {

struct LoadCall {
  Store::Done<ChannelState> done;
};
struct ReadCall {
  ChannelRef channel;
  Role author;
  uint64_t after;
  size_t max_bytes;
  Store::Done<std::vector<StoredFrame>> done;
};
struct PutCall {
  uint64_t expected;
  ChannelRecord record;
  PutOptions options;
  Store::Done<PutOutcome> done;
  // Sides of this record that the store has under this very id already, with their revisions.
  std::map<std::string, int64_t> own_sides = {};
};
struct EraseCall {
  uint64_t expected;
  Store::Done<PutOutcome> done;
};
struct AppendCall {
  ChannelRef channel;
  uint64_t version;
  Role author;
  uint64_t number;
  std::string frame;
  Store::Done<AppendResult> done;
};
struct AcceptCall {
  ChannelRef channel;
  Role author;
  uint64_t cursor;
  Store::Done<LogState> done;
};
// Goes in transactions of its own (presence.h).
struct PresenceCall {
  std::string initiator;  // ChannelRef::initiator
  Role role;
  bool attached;
  // The key has gone with its lease: it is written again, unless another relay's is there.
  bool renewal = false;
  // The revision of the presence that was known when the stream attached: one that is later, and
  // another relay's, is that of a newer stream.
  std::optional<int64_t> known = std::nullopt;
  uint64_t number = 0;  // of the pending write
};

struct EtcdCall {
  std::variant<LoadCall, ReadCall, PutCall, EraseCall, AppendCall, AcceptCall, PresenceCall> what;
  absl::Duration since = absl::ZeroDuration();  // when it was made
  int attempts = 0;                             // how often the store knew better
};

// In the order in which they were made.
using EtcdCalls = std::deque<EtcdCall>;

// Answers to be given once no lock is held.
using EtcdAnswers = std::vector<std::function<void()>>;

// The answer of a call that could not be carried out.
void FailCall(EtcdCall& call, const absl::Status& status, EtcdAnswers& answers);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_CALL_H_
