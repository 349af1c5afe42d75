// A store for tests of the switchboard: effects at once and in order, answers when the test says
// so.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TESTING_MANUAL_STORE_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TESTING_MANUAL_STORE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "relay/store/memory/memory_channels.h"
#include "relay/store/store.h"

namespace wormhole::relay {

// One thread.
class ManualStore final : public Store {
 public:
  ManualStore() = default;
  ~ManualStore() override {
    while (!pending_.empty()) Fail();
  }

  // What is stored; a test that changes it plays another relay.
  MemoryChannels& contents() { return contents_; }

  // While away, calls have no effect and fail.
  void set_away(bool away) { away_ = away; }

  // The calls that have not been answered, oldest first, as "Put Append".
  std::string pending() const {
    std::string names;
    for (const Pending& call : pending_) names += (names.empty() ? "" : " ") + call.method;
    return names;
  }

  // Answers the oldest call, or the oldest of this method. False when there is none.
  bool Answer(std::string_view method = "") { return Release(method, /*fail=*/false); }
  // Answers it with UNAVAILABLE, whatever its effect was.
  bool Fail(std::string_view method = "") { return Release(method, /*fail=*/true); }
  // Answers the newest call, as a store with several threads may.
  bool AnswerNewest() {
    if (pending_.empty()) return false;
    Pending call = std::move(pending_.back());
    pending_.pop_back();
    call.answer(false);
    return true;
  }
  void AnswerAll() {
    while (Answer()) {
    }
  }

  absl::Status Start(StoreListener* listener) override {
    contents_.ForEach(
        [listener](const ChannelKey& key, IdState state) { listener->OnId(key, state); });
    return absl::OkStatus();
  }
  void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) override {
    Add("Load", std::move(done), [&] { return contents_.Load(key); });
  }
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override {
    Add("FindSide", std::move(done),
        [&] { return contents_.FindSide(std::string(app_id), std::string(side)); });
  }
  void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
           const PutOptions& options, Done<PutOutcome> done) override {
    Add("Put", std::move(done),
        [&] { return contents_.Put(key, expected, std::move(record), options); });
  }
  void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) override {
    Add("Erase", std::move(done), [&] { return contents_.Erase(key, expected); });
  }
  void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
              std::string frame, Done<AppendResult> done) override {
    Add("Append", std::move(done),
        [&] { return contents_.Append(channel, version, author, number, std::move(frame)); });
  }
  void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
              Done<LogState> done) override {
    Add("Accept", std::move(done), [&] { return contents_.Accept(channel, author, cursor); });
  }
  void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<StoredFrame>> done) override {
    Add("Read", std::move(done), [&] { return contents_.Read(channel, author, after, max_bytes); });
  }
  void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) override {
    Add("Due", std::move(done), [&] { return contents_.Due(now, limit); });
  }
  uint64_t StoredBytes() const override { return contents_.stored_bytes(); }
  void Flush() override {}

 private:
  struct Pending {
    std::string method;
    std::function<void(bool fail)> answer;
  };

  template <typename T, typename Effect>
  void Add(std::string method, Done<T> done, Effect effect) {
    const absl::Status away = absl::UnavailableError("the store is away");
    absl::StatusOr<T> result = away_ ? absl::StatusOr<T>(away) : absl::StatusOr<T>(effect());
    pending_.push_back({std::move(method), [done = std::move(done), result = std::move(result),
                                            away](bool fail) mutable {
                          done(fail ? absl::StatusOr<T>(away) : std::move(result));
                        }});
  }

  bool Release(std::string_view method, bool fail) {
    for (auto call = pending_.begin(); call != pending_.end(); ++call) {
      if (!method.empty() && call->method != method) continue;
      Pending released = std::move(*call);
      pending_.erase(call);
      released.answer(fail);
      return true;
    }
    return false;
  }

  MemoryChannels contents_;
  bool away_ = false;
  std::vector<Pending> pending_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TESTING_MANUAL_STORE_H_
