// A store of a single relay's own: calls wait in a queue, and are carried out on tables, one at a
// time and in order. A store of a new kind needs its tables, and one of the executors that there
// are.
#ifndef WORMHOLE_RELAY_STORE_QUEUED_STORE_H_
#define WORMHOLE_RELAY_STORE_QUEUED_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/answer_time.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// `Tables` has Store's methods without `done`: each returns the answer, or an absl::StatusOr of it;
// ForEach, which Start calls, returns nothing or an absl::Status. They are called by the executor
// alone, but for ForEach, which comes before.
//
// `Executor` has
//   template <typename T, typename Work>
//   void Add(Work work, Store::Done<T> done, AnswerTime time);
// which queues `work` and answers `done` with what it returns, both as Store promises; and Flush().
// Its destructor answers all calls.
template <typename Tables, typename Executor>
class QueuedStore : public Store {
 public:
  absl::Status Start(StoreListener* listener) override {
    const auto tell = [listener](const ChannelKey& key, IdState state) {
      listener->OnId(key, state);
    };
    if constexpr (std::is_void_v<decltype(tables_->ForEach(tell))>) {
      tables_->ForEach(tell);
      return absl::OkStatus();
    } else {
      return tables_->ForEach(tell);
    }
  }

  void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) override {
    Add<std::optional<ChannelSnapshot>>([t = tables_, key] { return t->Load(key); },
                                        std::move(done));
  }

  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override {
    Add<std::optional<uint32_t>>([t = tables_, app_id = std::string(app_id),
                                  side = std::string(side)] { return t->FindSide(app_id, side); },
                                 std::move(done));
  }

  void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
           const PutOptions& options, Done<PutOutcome> done) override {
    Add<PutOutcome>(
        [t = tables_, key, expected, options, record = std::move(record)]() mutable {
          return t->Put(key, expected, std::move(record), options);
        },
        std::move(done));
  }

  void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) override {
    Add<PutOutcome>([t = tables_, key, expected] { return t->Erase(key, expected); },
                    std::move(done));
  }

  void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
              std::string frame, Done<AppendResult> done) override {
    Add<AppendResult>(
        [t = tables_, channel, version, author, number, frame = std::move(frame)]() mutable {
          return t->Append(channel, version, author, number, std::move(frame));
        },
        std::move(done), AnswerTime::kSoon);
  }

  void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
              Done<LogState> done) override {
    Add<LogState>(
        [t = tables_, channel, author, cursor] { return t->Accept(channel, author, cursor); },
        std::move(done), AnswerTime::kSoon);
  }

  void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<StoredFrame>> done) override {
    Add<std::vector<StoredFrame>>(
        [t = tables_, channel, author, after, max_bytes] {
          return t->Read(channel, author, after, max_bytes);
        },
        std::move(done));
  }

  void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) override {
    Add<std::vector<ChannelKey>>([t = tables_, now, limit] { return t->Due(now, limit); },
                                 std::move(done));
  }

  uint64_t StoredBytes() const override { return tables_->stored_bytes(); }

  void Flush() override { executor_->Flush(); }

 protected:
  // Both are the store's own, the executor the last to be made: it uses the tables until it is
  // destroyed.
  QueuedStore(Tables* tables, Executor* executor) : tables_(tables), executor_(executor) {}

 private:
  template <typename T, typename Work>
  void Add(Work work, Done<T> done, AnswerTime time = AnswerTime::kAtOnce) {
    executor_->template Add<T>(std::move(work), std::move(done), time);
  }

  Tables* const tables_;
  Executor* const executor_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_QUEUED_STORE_H_
