#include "relay/switchboard/post_queue.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {

void PostQueue::Add(QueuedPost post) {
  post.serial = next_serial_++;
  posts_.push_back(std::move(post));
}

std::optional<QueuedPost> PostQueue::Take(uint64_t serial) {
  const auto found = std::find_if(posts_.begin(), posts_.end(), [serial](const QueuedPost& post) {
    return post.serial == serial;
  });
  if (found == posts_.end()) return std::nullopt;
  QueuedPost post = std::move(*found);
  posts_.erase(found);
  return post;
}

uint64_t PostQueue::Return(uint64_t serial) {
  for (QueuedPost& post : posts_) {
    if (post.serial != serial) continue;
    post.in_flight = false;
    return post.version;
  }
  return 0;
}

void PostQueue::DropHeld(const StreamAttachment* stream) {
  std::erase_if(posts_, [stream](const QueuedPost& post) {
    return post.stream.get() == stream && !post.in_flight;
  });
}

bool PostQueue::ReadyFor(uint64_t version) const {
  return std::none_of(posts_.begin(), posts_.end(), [version](const QueuedPost& post) {
    return post.in_flight && post.version != version;
  });
}

uint64_t PostQueue::last(size_t count) const {
  uint64_t last = 0;
  for (size_t i = 0; i < count; ++i) last = std::max(last, posts_[i].number);
  return last;
}

size_t PostQueue::bytes(size_t count, uint64_t beyond) const {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!posts_[i].repeat && posts_[i].number > beyond) bytes += posts_[i].frame.size();
  }
  return bytes;
}

size_t PostQueue::held_bytes() const {
  size_t bytes = 0;
  for (const QueuedPost& post : posts_) bytes += post.frame.size();
  return bytes;
}

}  // namespace wormhole::relay
