// One relay's store of several over the same tables, for tests of the switchboard: effects at once,
// answers and news when the test says so.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_STORE_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_STORE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "relay/store/store.h"
#include "relay/switchboard/testing/group_tables.h"

namespace wormhole::relay {

// One thread.
class GroupStore final : public Store {
 public:
  GroupStore(GroupTables* tables, int relay) : tables_(tables), relay_(relay) {}
  ~GroupStore() override {
    away_ = true;
    while (Answer()) {
    }
  }

  // While away, calls have no effect and fail.
  void set_away(bool away) { away_ = away; }
  // What Known answers, of whichever channel.
  void set_cached(std::optional<ChannelSnapshot> cached) { cached_ = std::move(cached); }
  // The calls that have not been answered, oldest first, as "Put Append".
  std::string pending() const {
    std::string names;
    for (const auto& [method, answer] : pending_) names += (names.empty() ? "" : " ") + method;
    return names;
  }
  // Answers the oldest call. False when there is none.
  bool Answer() {
    if (pending_.empty()) return false;
    const std::function<void()> answer = std::move(pending_.front().second);
    pending_.pop_front();
    answer();
    return true;
  }
  // Answers the newest call, as a store with several threads may.
  void AnswerNewest() {
    const std::function<void()> answer = std::move(pending_.back().second);
    pending_.pop_back();
    answer();
  }

  // Tells the listener the next thing that another relay has done. False when there is none.
  bool TellNext() {
    while (listener_ != nullptr && told_ < tables_->history().size()) {
      const GroupTables::News news = tables_->history()[told_++];
      if (news.by == relay_) continue;
      const bool older = told_ < tables_->LastAttachOf(relay_, {news.key, news.role});
      if (news.kind == GroupTables::News::Kind::kPresence && older) continue;
      news.tell(*listener_);
      return true;
    }
    return false;
  }
  // Nothing that has not been told will be, but which ids have changed, and that something was
  // missed.
  void LoseNews() { Reset(/*restored=*/false); }

  // The same, and what was told is not so any more.
  void Restore() { Reset(/*restored=*/true); }

  absl::Status Start(StoreListener* listener) override {
    listener_ = listener;
    told_ = tables_->history().size();
    tables_->channels().ForEach(
        [listener](const ChannelKey& key, IdState state) { listener->OnId(key, state); });
    return absl::OkStatus();
  }
  void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) override {
    Add("Load", std::move(done), [&] { return tables_->Load(relay_, key); });
  }
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override {
    Add("FindSide", std::move(done),
        [&] { return tables_->channels().FindSide(std::string(app_id), std::string(side)); });
  }
  void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
           const PutOptions& options, Done<PutOutcome> done) override {
    Add("Put", std::move(done),
        [&] { return tables_->Put(relay_, key, expected, record, options); });
  }
  void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) override {
    Add("Erase", std::move(done), [&] { return tables_->Erase(relay_, key, expected); });
  }
  void Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
              std::string frame, Done<AppendResult> done) override {
    Add("Append", std::move(done),
        [&] { return tables_->Append(relay_, channel, version, author, number, frame); });
  }
  void Accept(const ChannelRef& channel, Role author, uint64_t cursor,
              Done<LogState> done) override {
    Add("Accept", std::move(done),
        [&] { return tables_->Accept(relay_, channel, author, cursor); });
  }
  void Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<StoredFrame>> done) override {
    Add("Read", std::move(done),
        [&] { return tables_->channels().Read(channel, author, after, max_bytes); });
  }
  void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) override {
    Add("Due", std::move(done), [&] { return tables_->channels().Due(now, limit); });
  }
  void Flush() override {}

  bool shared() const override { return true; }
  std::optional<ChannelSnapshot> Cached(const ChannelKey& key) override {
    (void)key;
    return cached_;
  }
  void SetAttached(const ChannelRef& channel, Role role, bool attached) override {
    tables_->SetAttached(relay_, channel, role, attached);
  }
  void TellThirdParties(const ChannelRef& channel, uint32_t count) override {
    tables_->TellThirdParties(relay_, channel, count);
  }
  void StopTelling() override { listener_ = nullptr; }

 private:
  void Reset(bool restored) {
    std::set<ChannelKey> ids;
    for (; told_ < tables_->history().size(); ++told_) {
      const GroupTables::News& news = tables_->history()[told_];
      if (news.kind == GroupTables::News::Kind::kRecord) ids.insert(news.key);
    }
    for (const ChannelKey& key : ids) tables_->TellId(key, *listener_);
    listener_->OnReset(restored);
  }

  template <typename T, typename Effect>
  void Add(std::string method, Done<T> done, Effect effect) {
    const absl::Status away = absl::UnavailableError("the store is away");
    absl::StatusOr<T> result = away_ ? absl::StatusOr<T>(away) : absl::StatusOr<T>(effect());
    pending_.emplace_back(std::move(method),
                          [done = std::move(done), result = std::move(result)] { done(result); });
  }

  GroupTables* const tables_;
  const int relay_;
  bool away_ = false;
  std::optional<ChannelSnapshot> cached_;
  StoreListener* listener_ = nullptr;
  size_t told_ = 0;  // of the history
  std::deque<std::pair<std::string, std::function<void()>>> pending_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_STORE_H_
