#include "relay/switchboard/streams.h"

#include <algorithm>
#include <utility>

namespace wormhole::relay {

void Streams::Add(StreamAttachment* stream) {
  sync::MutexLock lock(mutex_);
  streams_.try_emplace(stream, ++arrivals_);
}

bool Streams::Remove(StreamAttachment* stream) {
  sync::MutexLock lock(mutex_);
  return streams_.erase(stream) > 0;
}

size_t Streams::size() const {
  sync::MutexLock lock(mutex_);
  return streams_.size();
}

// A stream leaves streams_ before it is destroyed, so that the pointers are good here; one whose
// destruction has begun has no shared_ptr any more.
template <typename Predicate>
std::vector<std::shared_ptr<StreamAttachment>> Streams::Those(Predicate predicate) const {
  std::vector<std::pair<uint64_t, std::shared_ptr<StreamAttachment>>> found;
  {
    sync::MutexLock lock(mutex_);
    for (const auto& [stream, arrival] : streams_) {
      if (!predicate(*stream)) continue;
      if (auto alive = stream->weak_from_this().lock()) {
        found.emplace_back(arrival, std::move(alive));
      }
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::shared_ptr<StreamAttachment>> streams;
  streams.reserve(found.size());
  for (auto& [arrival, stream] : found) streams.push_back(std::move(stream));
  return streams;
}

std::vector<std::shared_ptr<StreamAttachment>> Streams::All() const {
  return Those([](const StreamAttachment&) { return true; });
}

std::vector<std::shared_ptr<StreamAttachment>> Streams::SilentSince(absl::Duration time) const {
  return Those([time](StreamAttachment& stream) { return stream.IsSilentSince(time); });
}

std::vector<std::shared_ptr<StreamAttachment>> Streams::UnopenedSince(absl::Duration time) const {
  return Those([time](const StreamAttachment& stream) { return stream.IsUnopenedSince(time); });
}

std::vector<std::shared_ptr<StreamAttachment>> Streams::OldAt(absl::Duration now) const {
  return Those([now](const StreamAttachment& stream) { return stream.old_at() <= now; });
}

void Streams::Refuse() {
  sync::MutexLock lock(mutex_);
  refused_ = true;
}

bool Streams::refused() const {
  sync::MutexLock lock(mutex_);
  return refused_;
}

}  // namespace wormhole::relay
