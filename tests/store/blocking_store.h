// A store whose calls wait for their answer, and short names for what tests put into it.
#ifndef WORMHOLE_TESTS_STORE_BLOCKING_STORE_H_
#define WORMHOLE_TESTS_STORE_BLOCKING_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// Seconds after a fixed moment.
absl::Time At(int seconds);

// A side: 16 bytes that begin with `name`.
std::string Side(std::string_view name);

// An active channel, due an hour after At(created).
ChannelRecord Record(std::string_view initiator, std::string_view receiver = "", int created = 0);

// The same channel, closed happy.
ChannelRecord Closed(ChannelRecord record);

// Not OK is a failure of the calling test and gives a default value.
class BlockingStore {
 public:
  // `settle` is for a store that does nothing by itself: it runs once a call was made.
  explicit BlockingStore(Store& store, std::function<void()> settle = nullptr)
      : store_(store), settle_(std::move(settle)) {}

  std::optional<ChannelSnapshot> Load(const ChannelKey& key);
  std::optional<uint32_t> FindSide(std::string_view app_id, std::string_view side);
  PutOutcome Put(const ChannelKey& key, uint64_t expected, const ChannelRecord& record,
                 const PutOptions& options = {});
  PutOutcome Erase(const ChannelKey& key, uint64_t expected);
  AppendResult Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string_view frame);
  absl::StatusOr<LogState> Accept(const ChannelRef& channel, Role author, uint64_t cursor);
  std::vector<StoredFrame> Read(const ChannelRef& channel, Role author, uint64_t after = 0,
                                size_t max_bytes = 1 << 20);
  std::vector<ChannelKey> Due(absl::Time now, size_t limit = 1000);

  // As Append and Put, with their status.
  absl::StatusOr<AppendResult> TryAppend(const ChannelRef& channel, uint64_t version, Role author,
                                         uint64_t number, std::string_view frame);
  absl::StatusOr<PutOutcome> TryPut(const ChannelKey& key, uint64_t expected,
                                    const ChannelRecord& record, const PutOptions& options = {});

 private:
  // Makes a call and waits for its answer.
  template <typename T>
  absl::StatusOr<T> Await(const std::function<void(Store::Done<T>)>& call);

  Store& store_;
  const std::function<void()> settle_;
};

// An AppendResult with this outcome and log.
MATCHER_P2(Appended, outcome, log, "") { return arg.outcome == outcome && arg.log == log; }

// A StoredFrame.
MATCHER_P2(Frame, number, bytes, "") { return arg.number == number && arg.frame == bytes; }

// UNAVAILABLE with the detail STORE_AWAY and a delay, on one line.
bool IsStoreAway(const absl::Status& status);

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_BLOCKING_STORE_H_
