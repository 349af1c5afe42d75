#include "tests/simulation/sim_front.h"

#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole::simulation {

using relay::ChannelKey;
using relay::ChannelRecord;
using relay::ChannelRef;
using relay::Role;

namespace {

absl::Status Away() {
  return error::Make(error::ErrorDetail::REASON_STORE_AWAY, "the simulated store is away",
                     {.retry_delay = absl::Milliseconds(200)});
}

}  // namespace

void SimFront::Later(absl::Duration most, std::function<void()> action) {
  group_->stage_->loop->After(random_.Between(absl::ZeroDuration(), most),
                              [this, process = process_, action = std::move(action)] {
                                if (process == process_) action();
                              });
}

// --- Calls.

template <typename T>
void SimFront::Add(std::function<absl::StatusOr<T>()> work, Done<T> done) {
  if (listener_ == nullptr) return;  // the process has ended
  Call call;
  call.run = [work = std::move(work), done]() -> std::function<void()> {
    return [result = work(), done] { done(result); };
  };
  call.fail = [done](const absl::Status& status) { done(status); };
  queue_.push_back(std::move(call));
  if (busy_) return;
  busy_ = true;
  Later(absl::Microseconds(200), [this] { StartBatch(); });
}

void SimFront::StartBatch() {
  const size_t size = 1 + random_.Below(static_cast<uint32_t>(queue_.size()));
  auto batch = std::make_shared<std::vector<Call>>();
  for (size_t i = 0; i < size; ++i) {
    batch->push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (away_) return Later(group_->store_.max_commit, [this, batch] { FailBatch(batch); });
  under_way_ = batch;
  const bool fails = group_->stage_->stormy() && random_.Chance(group_->store_.failing_batches);
  Later(group_->store_.max_commit / 2, [this, batch, fails] {
    under_way_ = nullptr;
    if (!fails && !away_) return CommitBatch(batch);
    if (random_.Chance(0.5)) TakeEffectLate(batch);
    FailBatch(batch);
  });
}

void SimFront::CommitBatch(const Batch& batch) {
  std::vector<std::function<void()>> answers;
  for (Call& call : *batch) answers.push_back(call.run());
  group_->OnStored();
  Later(group_->store_.max_commit / 2, [this, answers = std::move(answers)] {
    for (const auto& answer : answers) {
      if (group_->store_.scattered_answers) {
        Later(absl::Milliseconds(5), answer);
      } else {
        answer();
      }
    }
    Finish();
  });
}

void SimFront::FailBatch(const Batch& batch) {
  group_->stage_->trace->Line("store: a batch of ", batch->size(), " fails");
  for (const Call& call : *batch) call.fail(Away());
  Finish();
}

void SimFront::Finish() {
  busy_ = !queue_.empty();
  if (busy_) StartBatch();
}

// Whoever asked has been told that it failed, or is dead.
void SimFront::TakeEffectLate(const Batch& batch) {
  group_->stage_->loop->After(random_.Between(absl::ZeroDuration(), group_->store_.max_commit),
                              [this, batch] {
                                const Tables& tables = group_->tables_;
                                const size_t before = tables.history().size();
                                for (Call& call : *batch) (void)call.run();
                                for (size_t i = before; i < tables.history().size(); ++i) {
                                  late_.insert(i);
                                  const auto& news = tables.history()[i];
                                  if (news.kind == Tables::News::Kind::kPresence) {
                                    late_sides_.insert({news.key, news.role});
                                  }
                                }
                                Later(group_->plan_.max_news, [this] { TakeBackLateWords(); });
                                group_->OnStored();
                              });
}

void SimFront::Crash() {
  if (under_way_ != nullptr && random_.Chance(0.5)) TakeEffectLate(under_way_);
  group_->stage_->loop->After(group_->plan_.lease, [group = group_, owner = owner_] {
    group->tables_.ForgetAttached(owner);
    group->OnStored();
  });
  ++process_;
  busy_ = telling_ = deaf_ = lease_lost_ = false;
  queue_.clear();
  under_way_ = nullptr;
  words_.clear();
  brought_.clear();
  late_sides_.clear();
  said_.clear();
  listener_ = nullptr;
  old_looks_.clear();
  known_.clear();
}

// --- The store's methods.

absl::Status SimFront::ForEach(const std::function<void(const ChannelKey&, bool ended)>& visit) {
  if (away_) return Away();
  told_ = group_->tables_.history().size();
  group_->tables_.channels().ForEach(visit);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<relay::ChannelSnapshot>> SimFront::LookUp(const ChannelKey& key,
                                                                       int owner) {
  std::optional<relay::ChannelSnapshot> snapshot = group_->tables_.Load(owner, key);
  if (group_->stage_->flaws.stale_load) {
    const auto [look, is_new] = old_looks_.try_emplace(key, snapshot);
    if (!is_new && random_.Chance(0.3)) snapshot = look->second;
    look->second = snapshot;
  }
  if (group_->stage_->flaws.silent_presence && snapshot.has_value()) {
    snapshot->elsewhere = snapshot->superseded = {};
  }
  return snapshot;
}

void SimFront::Load(const ChannelKey& key, Done<std::optional<relay::ChannelSnapshot>> done) {
  using Answer = std::optional<relay::ChannelSnapshot>;
  const auto position = std::make_shared<size_t>();
  Add<Answer>(
      [this, key, owner = owner_, position]() -> absl::StatusOr<Answer> {
        *position = group_->tables_.history().size();
        return LookUp(key, owner);
      },
      [this, key, position, done = std::move(done)](absl::StatusOr<Answer> answer) {
        for (Role role : {Role::kInitiator, Role::kReceiver}) {
          if (!answer.ok() || !answer->has_value()) break;
          bool& elsewhere = (*answer)->elsewhere[static_cast<size_t>(role)];
          bool& superseded = (*answer)->superseded[static_cast<size_t>(role)];
          if (IsOlderThanOwn({key, role}, *position)) elsewhere = superseded = false;
          if (superseded) Superseded({key, role});
        }
        done(std::move(answer));
      });
}

void SimFront::FindSide(std::string_view app_id, std::string_view side,
                        Done<std::optional<uint32_t>> done) {
  using Answer = std::optional<uint32_t>;
  Add<Answer>(
      [this, app_id = std::string(app_id), side = std::string(side)]() -> absl::StatusOr<Answer> {
        return group_->tables_.channels().FindSide(app_id, side);
      },
      std::move(done));
}

void SimFront::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                   Done<relay::PutOutcome> done) {
  PutWith(key, expected, std::move(record), {}, std::move(done));
}

void SimFront::PutWith(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                       const relay::PutAlong& along, Done<relay::PutOutcome> done) {
  const std::vector<Name> brought = NamesOf(key, record, along);
  Bring(brought);
  Add<relay::PutOutcome>(
      [this, key, expected, along, owner = owner_,
       record = std::move(record)]() -> absl::StatusOr<relay::PutOutcome> {
        return group_->tables_.PutWith(owner, key, expected, record, along);
      },
      [this, key, brought, made = ++calls_,
       done = std::move(done)](absl::StatusOr<relay::PutOutcome> outcome) {
        if (outcome.ok()) NotePut(key, brought, made, *outcome);
        Landed(brought, made, outcome.ok() && *outcome == relay::PutOutcome::kDone);
        done(outcome);
      });
}

// A refusal brings along what is there instead.
void SimFront::NotePut(const ChannelKey& key, const std::vector<Name>& brought, uint64_t made,
                       relay::PutOutcome outcome) {
  if (const auto now = group_->tables_.Load(owner_, key)) {
    relay::ChannelSnapshot& known = known_[key];
    const auto logs = known.logs;
    known = *now;
    if (group_->stage_->flaws.stale_look) known.logs = logs;
  }
  if (outcome != relay::PutOutcome::kDone) return;
  for (const Name& name : brought) {
    if (last_word_[name] < made) said_.insert(name);
  }
}

std::optional<relay::ChannelSnapshot> SimFront::Known(const ChannelKey& key) {
  const auto found = known_.find(key);
  if (found == known_.end() || random_.Chance(0.2)) return std::nullopt;
  return found->second;
}

void SimFront::Erase(const ChannelKey& key, uint64_t expected, Done<relay::PutOutcome> done) {
  Add<relay::PutOutcome>(
      [this, key, expected, owner = owner_]() -> absl::StatusOr<relay::PutOutcome> {
        return group_->tables_.Erase(owner, key, expected);
      },
      std::move(done));
}

void SimFront::Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame, Done<relay::AppendResult> done) {
  Add<relay::AppendResult>(
      [this, channel, version, author, number, owner = owner_,
       frame = std::move(frame)]() -> absl::StatusOr<relay::AppendResult> {
        return group_->tables_.Append(owner, channel, version, author, number, frame);
      },
      std::move(done));
}

void SimFront::Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                      Done<relay::LogState> done) {
  if (group_->stage_->flaws.early_forget) ++cursor;
  Add<relay::LogState>(
      [this, channel, author, cursor, owner = owner_] {
        return group_->tables_.Accept(owner, channel, author, cursor);
      },
      std::move(done));
}

void SimFront::Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                    Done<std::vector<relay::StoredFrame>> done) {
  using Frames = std::vector<relay::StoredFrame>;
  Add<Frames>(
      [this, channel, author, after, max_bytes]() -> absl::StatusOr<Frames> {
        return group_->tables_.channels().Read(channel, author, after, max_bytes);
      },
      std::move(done));
}

void SimFront::Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) {
  using Keys = std::vector<ChannelKey>;
  Add<Keys>(
      [this, now, limit]() -> absl::StatusOr<Keys> {
        group_->tables_.channels().ForgetRested(now);
        return group_->tables_.channels().Due(now, limit);
      },
      std::move(done));
}

}  // namespace wormhole::simulation
