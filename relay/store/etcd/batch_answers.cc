// The batches of EtcdStore: what becomes of them.
#include <algorithm>
#include <utility>

#include "relay/store/etcd/etcd_store.h"
#include "relay/store/steady_now.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::TxnResponse;

// One that no repetition mends.
bool IsRefusal(const absl::Status& status) { return absl::IsInvalidArgument(status); }

}  // namespace

void EtcdStore::OnBatch(const std::shared_ptr<Batch>& batch,
                        const absl::StatusOr<TxnResponse>& response) {
  if (response.ok()) watcher_.Heard(response->header().revision());
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
    if (batch.restorings != restorings_) cache_.Forget(part->key());
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
    if (batch.restorings != restorings_) cache_.Forget(saying.part->key());
  }
  if (batch.clock) clock_said_ = batch.clock;
}

void EtcdStore::FinishSaying(Saying& saying, const TxnResponse& response, int64_t revision) {
  const ChannelKey& key = saying.part->key();
  EtcdCalls left = saying.calls;
  EtcdAnswers none;
  ChannelState now;
  cache_.Update(key, [&](ChannelState& state) {
    const bool wrote_record = saying.part->Finish(response, revision, state, left, none);
    now = state;
    return wrote_record;
  });
  presence_.Finish(key, saying.calls, left, now, options_.relay_id);
}

void EtcdStore::FinishPart(ChannelTxn& part, const TxnResponse& response, int64_t revision,
                           EtcdAnswers& answers) {
  const ChannelKey& key = part.key();
  EtcdCalls& calls = calls_[key];
  bool ended = false;
  cache_.Update(key, [&](ChannelState& state) {
    const bool wrote = part.Finish(response, revision, state, calls, answers);
    ended = wrote && (state.version() == 0 || state.record.value->ended());
    return wrote;
  });
  NoteAttached(part, revision);
  if (ended) presence_.Drop(key);
  Requeue(key);
}

// Should the lease have been lost meanwhile, the keys are gone, or soon will be.
void EtcdStore::NoteAttached(const ChannelTxn& part, int64_t revision) {
  if (part.attached().empty()) return;
  const std::optional<ChannelState> state = cache_.Find(part.key());
  const ChannelRef channel(part.key(), state ? state->Initiator() : "");
  const bool said = part.presence_lease() != 0;
  for (Role role : kRoles) {
    if (!part.attached().contains(role)) continue;
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
// refused it is unclear which one it means: each goes by itself, and its channels before all
// others, in their order.
void EtcdStore::Undo(Batch& batch, const absl::Status& why, EtcdAnswers& answers) {
  const bool several = IsRefusal(why) && batch.things() > 1;
  const bool give_up = IsRefusal(why) && !several;
  if (several) {
    alone_ = batch.things();
    std::reverse(batch.parts.begin(), batch.parts.end());  // the last one put in front is the first
  }
  for (const auto& part : batch.parts) {
    cache_.Forget(part->key());
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
    cache_.Forget(saying.part->key());
    presence_.Finish(saying.part->key(), saying.calls, give_up ? EtcdCalls() : saying.calls, {},
                     options_.relay_id);
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
