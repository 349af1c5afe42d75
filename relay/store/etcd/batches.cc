// The batches of EtcdStore: what goes to etcd, when, and what becomes of it.
#include <algorithm>
#include <utility>

#include "relay/store/etcd/store.h"
#include "relay/store/steady_now.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

// etcd's own limits are 128 operations and 1.5 MiB, unless its operator has changed them.
constexpr int kMaxOperations = 128;
constexpr size_t kMaxBytes = 1 << 20;
// Of one batch, which are small.
constexpr size_t kMaxSayings = 16;

// One that no repetition mends.
bool IsRefusal(const absl::Status& status) { return absl::IsInvalidArgument(status); }

// What the parts of a batch come to.
struct BatchSize {
  // False when the part is too much for one transaction, or writes a key that another part writes.
  bool Add(const ChannelPart& part) {
    operations += part.operations() + 1;
    bytes += part.bytes();
    bool clash = false;
    for (const std::string& key : part.side_keys()) clash |= !written.insert(key).second;
    return operations <= kMaxOperations && bytes <= kMaxBytes && !clash;
  }

  int operations = 0;
  size_t bytes = 0;
  std::set<std::string> written;  // keys of sides, which are not the channel's own
};

// etcd refuses what writes while it is full, but does not look into nested transactions for it:
// this put shows it. It is for the case that the batch's conditions do not hold, and there are
// none.
void AskForSpace(TxnRequest& request, const EtcdKeys& keys) {
  if (request.compare_size() == 0) {
    request.add_failure()->mutable_request_put()->set_key(keys.root());
  }
}

}  // namespace

void EtcdStore::Advance() {
  std::shared_ptr<Batch> batch;
  std::optional<MissingLease> missing;
  {
    sync::MutexLock lock(mutex_);
    if (busy_ || stopping_ || SteadyNow() < try_at_) return;
    batch = MakeBatch(missing);
    if (!missing && batch == nullptr) return;
    busy_ = true;
  }
  if (missing) return GrantLease(*missing);
  batch->sent_at = SteadyNow();
  TxnRequest request = std::move(batch->request);
  client_.Txn(std::move(request), [this, batch](const absl::StatusOr<TxnResponse>& response) {
    OnBatch(batch, response);
  });
}

std::unique_ptr<EtcdStore::Batch> EtcdStore::MakeBatch(std::optional<MissingLease>& missing) {
  auto batch = std::make_unique<Batch>();
  batch->restorings = restorings_;
  leases_.DropEnded(Now());
  AddParts(*batch, missing);
  if (batch->parts.empty() && missing) return nullptr;
  missing.reset();  // the channel that lacks it is first in the next batch
  AddOthers(*batch);
  if (batch->request.success_size() == 0) return nullptr;
  if (batch->writes) AskForSpace(batch->request, keys_);
  return batch;
}

PartContext EtcdStore::ContextNow() {
  const EtcdLeases* const leases = &leases_;  // for the lambda, which runs under the lock too
  return {.keys = &keys_,
          .writer = options_.writer,
          .lease = [leases, now = Now()](absl::Time due_at) { return leases->Find(due_at, now); },
          .presence_lease = presence_lease_,
          .rested = rested_};
}

// One that is to write while etcd is full has none, and is not planned for it: there may be
// thousands, and the batches of those that read come one after the other. Nor has one of which
// nothing else could be said for all its calls.
bool EtcdStore::HasTurn(const ChannelKey& key, const EtcdCalls& calls) {
  if (full_) return SteadyNow() >= write_at_ || !view_.WritesNext(key, calls.front());
  if (presence_lease_ == 0) return true;
  return !presence_.PassedOver(key) &&
         !(passed_over_.contains(key) && third_parties_.contains(key));
}

// A channel whose turn it is not keeps its place, and holds up no other.
void EtcdStore::AddParts(Batch& batch, std::optional<MissingLease>& missing) {
  const PartContext context = ContextNow();
  BatchSize size;
  for (auto next = order_.begin(); next != order_.end();) {
    const ChannelKey key = *next;
    const auto calls = calls_.find(key);
    if (calls->second.empty()) {  // all of them have failed meanwhile
      calls_.erase(calls);
      next = order_.erase(next);
      continue;
    }
    if (!HasTurn(key, calls->second)) {
      ++next;
      continue;
    }
    if (alone_ != 0 && !batch.parts.empty()) return;
    const std::optional<ChannelImage> image = view_.Find(key);
    std::optional<absl::Time> missing_lease;
    auto part = PlanPart(context, key, image ? &*image : nullptr, calls->second,
                         kMaxBytes - std::min(kMaxBytes, size.bytes), missing_lease);
    if (!MayJoin(batch, part == nullptr || part->writes())) {
      ++next;
      continue;
    }
    if (part == nullptr) {
      missing = {.key = key, .due_at = *missing_lease};
      return;
    }
    if (!size.Add(*part) && !batch.parts.empty()) return;
    batch.writes |= part->writes();
    next = order_.erase(next);
    in_flight_[key] = part->taken();
    *batch.request.add_success()->mutable_request_txn() = part->TakeRequest();
    batch.parts.push_back(std::move(part));
  }
}

bool EtcdStore::MayJoin(const Batch& batch, bool writes) const {
  if (!full_) return true;
  if (writes && SteadyNow() < write_at_) return false;
  return batch.request.success_size() == 0 || batch.writes == writes;
}

int EtcdStore::Room(const Batch& batch) const {
  return (alone_ != 0 ? 1 : kMaxOperations / 2) - batch.request.success_size();
}

void EtcdStore::AddOthers(Batch& batch) {
  if (MayJoin(batch, /*writes=*/false)) AddSides(batch);
  if (MayJoin(batch, /*writes=*/true)) {
    AddNotices(batch);
    AddSayings(batch);
    AddClock(batch);
  }
  if (batch.request.success_size() == 0) AddLook(batch);
}

// Behind the calls, and of no channel that has any in the batch: they may drop the keys, and etcd
// refuses one that is written twice. A channel that is passed over has its turn in the next batch.
void EtcdStore::AddSayings(Batch& batch) {
  const int room = Room(batch);
  if (presence_lease_ == 0 || room <= 0) return;
  const PartContext context = ContextNow();
  const auto in_flight = [flying = &in_flight_](const ChannelKey& key) {
    return flying->contains(key);
  };
  for (const ChannelKey& key :
       presence_.Turn(std::min(kMaxSayings, static_cast<size_t>(room)), in_flight)) {
    const std::optional<ChannelImage> image = view_.Find(key);
    Saying saying{.calls = presence_.Take(key)};
    std::optional<absl::Time> missing_lease;  // none is missing: it is the presence's
    saying.part =
        PlanPart(context, key, image ? &*image : nullptr, saying.calls, kMaxBytes, missing_lease);
    batch.writes |= saying.part->writes();
    *batch.request.add_success()->mutable_request_txn() = saying.part->TakeRequest();
    batch.sayings.push_back(std::move(saying));
  }
}

void EtcdStore::AddSides(Batch& batch) {
  while (!side_calls_.empty() && Room(batch) > 0) {
    batch.request.add_success()->mutable_request_range()->set_key(side_calls_.front().key);
    batch.sides.push_back(std::move(side_calls_.front()));
    side_calls_.pop_front();
  }
}

void EtcdStore::AddNotices(Batch& batch) {
  if (presence_lease_ == 0) return;
  for (auto notice = third_parties_.begin(); notice != third_parties_.end();) {
    if (Room(batch) <= 0) return;
    // A channel's part may drop all its state, and etcd refuses a key that is written twice. Its
    // calls let the notice go first the next time.
    if (in_flight_.contains(notice->first)) {
      passed_over_.insert(notice->first);
      ++notice;
      continue;
    }
    passed_over_.erase(notice->first);
    TxnRequest* const txn = batch.request.add_success()->mutable_request_txn();
    Compare* const exists = txn->add_compare();
    exists->set_key(keys_.Record(notice->first));
    exists->set_target(Compare::CREATE);
    exists->set_result(Compare::GREATER);
    exists->set_create_revision(0);
    etcdserverpb::PutRequest* const put = txn->add_success()->mutable_request_put();
    put->set_key(keys_.Notice(notice->first));
    put->set_value(
        WriteNotice(notice->second.third_parties, notice->second.initiator, options_.writer));
    put->set_lease(presence_lease_);
    batch.third_parties.emplace_back(*notice);
    batch.writes = true;
    third_parties_.erase(notice++);
  }
}

void EtcdStore::OnBatch(const std::shared_ptr<Batch>& batch,
                        const absl::StatusOr<TxnResponse>& response) {
  if (response.ok()) follower_.Heard(response->header().revision());
  if (response.ok() && options_.on_commit) {
    size_t operations = batch->sides.size() + batch->third_parties.size();
    for (const auto& part : batch->parts) operations += part->taken();
    for (const Saying& saying : batch->sayings) operations += saying.part->taken();
    if (operations != 0) options_.on_commit(SteadyNow() - batch->sent_at, operations);
  }
  EtcdAnswers answers;
  {
    sync::MutexLock lock(mutex_);
    if (alone_ != 0) --alone_;
    if (response.ok()) {
      Worked(batch->writes);
      Finish(*batch, *response, answers);
    } else {
      Undo(*batch, response.status(), answers);
      Failed(response.status());
    }
  }
  GiveAnswers(std::move(answers));
}

void EtcdStore::Finish(Batch& batch, const TxnResponse& response, EtcdAnswers& answers) {
  int next = 0;
  for (const auto& part : batch.parts) {
    FinishPart(*part, response.responses(next++).response_txn(), response.header().revision(),
               answers);
    // What it was planned on is not of this etcd's history.
    if (batch.restorings != restorings_) view_.Forget(part->key());
  }
  for (SideCall& call : batch.sides) {
    const etcdserverpb::RangeResponse& range = response.responses(next++).response_range();
    std::optional<uint32_t> id;
    if (const auto side = range.kvs_size() == 1 ? ReadSide(range.kvs(0).value()) : std::nullopt) {
      if (!side->rests_until || *side->rests_until > rested_) id = side->id;
    }
    answers.push_back([done = std::move(call.done), id] { done(id); });
  }
  next += static_cast<int>(batch.third_parties.size());
  for (Saying& saying : batch.sayings) {
    FinishSaying(saying, response.responses(next++).response_txn(), response.header().revision());
    if (batch.restorings != restorings_) view_.Forget(saying.part->key());
  }
  if (batch.clock) clock_said_ = batch.clock;
}

void EtcdStore::FinishSaying(Saying& saying, const TxnResponse& response, int64_t revision) {
  const ChannelKey& key = saying.part->key();
  EtcdCalls left = saying.calls;
  EtcdAnswers none;
  ChannelImage now;
  view_.Update(key, [&](ChannelImage& image) {
    const bool wrote_record = saying.part->Finish(response, revision, image, left, none);
    now = image;
    return wrote_record;
  });
  presence_.Finish(key, saying.calls, left, now, options_.writer);
}

void EtcdStore::FinishPart(ChannelPart& part, const TxnResponse& response, int64_t revision,
                           EtcdAnswers& answers) {
  const ChannelKey& key = part.key();
  EtcdCalls& calls = calls_[key];
  bool ended = false;
  view_.Update(key, [&](ChannelImage& image) {
    const bool wrote = part.Finish(response, revision, image, calls, answers);
    ended = wrote && (image.version() == 0 || image.record.value->ended());
    return wrote;
  });
  NoteAttached(part, revision);
  if (ended) presence_.Drop(key);
  Requeue(key);
}

// Should the lease have been lost meanwhile, the keys are gone, or soon will be.
void EtcdStore::NoteAttached(const ChannelPart& part, int64_t revision) {
  if (part.attached().none()) return;
  const std::optional<ChannelImage> image = view_.Find(part.key());
  const ChannelRef channel(part.key(), image ? image->Initiator() : "");
  const bool said = part.presence_lease() != 0;
  for (const Role role : {Role::kInitiator, Role::kReceiver}) {
    if (!part.attached().test(static_cast<size_t>(role))) continue;
    presence_.Brought(channel, role,
                      {.revision = revision,
                       .said = said,
                       .lasts = said && part.presence_lease() == presence_lease_});
  }
}

void EtcdStore::Requeue(const ChannelKey& key, bool first) {
  in_flight_.erase(key);
  if (const auto calls = calls_.find(key); calls->second.empty()) {
    calls_.erase(calls);
  } else if (first) {
    order_.push_front(key);
  } else {
    order_.push_back(key);
  }
}

// What it was based on, and has changed, is not known any more. Of several things that etcd has
// refused it is unclear which one it means: each goes by itself, before anything else does.
void EtcdStore::Undo(Batch& batch, const absl::Status& why, EtcdAnswers& answers) {
  const bool several = IsRefusal(why) && batch.things() > 1;
  const bool give_up = IsRefusal(why) && !several;
  if (several) alone_ = batch.things();
  for (const auto& part : batch.parts) {
    view_.Forget(part->key());
    EtcdCalls& calls = calls_[part->key()];
    if (give_up) {
      for (size_t i = 0; i < part->taken(); ++i) {
        FailCall(calls.front(), StoreAway(std::string(why.message())), answers);
        calls.pop_front();
      }
    }
    Requeue(part->key(), several);
  }
  for (SideCall& call : batch.sides) side_calls_.push_back(std::move(call));
  if (give_up && batch.clock) clock_said_ = batch.clock;
  for (auto& [key, notice] : batch.third_parties) {
    if (give_up) continue;
    const auto [later, is_new] = third_parties_.try_emplace(key, notice);
    const bool same = later->second.initiator == notice.initiator;
    if (!is_new && same) later->second.third_parties += notice.third_parties;
  }
  for (const Saying& saying : batch.sayings) {
    view_.Forget(saying.part->key());
    presence_.Finish(saying.part->key(), saying.calls, give_up ? EtcdCalls() : saying.calls, {},
                     options_.writer);
  }
}

void EtcdStore::GiveAnswers(EtcdAnswers answers) {
  for (const auto& answer : answers) answer();
  {
    sync::MutexLock lock(mutex_);
    busy_ = false;
  }
  Advance();
}

}  // namespace wormhole::relay
