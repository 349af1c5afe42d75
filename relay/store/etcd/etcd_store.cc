#include "relay/store/etcd/etcd_store.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "absl/memory/memory.h"
#include "relay/store/etcd/plan.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// How long the destructor waits for etcd to revoke the lease, which otherwise ends by itself.
constexpr std::chrono::seconds kRevokeWait(1);

// How many channels' presence goes in one batch: the batch stays small.
constexpr size_t kMaxPresence = 16;

constexpr char kTimeIsUnsure[] =
    "etcd is there, and the clock of a relay that may be gone is behind: this relay serves when it "
    "is sure of the time";

// No repetition mends it.
bool IsRefusal(const absl::Status& status) { return absl::IsInvalidArgument(status); }

}  // namespace

std::unique_ptr<EtcdStore> EtcdStore::Open(EtcdOptions options, std::unique_ptr<EtcdApi> etcd,
                                           SteadyClock steady_now) {
  auto store =
      absl::WrapUnique(new EtcdStore(std::move(options), std::move(etcd), std::move(steady_now)));
  store->watcher_.Tick(store->steady_now_());
  return store;
}

EtcdStore::EtcdStore(EtcdOptions options, std::unique_ptr<EtcdApi> etcd, SteadyClock steady_now)
    : options_(std::move(options)),
      keys_(options_.prefix),
      etcd_(std::move(etcd)),
      steady_now_(std::move(steady_now)),
      cache_(&keys_, options_.relay_id,
             [this](const ChannelRef& channel, Role role) { OnOwnPresence(channel, role); }),
      clocks_(options_.clock, keys_.Clock(options_.relay_id), options_.presence_ttl / 3),
      watcher_(
          &keys_, etcd_.get(), &cache_,
          {.on_read = [this](const absl::Status& status) { return OnRead(status); },
           .on_restored = [this] { ForgetLeases(); },
           .on_lost = [this] { ProbeSoon(); },
           .on_clocks = [this](const auto& all, bool restored) { clocks_.TakeAll(all, restored); },
           .on_clock =
               [this](const ClockSighting& one) {
                 clocks_.Take(one);
                 EndStart();
               }}),
      start_(2 * options_.presence_ttl),
      presence_lease_(options_.presence_ttl),
      availability_(etcd_->endpoints(), TroubleReport(options_.on_trouble)) {}

bool EtcdStore::OnRead(const absl::Status& status) {
  bool hopeless = false;
  {
    sync::MutexLock lock(mutex_);
    if (stopping_) return false;  // cancelled
    const absl::Duration now = steady_now_();
    start_.NoteRead(status, now);
    hopeless = start_.is_hopeless();
    if (status.ok()) {
      availability_.Answered(/*wrote=*/false);
    } else if (!hopeless) {
      availability_.Failed(status, now);
    }
  }
  if (hopeless && options_.on_started) options_.on_started(status);
  if (!status.ok()) return !hopeless;
  AskForPresenceLease();  // the sooner this relay tells its time, the fewer relays differ
  EndStart();
  return true;
}

void EtcdStore::EndStart() {
  {
    sync::MutexLock lock(mutex_);
    if (!start_.has_read() || start_.is_over()) return;
    // It may have gone away again since all was read. A full one serves what only reads.
    if (availability_.failing() && !availability_.full()) return;
    if (!start_.TakeEnd(clocks_.sure(), steady_now_())) {
      return availability_.NotYet(absl::UnavailableError(kTimeIsUnsure));
    }
    availability_.Worked(/*wrote=*/false);
  }
  if (options_.on_started) options_.on_started(absl::OkStatus());
}

EtcdStore::~EtcdStore() {
  int64_t lease = 0;
  {
    sync::MutexLock lock(mutex_);
    stopping_ = true;
    lease = presence_lease_.id();
  }
  if (lease != 0) {
    const auto heard = std::make_shared<std::promise<void>>();
    etcd_->Revoke(lease, [heard](const auto&) { heard->set_value(); });
    heard->get_future().wait_for(kRevokeWait);
  }
  etcd_->Stop();
  // An answer may make further calls.
  for (;;) {
    EtcdAnswers answers;
    {
      sync::MutexLock lock(mutex_);
      answers.swap(answers_);
      calls_.FailAll(StoreAway("the store is closing"), answers);
    }
    if (answers.empty()) return;
    for (const auto& answer : answers) answer();
  }
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
  calls_.AddSide(
      {.key = keys_.Side(app_id, side), .done = std::move(done), .since = steady_now_()});
}

void EtcdStore::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                    const PutOptions& options, Done<PutOutcome> done) {
  sync::MutexLock lock(mutex_);
  if (!options.attached.empty()) {
    const ChannelRef channel(key, record.member(Role::kInitiator).side);
    const EtcdPresence::Numbers numbers = presence_.BringAlong(channel, options.attached);
    done = [this, channel, roles = options.attached, numbers,
            done = std::move(done)](const absl::StatusOr<PutOutcome>& outcome) {
      {
        sync::MutexLock again(mutex_);
        presence_.RecordAnswered(channel, roles, numbers,
                                 outcome.ok() && *outcome == PutOutcome::kDone);
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
  Add(channel.key, AppendCall{.channel = channel,
                              .version = version,
                              .author = author,
                              .number = number,
                              .frame = std::move(frame),
                              .done = std::move(done)});
}

void EtcdStore::Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                       Done<LogState> done) {
  Add(channel.key,
      AcceptCall{.channel = channel, .author = author, .cursor = cursor, .done = std::move(done)});
}

void EtcdStore::Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                     Done<std::vector<StoredFrame>> done) {
  sync::MutexLock lock(mutex_);
  // What the cache has of a log stays true for ever. Calls that were made before come first.
  if (!channel.initiator.empty() && !calls_.Has(channel.key)) {
    auto frames = cache_.Frames(channel, author, after, max_bytes);
    if (!frames.empty()) {
      answers_.push_back([done = std::move(done), frames = std::move(frames)] { done(frames); });
      return;
    }
  }
  Enqueue(channel.key, ReadCall{.channel = channel,
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
    if (presence_.IsNewer(channel, role, state.attached_at[role].revision))
      snapshot->remote[role] = false;
    const int64_t said = state.SaidByOthers(role, options_.relay_id);
    if (presence_.IsNewer(channel, role, said)) snapshot->superseded[role] = false;
  }
  return snapshot;
}

// Needs no etcd: the cache has it.
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
    // Nobody asks where a side is that has left; its presence goes with the channel.
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
  notices_.Add(channel, count);
}

void EtcdStore::Add(const ChannelKey& key, decltype(EtcdCall::what) what) {
  sync::MutexLock lock(mutex_);
  Enqueue(key, std::move(what));
}

void EtcdStore::Enqueue(const ChannelKey& key, decltype(EtcdCall::what) what) {
  calls_.Add(key, {.what = std::move(what), .since = steady_now_()});
}

void EtcdStore::Flush() {
  const absl::Duration now = steady_now_();
  watcher_.Tick(now);
  EndStart();
  RenewPresenceLease(now);
  EtcdAnswers answers;
  {
    sync::MutexLock lock(mutex_);
    answers.swap(answers_);
    FailOverdue(now, answers);
  }
  for (const auto& answer : answers) answer();
  AskForPresenceLease();
  Advance();
}

void EtcdStore::FailOverdue(absl::Duration now, EtcdAnswers& answers) {
  const bool starts = !start_.is_over();
  if (!availability_.TakeOverdueCheck(now, /*held=*/starts)) return;
  calls_.FailOverdue(
      now, starts ? options_.creation_patience : options_.patience, options_.creation_patience,
      StoreAway(starts ? "this relay has not found etcd yet; other relays may have"
                       : "etcd is away, or has no leader; other relays may have one"),
      answers);
}

// --- The next batch.

void EtcdStore::Advance() {
  std::shared_ptr<SentBatch> sent;
  std::optional<MissingLease> missing;
  {
    sync::MutexLock lock(mutex_);
    if (busy_ || stopping_ || !start_.has_read() || !availability_.MayTry(steady_now_())) return;
    sent = MakeBatch(missing);
    if (!missing && sent == nullptr) return;
    if (sent != nullptr) sent->seen = watcher_.Seen();
    busy_ = true;
  }
  if (missing) return GrantLease(*missing);
  sent->request = std::make_shared<const TxnRequest>(sent->batch.TakeRequest());
  etcd_->Txn(sent->request, [this, sent](const absl::StatusOr<TxnResponse>& response) {
    OnBatch(sent, response);
  });
}

std::shared_ptr<EtcdStore::SentBatch> EtcdStore::MakeBatch(std::optional<MissingLease>& missing) {
  auto sent =
      std::make_shared<SentBatch>(&keys_, /*alone=*/alone_ != 0, restorings_, steady_now_());
  EtcdBatch& batch = sent->batch;
  leases_.DropEnded(Now());
  if (start_.is_over()) AddCalls(batch, missing);
  if (batch.empty() && missing) return nullptr;
  missing.reset();  // the channel that lacks it is first in the next batch
  AddOthers(batch);
  return batch.empty() ? nullptr : sent;
}

TxnContext EtcdStore::ContextNow() {
  const EtcdLeases* const leases = &leases_;  // for the lambda, which runs under the lock too
  return {.keys = &keys_,
          .relay_id = options_.relay_id,
          .lease = [leases, now = Now()](absl::Time due_at) { return leases->Find(due_at, now); },
          .presence_lease = presence_lease_.id(),
          .rested = rested_};
}

// A channel that may not go now keeps its place, and holds up no other.
void EtcdStore::AddCalls(EtcdBatch& batch, std::optional<MissingLease>& missing) {
  const TxnContext context = ContextNow();
  using Offered = WaitingCalls::Offered;
  calls_.Offer([&](const ChannelKey& key, const EtcdCalls& calls, size_t& taken) {
    mutex_.AssumeHeld();
    if (!MayGoNow(key, calls)) return Offered::kWaits;
    if (batch.is_taken_alone()) return Offered::kEnd;
    const std::optional<ChannelState> state = cache_.Find(key);
    std::optional<absl::Time> missing_lease;
    std::unique_ptr<ChannelTxn> txn =
        PlanTxn(context, key, state ? &*state : nullptr, calls, batch.bytes_left(), missing_lease);
    if (!MayJoin(batch, txn == nullptr || txn->writes())) return Offered::kWaits;
    if (txn == nullptr) {
      missing = {.key = key, .due_at = *missing_lease};
      return Offered::kEnd;
    }
    taken = txn->taken();
    return batch.Add(txn) ? Offered::kGoes : Offered::kEnd;
  });
}

// While etcd is full, a channel whose next call writes has to wait, and is not planned for it:
// there may be thousands, and the batches of those that read come one after the other. A channel
// waits too when there is something to tell of it that its calls have kept back once: with calls in
// each batch, nothing else of it would ever be told.
bool EtcdStore::MayGoNow(const ChannelKey& key, const EtcdCalls& calls) {
  if (availability_.full()) {
    return availability_.MayWrite(steady_now_()) || !cache_.WritesNext(key, calls.front());
  }
  if (presence_lease_.id() == 0) return true;
  return !presence_.PassedOver(key) && !notices_.IsPassedOver(key);
}

bool EtcdStore::MayJoin(const EtcdBatch& batch, bool writes) const {
  if (!availability_.full()) return true;
  if (writes && !availability_.MayWrite(steady_now_())) return false;
  return batch.empty() || batch.writes() == writes;
}

void EtcdStore::AddOthers(EtcdBatch& batch) {
  if (start_.is_over() && MayJoin(batch, /*writes=*/false)) AddSides(batch);
  if (MayJoin(batch, /*writes=*/true)) {
    AddNotices(batch);
    AddPresence(batch);
    AddClock(batch);
  }
  if (batch.empty() && availability_.TakeProbe(steady_now_())) batch.AddProbe();
}

void EtcdStore::AddSides(EtcdBatch& batch) {
  while (batch.room() > 0) {
    std::optional<SideCall> call = calls_.TakeSide();
    if (!call) return;
    batch.Add(*std::move(call));
  }
}

void EtcdStore::AddNotices(EtcdBatch& batch) {
  if (presence_lease_.id() == 0) return;
  const auto has_calls = [calls = &calls_](const ChannelKey& key) {
    return calls->IsWithEtcd(key);
  };
  for (const auto& notice : notices_.Take(batch.room(), has_calls)) {
    batch.Add(notice, options_.relay_id, presence_lease_.id());
  }
}

// Of no channel that has calls in the batch: these may delete the keys, and etcd refuses a batch
// that writes a key twice. A channel that is passed over goes in the next batch.
void EtcdStore::AddPresence(EtcdBatch& batch) {
  if (presence_lease_.id() == 0 || batch.room() == 0) return;
  const TxnContext context = ContextNow();
  const auto has_calls = [calls = &calls_](const ChannelKey& key) {
    return calls->IsWithEtcd(key);
  };
  for (const ChannelKey& key :
       presence_.NextPending(std::min(kMaxPresence, batch.room()), has_calls)) {
    const std::optional<ChannelState> state = cache_.Find(key);
    PresenceUpdate update{.txn = nullptr, .calls = presence_.Take(key)};
    std::optional<absl::Time> missing_lease;  // none is missing: it is the presence's
    update.txn = PlanTxn(context, key, state ? &*state : nullptr, update.calls,
                         EtcdBatch::kMaxBytes, missing_lease);
    batch.Add(std::move(update));
  }
}

// Not under a lease that may have ended: etcd would refuse the whole batch.
void EtcdStore::AddClock(EtcdBatch& batch) {
  const absl::Duration now = steady_now_();
  if (presence_lease_.id() == 0 || batch.room() == 0 || presence_lease_.MayHaveEnded(now)) return;
  if (const auto update = clocks_.Due(presence_lease_.id(), now)) {
    batch.Add(*update, options_.relay_id);
  }
}

// --- What becomes of a batch.

void EtcdStore::OnBatch(const std::shared_ptr<SentBatch>& sent,
                        const absl::StatusOr<TxnResponse>& response) {
  EtcdBatch& batch = sent->batch;
  EtcdHistory::Answer shown;
  if (response.ok()) shown = EtcdHistory::AnswerOf(*sent->request, *response, keys_.Watched());
  if (response.ok() && options_.on_commit && batch.calls() != 0) {
    options_.on_commit(steady_now_() - sent->at, batch.calls());
  }
  EtcdAnswers answers;
  {
    sync::MutexLock lock(mutex_);
    if (alone_ != 0) --alone_;
    if (response.ok()) {
      // Before any caller hears of it: an etcd that is restored without it is known by that.
      if (sent->restorings == restorings_) watcher_.Heard(shown, sent->seen);
      // Until the start is over the store does not work, whatever etcd does.
      start_.is_over() ? availability_.Worked(batch.writes())
                       : availability_.Answered(batch.writes());
      Finish(*sent, *response, answers);
    } else {
      Undo(batch, response.status(), answers);
      Failed(response.status());
    }
  }
  GiveAnswers(std::move(answers));
}

void EtcdStore::Finish(SentBatch& sent, const TxnResponse& response, EtcdAnswers& answers) {
  const int64_t revision = response.header().revision();
  // If etcd was restored meanwhile, the batch was planned on what is not of this etcd's history.
  const bool outdated = sent.restorings != restorings_;
  int next = 0;
  for (const auto& txn : sent.batch.txns()) {
    FinishCalls(*txn, response.responses(next++).response_txn(), revision, answers);
    if (outdated) cache_.Forget(txn->key());
  }
  for (SideCall& call : sent.batch.sides()) {
    FinishSide(call, response.responses(next++).response_range(), answers);
  }
  next += static_cast<int>(sent.batch.notices().size());
  for (PresenceUpdate& update : sent.batch.presence()) {
    FinishPresence(update, response.responses(next++).response_txn(), revision);
    if (outdated) cache_.Forget(update.txn->key());
  }
  if (sent.batch.clock()) clocks_.NoteTold(*sent.batch.clock());
}

void EtcdStore::FinishCalls(ChannelTxn& txn, const TxnResponse& response, int64_t revision,
                            EtcdAnswers& answers) {
  const ChannelKey& key = txn.key();
  EtcdCalls& calls = calls_.Of(key);
  bool ended = false;
  cache_.Update(key, [&](ChannelState& state) {
    const bool wrote = txn.Finish(response, revision, state, calls, answers);
    ended = wrote && (state.version() == 0 || state.record.value->ended());
    return wrote;
  });
  NoteAttached(txn, revision);
  if (ended) presence_.Drop(key);
  calls_.Return(key);
}

void EtcdStore::FinishSide(SideCall& call, const etcdserverpb::RangeResponse& range,
                           EtcdAnswers& answers) {
  std::optional<uint32_t> id;
  if (const auto side = range.kvs_size() == 1 ? ReadSide(range.kvs(0).value()) : std::nullopt) {
    if (!side->rests_until || *side->rests_until > rested_) id = side->id;
  }
  answers.push_back([done = std::move(call.done), id] { done(id); });
}

void EtcdStore::FinishPresence(PresenceUpdate& update, const TxnResponse& response,
                               int64_t revision) {
  const ChannelKey& key = update.txn->key();
  EtcdCalls left = update.calls;
  EtcdAnswers none;
  ChannelState now;
  cache_.Update(key, [&](ChannelState& state) {
    const bool wrote_record = update.txn->Finish(response, revision, state, left, none);
    now = state;
    return wrote_record;
  });
  presence_.Finish(key, update.calls, left, now, options_.relay_id);
}

// Should the lease have been lost meanwhile, the keys are gone, or soon will be.
void EtcdStore::NoteAttached(const ChannelTxn& txn, int64_t revision) {
  if (txn.attached().empty()) return;
  const std::optional<ChannelState> state = cache_.Find(txn.key());
  const ChannelRef channel(txn.key(), state ? state->Initiator() : "");
  const bool said = txn.presence_lease() != 0;
  for (Role role : kRoles) {
    if (!txn.attached().contains(role)) continue;
    presence_.RecordWritten(channel, role,
                            {.revision = revision,
                             .said = said,
                             .lasts = said && txn.presence_lease() == presence_lease_.id()});
  }
}

// What the batch was planned on, and has changed, is not known any more. When etcd has refused a
// batch of several things, it is unclear which one it means: each goes by itself, and the batch's
// channels before all others, in their order.
void EtcdStore::Undo(EtcdBatch& batch, const absl::Status& why, EtcdAnswers& answers) {
  const bool several = IsRefusal(why) && batch.things() > 1;
  const bool give_up = IsRefusal(why) && !several;
  if (several) {
    alone_ = batch.things();
    // The last one that is put in front is the first.
    std::reverse(batch.txns().begin(), batch.txns().end());
  }
  for (const auto& txn : batch.txns()) {
    cache_.Forget(txn->key());
    EtcdCalls& calls = calls_.Of(txn->key());
    if (give_up) {
      for (size_t i = 0; i < txn->taken(); ++i) {
        FailCall(calls.front(), StoreAway(std::string(why.message())), answers);
        calls.pop_front();
      }
    }
    calls_.Return(txn->key(), several);
  }
  for (SideCall& call : batch.sides()) calls_.AddSide(std::move(call));
  if (give_up && batch.clock()) clocks_.NoteTold(*batch.clock());
  if (!give_up) {
    for (const auto& notice : batch.notices()) notices_.PutBack(notice);
  }
  for (const PresenceUpdate& update : batch.presence()) {
    cache_.Forget(update.txn->key());
    presence_.Finish(update.txn->key(), update.calls, give_up ? EtcdCalls() : update.calls, {},
                     options_.relay_id);
  }
}

void EtcdStore::Failed(const absl::Status& why) {
  if (stopping_) return;        // cancelled
  if (absl::IsNotFound(why)) {  // a lease, of which etcd may forget all
    leases_.Clear();
    LosePresenceLease();
  }
  availability_.Failed(why, steady_now_());
}

void EtcdStore::GiveAnswers(EtcdAnswers answers) {
  for (const auto& answer : answers) answer();
  {
    sync::MutexLock lock(mutex_);
    busy_ = false;
  }
  Advance();
}

void EtcdStore::ProbeSoon() {
  sync::MutexLock lock(mutex_);
  availability_.ProbeSoon();
}

// --- Leases: those of channels, and the one of what this relay tells the others.

EtcdLeases::Now EtcdStore::Now() {
  return {.wall = options_.clock->Now(), .steady = steady_now_()};
}

void EtcdStore::GrantLease(const MissingLease& missing) {
  const EtcdLeases::Now now = Now();
  const absl::Time due_at = missing.due_at;
  etcd_->Grant(absl::ToInt64Seconds(absl::Ceil(EtcdLeases::TtlOf(due_at, now), absl::Seconds(1))),
               [this, missing, now](const absl::StatusOr<etcdserverpb::LeaseGrantResponse>& lease) {
                 EtcdAnswers answers;
                 {
                   sync::MutexLock lock(mutex_);
                   if (lease.ok()) {
                     availability_.Worked(/*wrote=*/true);
                     leases_.Add(missing.due_at, lease->id(), now);
                   } else {
                     Failed(lease.status());
                     // The channel's calls would hold up those of the others.
                     if (availability_.full()) {
                       calls_.FailChannel(
                           missing.key, StoreAway(std::string(lease.status().message())), answers);
                     }
                   }
                 }
                 GiveAnswers(std::move(answers));
               });
}

// Batches do not wait for it, and whether it is granted says nothing of whether the store works: an
// etcd that is full grants no lease, and answers reads all the same.
void EtcdStore::AskForPresenceLease() {
  {
    sync::MutexLock lock(mutex_);
    if (stopping_ || !start_.has_read() || !presence_lease_.TakeRequest(steady_now_())) return;
  }
  etcd_->Grant(absl::ToInt64Seconds(options_.presence_ttl),
               [this](const absl::StatusOr<etcdserverpb::LeaseGrantResponse>& lease) {
                 {
                   sync::MutexLock lock(mutex_);
                   if (!lease.ok()) availability_.ProbeSoon();
                   presence_lease_.Granted(lease.ok() ? lease->id() : 0);
                 }
                 Advance();
               });
}

void EtcdStore::RenewPresenceLease(absl::Duration now) {
  int64_t lease = 0;
  {
    sync::MutexLock lock(mutex_);
    if (stopping_) return;
    lease = presence_lease_.TakeRenewal(now);
  }
  if (lease == 0) return;
  etcd_->KeepAlive(
      lease, [this, lease](const absl::StatusOr<etcdserverpb::LeaseKeepAliveResponse>& answer) {
        OnRenewal(lease, answer.status());
      });
}

// Batches alone tell whether the store works and when the next one goes: an etcd that takes no
// writes renews leases all the same, and one renewal that is lost is no reason for posts to wait.
void EtcdStore::OnRenewal(int64_t lease, const absl::Status& status) {
  sync::MutexLock lock(mutex_);
  if (!status.ok() && !absl::IsNotFound(status)) availability_.ProbeSoon();
  presence_lease_.Renewed(status.ok());
  if (absl::IsNotFound(status) && lease == presence_lease_.id()) LosePresenceLease();
}

// The keys are gone with the lease, and with them the other relays' knowledge of who is attached
// here: this relay writes them again under a new lease.
void EtcdStore::LosePresenceLease() {
  presence_lease_.Lose();
  presence_.WriteAgain();
}

// Leases that were granted since the copy was made are gone. The one of the presence may be there,
// with keys that say where sides were attached then: they go with it.
void EtcdStore::ForgetLeases() {
  if (options_.on_restored) options_.on_restored();
  int64_t lease = 0;
  {
    sync::MutexLock lock(mutex_);
    ++restorings_;
    leases_.Clear();
    lease = presence_lease_.id();
    presence_.Rewind();
    LosePresenceLease();
  }
  if (lease != 0) etcd_->Revoke(lease, [](const auto&) {});
}

}  // namespace wormhole::relay
