// Who waits for a channel id: receivers that have come before the initiator has allocated it.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_WAITERS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_WAITERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/channel/record.h"

namespace wormhole::relay {

class StreamAttachment;

struct Waiter {
  std::shared_ptr<StreamAttachment> stream;
  std::string side;
  uint64_t cursor = 0;
  // It has asked to close while it was the chosen one.
  std::optional<Mood> close;
};

// In the order in which they came. Pure, not thread-safe. The caller ends the streams that a method
// returns.
class Waiters {
 public:
  using Stream = std::shared_ptr<StreamAttachment>;

  // Only one can join, and each costs the allocation a comparison; two or three are honest.
  static constexpr size_t kMost = 16;

  bool empty() const { return waiters_.empty(); }
  size_t size() const { return waiters_.size(); }
  bool full() const { return waiters_.size() >= kMost; }

  void Add(Waiter waiter) { waiters_.push_back(std::move(waiter)); }
  // The waiter of this stream; null: none. Good until the next change.
  Waiter* Find(const Stream& stream);
  // Does nothing for a stream that does not wait.
  void Remove(const Stream& stream);
  // All that wait for this side.
  std::vector<Stream> RemoveSide(const std::string& side);
  // All of them; nobody is chosen any more.
  std::vector<Waiter> TakeAll();

  // The first one is to become the receiver of the record that is being stored. Returns its side;
  // empty: nobody waits.
  const std::string& Choose();
  // The side that was chosen; empty: none. It stays chosen when its stream is removed: the record
  // that is being stored names it.
  const std::string& chosen() const { return chosen_; }
  // Nobody is chosen any more. Returns whom to end: who has asked to close meanwhile.
  std::vector<Stream> ForgetChosen();

 private:
  std::vector<Waiter> waiters_;
  std::string chosen_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_WAITERS_H_
