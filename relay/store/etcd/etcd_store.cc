#include "relay/store/etcd/etcd_store.h"

#include <chrono>
#include <future>
#include <utility>

#include "absl/memory/memory.h"
#include "relay/store/steady_now.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

// For the farewell; the lease ends by itself if it is not heard.
constexpr std::chrono::seconds kFarewell(1);

}  // namespace

absl::StatusOr<std::unique_ptr<EtcdStore>> EtcdStore::Open(EtcdOptions options) {
  auto store = absl::WrapUnique(new EtcdStore(std::move(options)));
  const absl::Status started = store->Connect();
  if (!started.ok()) return started;
  return store;
}

EtcdStore::EtcdStore(EtcdOptions options)
    : options_(std::move(options)),
      keys_(options_.prefix),
      client_(options_.servers),
      cache_(&keys_, options_.relay_id,
             [this](const ChannelRef& channel, Role role) { OnOwnPresence(channel, role); }),
      watcher_(&keys_, &client_, &cache_,
               {.on_restored = [this] { ForgetLeases(); },
                .on_lost = [this] { ProbeSoon(); },
                .on_clocks = [this](const auto& all, bool restored) { TakeClocks(all, restored); },
                .on_clock = [this](const ClockSighting& one) { TakeClock(one); }}),
      clocks_(keys_.Clock(options_.relay_id), options_.presence_ttl / 3),
      report_(options_.on_trouble, &SteadyNow) {}

absl::Status EtcdStore::Connect() {
  // A node that is away is left for the next one; each has its turn.
  absl::Status status;
  for (size_t i = 0; i < options_.servers.endpoints.size(); ++i) {
    status = watcher_.Start();
    if (status.ok()) break;
  }
  if (!status.ok()) return status;
  WantPresenceLease();  // the sooner its clock is told, the fewer differ
  AwaitClocks();
  return status;
}

EtcdStore::~EtcdStore() {
  int64_t lease = 0;
  {
    sync::MutexLock lock(mutex_);
    stopping_ = true;
    lease = presence_lease_;
  }
  if (lease != 0) {
    const auto heard = std::make_shared<std::promise<void>>();
    client_.Revoke(lease, [heard](const auto&) { heard->set_value(); });
    heard->get_future().wait_for(kFarewell);
  }
  client_.Stop();
  // An answer may make further calls.
  for (;;) {
    EtcdAnswers answers;
    {
      sync::MutexLock lock(mutex_);
      FailAll(StoreAway("the store is closing"), answers);
    }
    if (answers.empty()) return;
    for (const auto& answer : answers) answer();
  }
}

void EtcdStore::FailAll(const absl::Status& status, EtcdAnswers& answers) {
  answers.swap(answers_);
  for (auto& [key, calls] : calls_) {
    for (EtcdCall& call : calls) FailCall(call, status, answers);
  }
  calls_.clear();
  order_.clear();
  for (SideCall& call : side_calls_) {
    answers.push_back([done = std::move(call.done), status] { done(status); });
  }
  side_calls_.clear();
}

absl::Status EtcdStore::Start(StoreListener* listener) {
  cache_.Start(listener);
  return absl::OkStatus();
}

void EtcdStore::Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) {
  Add(key, LoadCall{.done = [this, key,
                             done = std::move(done)](const absl::StatusOr<ChannelState>& state) {
        if (!state.ok()) return done(state.status());
        std::optional<ChannelSnapshot> snapshot;
        {
          sync::MutexLock lock(mutex_);
          snapshot = SnapshotOf(key, *state);
        }
        done(std::move(snapshot));
      }});
}

void EtcdStore::FindSide(std::string_view app_id, std::string_view side,
                         Done<std::optional<uint32_t>> done) {
  sync::MutexLock lock(mutex_);
  side_calls_.push_back(
      {.key = keys_.Side(app_id, side), .done = std::move(done), .since = SteadyNow()});
}

void EtcdStore::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                    const PutOptions& options, Done<PutOutcome> done) {
  sync::MutexLock lock(mutex_);
  if (!options.attached.empty()) {
    const ChannelRef channel(key, record.member(Role::kInitiator).side);
    const EtcdPresence::Numbers numbers = presence_.Bring(channel, options.attached);
    done = [this, channel, roles = options.attached, numbers,
            done = std::move(done)](const absl::StatusOr<PutOutcome>& outcome) {
      {
        sync::MutexLock again(mutex_);
        presence_.Landed(channel, roles, numbers, outcome.ok() && *outcome == PutOutcome::kDone);
      }
      done(outcome);
    };
  }
  Enqueue(key, PutCall{.expected = expected,
                       .record = std::move(record),
                       .options = options,
                       .done = std::move(done)});
}

void EtcdStore::Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) {
  Add(key, EraseCall{.expected = expected, .done = std::move(done)});
}

void EtcdStore::Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                       std::string frame, Done<AppendResult> done) {
  Add(channel.key, AppendCall{.initiator = channel.initiator,
                              .version = version,
                              .author = author,
                              .number = number,
                              .frame = std::move(frame),
                              .done = std::move(done)});
}

void EtcdStore::Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                       Done<LogState> done) {
  Add(channel.key, AcceptCall{.initiator = channel.initiator,
                              .author = author,
                              .cursor = cursor,
                              .done = std::move(done)});
}

void EtcdStore::Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                     Done<std::vector<StoredFrame>> done) {
  sync::MutexLock lock(mutex_);
  // What is at hand of a log is true of it for ever. Calls that were made before come first.
  if (!channel.initiator.empty() && !calls_.contains(channel.key)) {
    auto frames = cache_.Frames(channel, author, after, max_bytes);
    if (!frames.empty()) {
      answers_.push_back([done = std::move(done), frames = std::move(frames)] { done(frames); });
      return;
    }
  }
  Enqueue(channel.key, ReadCall{.initiator = channel.initiator,
                                .author = author,
                                .after = after,
                                .max_bytes = max_bytes,
                                .done = std::move(done)});
}

std::optional<ChannelSnapshot> EtcdStore::Cached(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  const std::optional<ChannelState> state = cache_.Find(key);
  return state ? SnapshotOf(key, *state) : std::nullopt;
}

std::optional<ChannelSnapshot> EtcdStore::SnapshotOf(const ChannelKey& key,
                                                     const ChannelState& state) {
  std::optional<ChannelSnapshot> snapshot = state.SnapshotFor(options_.relay_id);
  if (!snapshot) return snapshot;
  const ChannelRef channel(key, state.Initiator());
  for (Role role : kRoles) {
    if (presence_.IsNewer(channel, role, state.writers[role].revision))
      snapshot->remote[role] = false;
    const int64_t said = state.SaidByOthers(role, options_.relay_id);
    if (presence_.IsNewer(channel, role, said)) snapshot->superseded[role] = false;
  }
  return snapshot;
}

// Needs no etcd: the view has it.
void EtcdStore::Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) {
  sync::MutexLock lock(mutex_);
  rested_ = std::max(rested_, now);
  answers_.push_back([this, now, limit, done = std::move(done)] { done(cache_.Due(now, limit)); });
}

void EtcdStore::SetAttached(const ChannelRef& channel, Role role, bool attached) {
  sync::MutexLock lock(mutex_);
  const std::optional<ChannelState> state = cache_.Find(channel.key);
  const bool known = state && state->IsOf(channel.initiator);
  if (!attached) {
    // Nobody asks where a side is that has left; its word goes with the channel.
    return known && !state->MayBeAttached(role) ? presence_.Leave(channel, role)
                                                : presence_.Detach(channel, role);
  }
  presence_.Attach(channel, role,
                   known ? std::optional(state->PresenceRevision(role)) : std::nullopt);
}

// What a call has done whose answer was lost, and which has been given up since.
void EtcdStore::OnOwnPresence(const ChannelRef& channel, Role role) {
  sync::MutexLock lock(mutex_);
  presence_.Found(channel, role);
}

void EtcdStore::TellThirdParties(const ChannelRef& channel, uint32_t count) {
  sync::MutexLock lock(mutex_);
  EtcdNotice& waiting = third_parties_[channel.key];
  if (waiting.initiator != channel.initiator) waiting = {.initiator = channel.initiator};
  waiting.third_parties += count;
}

void EtcdStore::Add(const ChannelKey& key, decltype(EtcdCall::what) what) {
  sync::MutexLock lock(mutex_);
  Enqueue(key, std::move(what));
}

// A channel that is with etcd comes back into the order when it is answered.
void EtcdStore::Enqueue(const ChannelKey& key, decltype(EtcdCall::what) what) {
  const auto [entry, is_new] = calls_.try_emplace(key);
  entry->second.push_back({.what = std::move(what), .since = SteadyNow()});
  if (is_new) order_.push_back(key);
}

void EtcdStore::Flush() {
  const absl::Duration now = SteadyNow();
  watcher_.Tick(now);
  KeepPresence(now);
  EtcdAnswers answers;
  {
    sync::MutexLock lock(mutex_);
    answers.swap(answers_);
    FailOverdue(now, answers);
  }
  for (const auto& answer : answers) answer();
  WantPresenceLease();
  Advance();
}

}  // namespace wormhole::relay
