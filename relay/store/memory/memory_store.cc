#include "relay/store/memory/memory_store.h"

#include <utility>

#include "absl/status/statusor.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {

MemoryStore::~MemoryStore() {
  const absl::Status closing = StoreAway("the store is closing");
  {
    sync::MutexLock lock(mutex_);
    running_ = true;  // an answer may flush
  }
  while (const Call call = Next()) call(closing);
}

template <typename T, typename Work>
void MemoryStore::Add(Work work, Done<T> done) {
  Call call = [work = std::move(work), done = std::move(done)](const absl::Status& error) mutable {
    done(error.ok() ? absl::StatusOr<T>(work()) : absl::StatusOr<T>(error));
  };
  sync::MutexLock lock(mutex_);
  calls_.push_back(std::move(call));
}

void MemoryStore::Flush() {
  {
    sync::MutexLock lock(mutex_);
    if (running_) return;
    running_ = true;
  }
  // A call takes a microsecond or two, less than what gRPC needs to bring the next one: the queue
  // is soon empty.
  while (const Call call = Next()) call(absl::OkStatus());
}

MemoryStore::Call MemoryStore::Next() {
  sync::MutexLock lock(mutex_);
  if (calls_.empty()) {
    running_ = false;
    return nullptr;
  }
  Call call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

absl::Status MemoryStore::Start(StoreListener* listener) {
  channels_.ForEach([listener](const ChannelKey& key, bool ended) {
    listener->OnId(key, /*exists=*/true, ended);
  });
  return absl::OkStatus();
}

void MemoryStore::Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) {
  using Answer = std::optional<ChannelSnapshot>;
  Add<Answer>([this, key] { return channels_.Load(key); }, std::move(done));
}

void MemoryStore::FindSide(std::string_view app_id, std::string_view side,
                           Done<std::optional<uint32_t>> done) {
  using Answer = std::optional<uint32_t>;
  Add<Answer>([this, app_id = std::string(app_id),
               side = std::string(side)] { return channels_.FindSide(app_id, side); },
              std::move(done));
}

void MemoryStore::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                      const PutOptions& /*options*/, Done<PutOutcome> done) {
  Add<PutOutcome>(
      [this, key, expected, record = std::move(record)]() mutable {
        return channels_.Put(key, expected, std::move(record));
      },
      std::move(done));
}

void MemoryStore::Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) {
  Add<PutOutcome>([this, key, expected] { return channels_.Erase(key, expected); },
                  std::move(done));
}

void MemoryStore::Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                         std::string frame, Done<AppendResult> done) {
  Add<AppendResult>(
      [this, channel, version, author, number, frame = std::move(frame)]() mutable {
        return channels_.Append(channel, version, author, number, std::move(frame));
      },
      std::move(done));
}

void MemoryStore::Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                         Done<LogState> done) {
  Add<LogState>(
      [this, channel, author, cursor] { return channels_.Accept(channel, author, cursor); },
      std::move(done));
}

void MemoryStore::Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                       Done<std::vector<StoredFrame>> done) {
  using Answer = std::vector<StoredFrame>;
  Add<Answer>([this, channel, author, after,
               max_bytes] { return channels_.Read(channel, author, after, max_bytes); },
              std::move(done));
}

void MemoryStore::Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) {
  using Answer = std::vector<ChannelKey>;
  Add<Answer>(
      [this, now, limit] {
        channels_.ForgetRested(now);
        return channels_.Due(now, limit);
      },
      std::move(done));
}

}  // namespace wormhole::relay
