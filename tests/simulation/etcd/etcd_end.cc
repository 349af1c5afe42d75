#include "tests/simulation/etcd/etcd_end.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace wormhole::simulation {
namespace {

// As EtcdClient's.
constexpr absl::Duration kDeadline = absl::Seconds(2);

// How long what nobody awaits any more may be on its way to etcd.
constexpr absl::Duration kMostLate = absl::Seconds(4);

// What is asked when a watch has begun is answered by then, also when it has to be asked again.
constexpr absl::Duration kLongestQuestion = absl::Seconds(20);

// How long a connection that is silent lasts.
constexpr absl::Duration kSilence = absl::Seconds(5);

absl::Status Lost() { return absl::UnavailableError("the simulated etcd is away"); }
absl::Status Late() { return absl::DeadlineExceededError("the simulated etcd does not answer"); }
absl::Status Cancelled() { return absl::CancelledError("the simulated client has stopped"); }

}  // namespace

void EtcdEnd::Later(absl::Duration most, std::function<void()> action) {
  world_->stage().loop->After(random_.Between(absl::ZeroDuration(), most),
                              [alive = std::weak_ptr<int>(alive_), action = std::move(action)] {
                                if (!alive.expired()) action();
                              });
}

// --- Calls.

template <typename Response>
void EtcdEnd::Call(std::function<absl::StatusOr<Response>()> effect, Done<Response> done) {
  if (stopped_) return done(Cancelled());
  const uint64_t call = ++last_;
  calls_[call] = [done](const absl::Status& why) { done(why); };
  if (dead_) return;  // until Stop
  const absl::Duration trip = world_->store().max_commit / 2;
  const bool lost = world_->stage().stormy() && random_.Chance(world_->store().failing_batches);
  const bool effective = !lost || random_.Chance(0.5);
  const auto take_effect = [world = world_, history = world_->history(),
                            effect = std::move(effect)]() -> absl::StatusOr<Response> {
    if (history != world->history()) return Lost();  // with the etcd to which it was sent
    absl::StatusOr<Response> response = effect();
    world->OnWritten();
    return response;
  };
  if (away_ || !effective) {
    // A request may be where nobody sees it, and go on when the way is open again.
    if (random_.Chance(0.3)) {
      world_->stage().loop->After(random_.Between(absl::ZeroDuration(), kMostLate),
                                  [take_effect] { (void)take_effect(); });
    }
    return random_.Chance(0.5) ? Fail(call, trip, Lost()) : Fail(call, kDeadline, Late());
  }
  // Not under `alive_`: what has been sent comes to pass whoever is gone.
  world_->stage().loop->After(
      random_.Between(absl::ZeroDuration(), trip),
      [this, world = world_, alive = std::weak_ptr<int>(alive_), take_effect, call, done, lost,
       trip, notices = notices_] {
        const int64_t before = world->etcd().revision();
        absl::StatusOr<Response> response = take_effect();
        const bool writes = std::is_same_v<Response, etcdserverpb::TxnResponse> &&
                            world->etcd().revision() != before;
        int64_t written = writes ? before + 1 : 0;
        if (alive.expired()) return;
        if (lost || away_) return Fail(call, kDeadline, random_.Chance(0.5) ? Lost() : Late());
        // What has reached the client before etcd went may be read later.
        const bool here = random_.Chance(0.3);
        Later(trip, [this, call, done, written, here, notices, history = world_->history(),
                     response = std::move(response)] {
          const bool same = history == world_->history();
          if (!here && (away_ || !same)) return Fail(call, kDeadline, Late());
          if (dead_ || calls_.erase(call) == 0) return;
          failing_since_.reset();
          // What it asked before it has found that out tells it nothing.
          if (notices == notices_) NoteWritten(written, same);
          done(response);
        });
      });
}

void EtcdEnd::Fail(uint64_t call, absl::Duration most, const absl::Status& why) {
  Later(most, [this, call, why] {
    if (dead_) return;
    const auto found = calls_.find(call);
    if (found == calls_.end()) return;
    const auto tell = std::move(found->second);
    calls_.erase(found);
    NoteFailure();
    tell(why);
  });
}

// One that is lost is made again at once, which everybody has time for.
void EtcdEnd::NoteFailure() {
  const absl::Duration now = world_->stage().loop->now();
  if (!failing_since_) failing_since_ = now;
  if (now - *failing_since_ > kShortFailure) on_trouble_();
}

void EtcdEnd::Stop() {
  stopped_ = true;
  for (const auto& [call, tell] : std::exchange(calls_, {})) tell(Cancelled());
  for (const auto& [id, watching] : std::exchange(watches_, {})) watching.on_end(Cancelled());
}

void EtcdEnd::Txn(std::shared_ptr<const etcdserverpb::TxnRequest> request,
                  Done<etcdserverpb::TxnResponse> done) {
  Call<etcdserverpb::TxnResponse>(
      [world = world_, request = std::move(request)] {
        auto response = world->etcd().Txn(*request);
        // The store would send each thing by itself, and all would seem to be well.
        if (absl::IsInvalidArgument(response.status())) {
          world->NoteWrong(absl::StrCat("etcd refuses: ", response.status().message()));
        }
        return response;
      },
      std::move(done));
}

void EtcdEnd::Range(etcdserverpb::RangeRequest request, Done<etcdserverpb::RangeResponse> done) {
  lists_ = !request.range_end().empty();
  Call<etcdserverpb::RangeResponse>(
      [world = world_, request = std::move(request)] { return world->etcd().Range(request); },
      std::move(done));
}

void EtcdEnd::Grant(int64_t ttl_seconds, Done<etcdserverpb::LeaseGrantResponse> done) {
  Call<etcdserverpb::LeaseGrantResponse>(
      [world = world_, ttl_seconds]() -> absl::StatusOr<etcdserverpb::LeaseGrantResponse> {
        return world->etcd().Grant(ttl_seconds, world->stage().loop->now());
      },
      [this, done = std::move(done), granted = world_->stage().loop->now(),
       ttl_seconds](const absl::StatusOr<etcdserverpb::LeaseGrantResponse>& answer) {
        if (answer.ok()) leases_[answer->id()] = {absl::Seconds(ttl_seconds), granted};
        done(answer);
      });
}

// A process that has died revokes nothing; its store waits for the answer all the same.
void EtcdEnd::Revoke(int64_t lease, Done<etcdserverpb::LeaseRevokeResponse> done) {
  if (dead_ || (leaves_ && away_)) return done(Cancelled());
  if (leaves_) {
    auto response = world_->etcd().Revoke(lease);
    world_->OnWritten();
    return done(std::move(response));
  }
  Call<etcdserverpb::LeaseRevokeResponse>(
      [world = world_, lease] { return world->etcd().Revoke(lease); }, std::move(done));
}

void EtcdEnd::KeepAlive(int64_t lease, Done<etcdserverpb::LeaseKeepAliveResponse> done) {
  Call<etcdserverpb::LeaseKeepAliveResponse>(
      [world = world_, lease] {
        return world->etcd().KeepAlive(lease, world->stage().loop->now());
      },
      [this, lease, done = std::move(done), asked = world_->stage().loop->now()](
          const absl::StatusOr<etcdserverpb::LeaseKeepAliveResponse>& answer) {
        NoteRenewal(lease, answer.ok() ? std::optional(asked) : std::nullopt);
        done(answer);
      });
}

void EtcdEnd::NoteRenewal(int64_t lease, std::optional<absl::Duration> renewed) {
  const auto found = leases_.find(lease);
  if (found == leases_.end()) return;
  if (renewed) found->second.renewed = *renewed;
  const absl::Duration unrenewed = world_->stage().loop->now() - found->second.renewed;
  if (unrenewed > found->second.ttl / 2) on_trouble_();
}

void EtcdEnd::SetAway(bool away) {
  away_ = away;
  const uint64_t outage = ++outages_;
  std::vector<uint64_t> all;
  for (const auto& [id, watching] : watches_) all.push_back(id);
  for (const uint64_t id : all) {
    if (!away) {
      // The connection has stood still, or is not there any more.
      random_.Chance(0.5) ? Schedule(id) : EndWatch(id, Lost());
      continue;
    }
    Later(kSilence, [this, id, outage] {
      if (away_ && outage == outages_) EndWatch(id, Lost());
    });
  }
}

// --- Watches.

bool EtcdEnd::watches() const {
  return std::any_of(watches_.begin(), watches_.end(),
                     [](const auto& entry) { return entry.second.created && !entry.second.lost; });
}

// A watch that has begun hears late that its etcd is no more; one that has not begins at the new
// one.
void EtcdEnd::OnWentBack(int64_t revision, bool new_token, bool outrun,
                         const std::vector<etcdserverpb::Event>& lost, bool all) {
  if (dead_ || stopped_) return;
  lost_.Add(revision, lost, all);
  new_token_ = new_token || (must_notice_ && new_token_);
  ++unnoticed_;
  // Who reads everything anew has nothing to compare with an etcd that is further on.
  const bool sees = !outrun || !lists_;
  knows_of_lost_ = knows_of_lost_ || known_ > revision;
  told_before_ = std::max(must_notice_ ? told_before_ : 0, std::exchange(told_, 0));
  must_notice_ = must_notice_ || (sees && known_ > revision) || (new_token && known_ != 0);
  known_before_ = std::max(known_before_, std::exchange(known_, 0));
  back_to_ = revision;
  // What it would ask for may be gone already.
  if (told_before_ > 0 && world_->etcd().compacted() > 0) OnCompacted(world_->etcd().compacted());
  on_trouble_();
  for (auto& [id, watching] : watches_) {
    if (!watching.created) continue;
    watching.lost = true;
    Later(absl::Seconds(1), [this, watch = id] { EndWatch(watch, Lost()); });
  }
}

// A relay looks for the last event of which its watch has told, and what was there before it.
void EtcdEnd::OnCompacted(int64_t revision) {
  if (!new_token_ && revision >= told_before_ - 1) must_notice_ = false;
}

bool EtcdEnd::TakeNoticed() {
  must_notice_ = knows_of_lost_ = false;
  known_ = known_before_ = 0;  // what answers had shown is as good as forgotten
  ++notices_;
  if (unnoticed_ == 0) return false;
  --unnoticed_;  // what it has heard may be of the first of two
  if (unnoticed_ == 0) lost_ = {};
  return true;
}

void EtcdEnd::NoteWritten(int64_t revision, bool in_this_history) {
  if (in_this_history) {
    known_ = std::max(known_, revision);
    return;
  }
  known_before_ = std::max(known_before_, revision);
  if (unnoticed_ == 0 || revision <= back_to_) return;
  must_notice_ = knows_of_lost_ = true;
}

void EtcdEnd::NoteTold(const etcdserverpb::WatchResponse& response) {
  for (const etcdserverpb::Event& event : response.events()) {
    told_ = std::max(told_, event.kv().mod_revision());
  }
  known_ = std::max(known_, told_);
}

void EtcdEnd::Watch(etcdserverpb::WatchCreateRequest request, OnWatched on_response, OnEnd on_end) {
  if (stopped_) return on_end(Cancelled());
  const uint64_t watch = ++last_;
  Watching& watching = watches_[watch];
  watching.request = std::move(request);
  watching.on_response = std::move(on_response);
  watching.on_end = std::move(on_end);
  if (dead_) return;  // until Stop
  Later(world_->store().max_commit, [this, watch] { Create(watch); });
  if (!world_->stage().stormy() || world_->plan().mean_watch_life == absl::InfiniteDuration()) {
    return;
  }
  world_->stage().loop->After(random_.Exponential(world_->plan().mean_watch_life),
                              [this, alive = std::weak_ptr<int>(alive_), watch] {
                                if (alive.expired() || !world_->stage().stormy()) return;
                                EndWatch(watch, Lost());
                              });
}

void EtcdEnd::Create(uint64_t watch) {
  const auto found = watches_.find(watch);
  if (dead_ || found == watches_.end()) return;
  if (away_) return EndWatch(watch, Lost());
  Watching& watching = found->second;
  etcdserverpb::WatchResponse response;
  *response.mutable_header() = world_->etcd().Header();
  response.set_created(true);
  if (!watching.on_response(response)) return EndWatch(watch, Cancelled());
  // 0: from now on.
  if (watching.request.start_revision() == 0) {
    watching.request.set_start_revision(world_->etcd().revision() + 1);
  }
  const auto first = world_->etcd().EventsFrom(watching.request.start_revision());
  if (!first) return CancelCompacted(watch);
  watching.next = *first;
  watching.created = true;
  for (size_t i = *first; i < world_->etcd().end_of_events(); ++i) {
    if (world_->etcd().IsForgotten(world_->etcd().event(i))) watching.forgotten.insert(i);
  }
  Schedule(watch);
}

void EtcdEnd::CancelCompacted(uint64_t watch) {
  etcdserverpb::WatchResponse response;
  *response.mutable_header() = world_->etcd().Header();
  response.set_canceled(true);
  response.set_compact_revision(world_->etcd().compacted());
  watches_.at(watch).on_response(response);
  EndWatch(watch, absl::OkStatus());
}

void EtcdEnd::EndWatch(uint64_t watch, const absl::Status& why) {
  const auto found = watches_.find(watch);
  if (dead_ || found == watches_.end()) return;
  const OnEnd on_end = std::move(found->second.on_end);
  watches_.erase(found);
  on_trouble_();
  world_->OnDeaf();
  on_end(why);
}

void EtcdEnd::OnWritten() {
  for (const auto& [id, watching] : watches_) Schedule(id);
}

void EtcdEnd::Schedule(uint64_t watch) {
  Watching& watching = watches_.at(watch);
  if (!watching.created || std::exchange(watching.scheduled, true)) return;
  Later(world_->plan().max_news, [this, watch] { Deliver(watch); });
}

void EtcdEnd::Deliver(uint64_t watch) {
  const auto found = watches_.find(watch);
  if (dead_ || found == watches_.end()) return;
  Watching& watching = found->second;
  watching.scheduled = false;
  if (away_ || watching.lost) return;  // until it is back, if ever
  if (watching.next < world_->etcd().first_event()) return CancelCompacted(watch);
  if (!Tell(watching)) return EndWatch(watch, Cancelled());
  if (watching.next < world_->etcd().end_of_events()) Schedule(watch);
}

bool EtcdEnd::Wants(const Watching& watching, const etcdserverpb::Event& event) const {
  return event.kv().key() >= watching.request.key() &&
         event.kv().key() < watching.request.range_end() &&
         event.kv().mod_revision() >= watching.request.start_revision();
}

// Some of the events, of whole revisions or not; or that there are none. False: it is enough.
bool EtcdEnd::Tell(Watching& watching) {
  const FakeEtcd& etcd = world_->etcd();
  etcdserverpb::WatchResponse response;
  *response.mutable_header() = etcd.Header();
  const size_t waiting = etcd.end_of_events() - watching.next;
  if (waiting != 0) {
    size_t left = 1 + random_.Below(static_cast<uint32_t>(waiting));
    for (; left > 0; --left) {
      const etcdserverpb::Event& event = etcd.event(watching.next);
      const bool forgotten = watching.forgotten.contains(watching.next++);
      if (!forgotten && Wants(watching, event)) *response.add_events() = event;
    }
    const bool cut = watching.next < etcd.end_of_events() &&
                     etcd.event(watching.next).kv().mod_revision() ==
                         etcd.event(watching.next - 1).kv().mod_revision();
    response.set_fragment(cut);
  }
  const bool whole = watching.next == etcd.end_of_events();
  if (response.events_size() == 0) {
    // That nothing is missing up to here: etcd tells of it now and then.
    if (!whole || watching.told == etcd.revision() || !random_.Chance(0.3)) return true;
    watching.told = etcd.revision();
  }
  NoteTold(response);
  if (!watching.on_response(response)) return false;
  // It has seen the new etcd go where the old one was, and has nothing left to notice it by, but
  // for an answer that is still to come.
  if (unnoticed_ != 0 && told_ > known_before_ + 1) {
    world_->stage().loop->After(
        kLongestQuestion, [this, alive = std::weak_ptr<int>(alive_), history = world_->history()] {
          if (alive.expired() || history != world_->history() || must_notice_) return;
          unnoticed_ = 0;
        });
  }
  return true;
}

}  // namespace wormhole::simulation
