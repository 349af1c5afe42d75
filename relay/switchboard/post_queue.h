// The posts of one author that are not known to be stored yet, in the order in which they came.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_POST_QUEUE_H_
#define WORMHOLE_RELAY_SWITCHBOARD_POST_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wormhole::relay {

class StreamAttachment;

struct QueuedPost {
  uint64_t serial = 0;  // names this post in the store's answer
  uint64_t number = 0;
  std::string frame;  // kept for a store that wants it again
  std::shared_ptr<StreamAttachment> stream;
  // The number was taken before: the store compares, and the stream's next request waits for it.
  bool repeat = false;
  bool in_flight = false;  // handed to the store
  uint64_t version = 0;    // of the record, on the condition of which the store was to take it
};

// At most about a window of posts, so that a linear search is enough. Pure, not thread-safe.
class PostQueue {
 public:
  void Add(QueuedPost post);  // draws its serial
  // The post that the store has answered; nothing when it is no longer here.
  std::optional<QueuedPost> Take(uint64_t serial);
  // The store did not take it: it is to be handed over again. Returns the version on the condition
  // of which it was, 0 when it is no longer here.
  uint64_t Return(uint64_t serial);
  // Drops what this stream has posted and the store has not been given yet.
  void DropHeld(const StreamAttachment* stream);

  std::vector<QueuedPost>& posts() { return posts_; }
  bool empty() const { return posts_.empty(); }
  // Whether held posts may be handed to the store on the condition of this version. Not so while
  // one is with the store on the condition of another: it may come back, and what follows it has
  // to wait, or the posts would lose their order.
  bool ReadyFor(uint64_t version) const;

  // Of the first `count` posts: the largest number, and the bytes of those with numbers above
  // `beyond`, each number counted once.
  uint64_t last(size_t count) const;
  size_t bytes(size_t count, uint64_t beyond) const;
  // Of all frames here, however often a number came.
  size_t held_bytes() const;
  size_t size() const { return posts_.size(); }

 private:
  std::vector<QueuedPost> posts_;
  uint64_t next_serial_ = 1;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_POST_QUEUE_H_
