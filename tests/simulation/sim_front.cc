#include "tests/simulation/sim_front.h"

#include <algorithm>
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
  old_snapshots_.clear();
  known_.clear();
}

// --- The store's methods.

absl::Status SimFront::Start(relay::StoreListener* listener) {
  listener_ = listener;
  owner_ = ++group_->owners_;
  PlanDeafness();
  if (away_) return Away();
  told_ = group_->tables_.history().size();
  group_->tables_.channels().ForEach(
      [listener](const ChannelKey& key, relay::IdState state) { listener->OnId(key, state); });
  return absl::OkStatus();
}

// Of a process that has not been able to start; one that has crashed hears nothing anyway.
void SimFront::StopTelling() {
  if (listener_ != nullptr) Crash();
}

absl::StatusOr<std::optional<relay::ChannelSnapshot>> SimFront::LookUp(const ChannelKey& key,
                                                                       int owner) {
  std::optional<relay::ChannelSnapshot> snapshot = group_->tables_.Load(owner, key);
  if (group_->stage_->flaws.stale_load) {
    const auto [look, is_new] = old_snapshots_.try_emplace(key, snapshot);
    if (!is_new && random_.Chance(0.3)) snapshot = look->second;
    look->second = snapshot;
  }
  if (group_->stage_->flaws.silent_presence && snapshot.has_value()) {
    snapshot->remote = snapshot->superseded = {};
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
        if (answer.ok() && answer->has_value()) Judge(key, *position, **answer);
        done(std::move(answer));
      });
}

void SimFront::Judge(const ChannelKey& key, size_t position, relay::ChannelSnapshot& seen) {
  for (Role role : relay::kRoles) {
    if (IsOlderThanOwn({key, role}, position)) seen.remote[role] = seen.superseded[role] = false;
    if (seen.superseded[role]) Superseded({key, role});
  }
}

void SimFront::Look(const ChannelKey& key) {
  auto now = group_->tables_.Load(owner_, key);
  if (now)
    known_[key] = {.snapshot = *std::move(now), .position = group_->tables_.history().size()};
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
                   const relay::PutOptions& options, Done<relay::PutOutcome> done) {
  const std::vector<Name> brought = NamesOf(key, record, options);
  Bring(brought);
  Add<relay::PutOutcome>(
      [this, key, expected, options, owner = owner_,
       record = std::move(record)]() -> absl::StatusOr<relay::PutOutcome> {
        const auto before = group_->tables_.Load(owner, key);
        const auto outcome = group_->tables_.Put(owner, key, expected, record, options);
        if (outcome == relay::PutOutcome::kDone && BreaksRest(before, record)) {
          ++group_->broken_rests_;
        }
        return outcome;
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
  const auto before = known_.find(key);
  const auto logs =
      before == known_.end() ? relay::PerRole<relay::LogState>() : before->second.snapshot.logs;
  Look(key);
  const auto now = known_.find(key);
  if (group_->stage_->flaws.stale_look && now != known_.end()) now->second.snapshot.logs = logs;
  if (outcome != relay::PutOutcome::kDone) return;
  for (const Name& name : brought) {
    if (last_word_[name] < made) said_.insert(name);
  }
}

std::optional<relay::ChannelSnapshot> SimFront::Cached(const ChannelKey& key) {
  const auto found = known_.find(key);
  if (found == known_.end() || random_.Chance(0.2)) return std::nullopt;
  relay::ChannelSnapshot seen = found->second.snapshot;
  Judge(key, found->second.position, seen);
  return seen;
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
        return group_->tables_.channels().Due(now, limit);
      },
      std::move(done));
}

// What a relay hears of the others through its end of the store, and what it tells them.

void SimFront::SetAway(bool away) {
  away_ = away;
  back_at_ = group_->stage_->loop->now();
  if (away) {
    group_->stage_->loop->After(group_->plan_.lease, [this, outage = ++outages_, owner = owner_] {
      if (!away_ || outage != outages_) return;
      group_->tables_.ForgetAttached(owner);
      group_->OnStored();
      if (owner == owner_) lease_lost_ = true;
    });
    return;
  }
  if (listener_ == nullptr) return;
  if (std::exchange(lease_lost_, false)) SayAgain();
  SayWords();
  TakeBackLateWords();
  if (random_.Chance(0.5)) return MissNews();
  if (!group_->stage_->flaws.silent_gap) listener_->OnReset(/*restored=*/false);
  Watch();
}

absl::Duration SimFront::in_touch_since() const {
  return away_ || deaf_ ? absl::InfiniteDuration() : back_at_;
}

// --- Presence.

void SimFront::SetAttached(const ChannelRef& channel, Role role, bool attached) {
  if (listener_ == nullptr) return;
  const Name name{channel.key, channel.initiator, role};
  words_[name] = attached;
  if (attached) {
    said_.insert(name);
  } else {
    said_.erase(name);
  }
  last_word_[name] = ++calls_;
  Later(group_->store_.max_commit + group_->plan_.max_words, [this] { SayWords(); });
}

std::vector<SimFront::Name> SimFront::NamesOf(const ChannelKey& key,
                                              const relay::ChannelRecord& record,
                                              const relay::PutOptions& options) const {
  std::vector<Name> names;
  for (Role role : relay::kRoles) {
    if (!options.attached.contains(role)) continue;
    names.emplace_back(key, record.member(Role::kInitiator).side, role);
  }
  return names;
}

void SimFront::Bring(const std::vector<Name>& names) {
  if (listener_ == nullptr) return;
  for (const Name& name : names) {
    ++brought_[name];
    words_.erase(name);
  }
}

void SimFront::Landed(const std::vector<Name>& names, uint64_t made, bool put) {
  for (const Name& name : names) {
    --brought_[name];
    if (!put && last_word_[name] < made && !group_->stage_->flaws.kept_words) words_[name] = false;
  }
  Later(group_->store_.max_commit + group_->plan_.max_words, [this] { SayWords(); });
}

void SimFront::SayWords() {
  if (away_) return;
  for (auto word = words_.begin(); word != words_.end();) {
    const auto& [key, initiator, role] = word->first;
    if (brought_[word->first] != 0) {
      ++word;
      continue;
    }
    const ChannelRef channel(key, group_->stage_->flaws.nameless_words ? "" : initiator);
    group_->tables_.SetAttached(owner_, channel, role, word->second);
    word = words_.erase(word);
  }
  group_->OnStored();
}

void SimFront::SayAgain() {
  for (const auto& [key, initiator, role] : said_) {
    group_->tables_.Renew(owner_, {key, initiator}, role);
  }
}

void SimFront::Superseded(const Tables::Side& side) {
  std::erase_if(said_, [&side](const Name& name) {
    return std::get<ChannelKey>(name) == side.first && std::get<Role>(name) == side.second;
  });
}

void SimFront::TakeBackLateWords() {
  if (away_ || deaf_ || group_->stage_->flaws.kept_words) return;
  for (const Tables::Side& side : std::exchange(late_sides_, {})) {
    const auto is_of = [&side](const Name& name) {
      return std::get<ChannelKey>(name) == side.first && std::get<Role>(name) == side.second;
    };
    const bool wished = std::any_of(said_.begin(), said_.end(), is_of) ||
                        std::any_of(words_.begin(), words_.end(),
                                    [&](const auto& word) { return is_of(word.first); }) ||
                        std::any_of(brought_.begin(), brought_.end(), [&](const auto& entry) {
                          return entry.second != 0 && is_of(entry.first);
                        });
    if (!wished) group_->tables_.SetAttached(owner_, side.first, side.second, false);
  }
  group_->OnStored();
}

void SimFront::TellThirdParties(const ChannelRef& channel, uint32_t count) {
  if (listener_ == nullptr || away_) return;
  group_->tables_.TellThirdParties(owner_, channel, count);
  group_->OnStored();
}

bool SimFront::IsOlderThanOwn(const Tables::Side& side, size_t position) const {
  const bool unsaid = std::any_of(words_.begin(), words_.end(), [&](const auto& word) {
    const auto& [key, initiator, role] = word.first;
    return word.second && key == side.first && role == side.second;
  });
  return unsaid || position < group_->tables_.LastAttachOf(owner_, side);
}

// --- News.

void SimFront::Watch() {
  if (telling_ || listener_ == nullptr || away_ || deaf_) return;
  if (told_ >= group_->tables_.history().size()) return;
  telling_ = true;
  Later(group_->plan_.max_news, [this] {
    telling_ = false;
    TellSome();
  });
}

void SimFront::TellSome() {
  const size_t waiting = group_->tables_.history().size() - told_;
  if (waiting == 0) return;
  for (size_t left = 1 + random_.Below(static_cast<uint32_t>(waiting)); left > 0; --left) {
    if (listener_ == nullptr || away_ || deaf_) return;
    Tell(told_++);
  }
  Watch();
}

void SimFront::Tell(size_t position) {
  using Kind = Tables::News::Kind;
  const Tables::News news = group_->tables_.history()[position];
  const bool may_echo = news.kind == Kind::kRecord || news.kind == Kind::kLog;
  const bool echoes = group_->plan_.echoes || late_.contains(position);
  if (news.by == owner_ && !(may_echo && echoes)) return;
  if (news.kind == Kind::kPresence) {
    if (group_->stage_->flaws.silent_presence) return;
    if (IsOlderThanOwn({news.key, news.role}, position + 1)) return;
    Superseded({news.key, news.role});
  }
  // What the relay knows is as new as its news, or newer.
  Look(news.key);
  news.tell(*listener_);
}

void SimFront::MissNews() {
  group_->stage_->trace->Line("store: a relay misses ", group_->tables_.history().size() - told_,
                              " news");
  std::set<ChannelKey> ids;
  for (; told_ < group_->tables_.history().size(); ++told_) {
    const Tables::News& news = group_->tables_.history()[told_];
    if (news.kind == Tables::News::Kind::kRecord) ids.insert(news.key);
  }
  for (const ChannelKey& key : ids) group_->tables_.TellId(key, *listener_);
  if (!group_->stage_->flaws.silent_gap) listener_->OnReset(/*restored=*/false);
}

void SimFront::PlanDeafness() {
  if (group_->plan_.mean_watch_life == absl::InfiniteDuration()) return;
  Later(random_.Exponential(group_->plan_.mean_watch_life), [this] {
    if (!group_->stage_->stormy()) return;
    deaf_ = true;
    Later(group_->plan_.max_deafness, [this] {
      deaf_ = false;
      back_at_ = group_->stage_->loop->now();
      TakeBackLateWords();
      if (random_.Chance(0.7)) MissNews();
      Watch();
      PlanDeafness();
    });
  });
}

}  // namespace wormhole::simulation
