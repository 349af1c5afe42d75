#include "relay/store/memory.h"

#include <utility>

#include "absl/status/statusor.h"

namespace wormhole::relay {

MemoryStore::MemoryStore() : thread_(&target_) {}

absl::Status MemoryStore::ForEach(const std::function<void(const ChannelKey&, bool ended)>& visit) {
  channels_.ForEach(visit);
  return absl::OkStatus();
}

void MemoryStore::Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) {
  using Answer = std::optional<ChannelSnapshot>;
  thread_.Add<Answer>([this, key]() -> absl::StatusOr<Answer> { return channels_.Load(key); },
                      std::move(done));
}

void MemoryStore::FindSide(std::string_view app_id, std::string_view side,
                           Done<std::optional<uint32_t>> done) {
  using Answer = std::optional<uint32_t>;
  thread_.Add<Answer>(
      [this, app_id = std::string(app_id), side = std::string(side)]() -> absl::StatusOr<Answer> {
        return channels_.FindSide(app_id, side);
      },
      std::move(done));
}

void MemoryStore::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                      Done<PutOutcome> done) {
  thread_.Add<PutOutcome>(
      [this, key, expected, record = std::move(record)]() mutable -> absl::StatusOr<PutOutcome> {
        return channels_.Put(key, expected, std::move(record));
      },
      std::move(done));
}

void MemoryStore::Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) {
  thread_.Add<PutOutcome>(
      [this, key, expected]() -> absl::StatusOr<PutOutcome> {
        return channels_.Erase(key, expected);
      },
      std::move(done));
}

void MemoryStore::Append(const ChannelKey& key, uint64_t version, Role author, uint64_t number,
                         std::string frame, Done<AppendResult> done) {
  thread_.Add<AppendResult>(
      [this, key, version, author, number,
       frame = std::move(frame)]() mutable -> absl::StatusOr<AppendResult> {
        return channels_.Append(key, version, author, number, std::move(frame));
      },
      std::move(done));
}

void MemoryStore::Accept(const ChannelKey& key, Role author, uint64_t cursor, Done<LogState> done) {
  thread_.Add<LogState>(
      [this, key, author, cursor] { return channels_.Accept(key, author, cursor); },
      std::move(done));
}

void MemoryStore::Read(const ChannelKey& key, Role author, uint64_t after, size_t max_bytes,
                       Done<std::vector<StoredFrame>> done) {
  using Answer = std::vector<StoredFrame>;
  thread_.Add<Answer>(
      [this, key, author, after, max_bytes]() -> absl::StatusOr<Answer> {
        return channels_.Read(key, author, after, max_bytes);
      },
      std::move(done));
}

void MemoryStore::Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) {
  using Answer = std::vector<ChannelKey>;
  thread_.Add<Answer>(
      [this, now, limit]() -> absl::StatusOr<Answer> { return channels_.Due(now, limit); },
      std::move(done));
}

}  // namespace wormhole::relay
