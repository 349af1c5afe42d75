#include "relay/store/etcd/watcher.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::RangeResponse;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchResponse;

// Some 200 bytes each.
constexpr int64_t kPage = 2'000;

constexpr absl::Duration kPause = absl::Milliseconds(200);

// What is remembered of a value, which may be a long frame: enough to know it again.
std::string Digest(const std::string& value) {
  return absl::StrCat(value.size(), " ", std::hash<std::string>()(value));
}

ClockSighting SightingOfClock(const etcdserverpb::KeyValue& kv, bool exists) {
  return {.key = kv.key(),
          .created = kv.create_revision(),
          .modified = kv.mod_revision(),
          .report = exists ? ReadClock(kv.value()) : std::nullopt};
}

}  // namespace

EtcdWatcher::EtcdWatcher(const EtcdKeys* keys, EtcdApi* etcd, EtcdCache* cache, Listener listener)
    : keys_(keys), etcd_(etcd), cache_(cache), listener_(std::move(listener)) {}

void EtcdWatcher::Read() {
  auto listing = std::make_shared<Listing>();
  listing->done = [this](const absl::Status& status) { OnRead(status); };
  List(listing);
}

void EtcdWatcher::OnRead(const absl::Status& status) {
  if (status.ok()) {
    {
      sync::MutexLock lock(mutex_);
      read_ = true;
    }
    Watch();
    listener_.on_read(status);
  } else if (listener_.on_read(status)) {
    sync::MutexLock lock(mutex_);
    busy_ = false;
  }
}

void EtcdWatcher::List(const std::shared_ptr<Listing>& listing) {
  etcdserverpb::RangeRequest request;
  request.set_key(listing->records.empty() ? keys_->Records()
                                           : listing->records.back().key() + '\0');
  request.set_range_end(EndOfPrefix(keys_->Records()));
  request.set_limit(kPage);
  request.set_revision(listing->revision);
  etcd_->Range(std::move(request),
               [this, listing](absl::StatusOr<RangeResponse> page) { OnPage(listing, page); });
}

void EtcdWatcher::OnPage(const std::shared_ptr<Listing>& listing,
                         const absl::StatusOr<RangeResponse>& page) {
  if (!page.ok()) return listing->done(page.status());
  if (listing->revision == 0) {
    listing->revision = page->header().revision();
    listing->cluster = page->header().cluster_id();
  }
  listing->records.insert(listing->records.end(), page->kvs().begin(), page->kvs().end());
  page->more() ? List(listing) : ListClocks(listing);
}

void EtcdWatcher::ListClocks(const std::shared_ptr<Listing>& listing) {
  etcdserverpb::RangeRequest request;
  request.set_key(keys_->Clocks());
  request.set_range_end(EndOfPrefix(keys_->Clocks()));
  request.set_revision(listing->revision);
  etcd_->Range(std::move(request), [this, listing](const absl::StatusOr<RangeResponse>& clocks) {
    if (!clocks.ok()) return listing->done(clocks.status());
    for (const etcdserverpb::KeyValue& kv : clocks->kvs()) {
      listing->clocks.push_back(SightingOfClock(kv, true));
    }
    Take(*listing);
    listing->done(absl::OkStatus());
  });
}

void EtcdWatcher::Take(const Listing& listing) {
  {
    sync::MutexLock lock(mutex_);
    cluster_ = listing.cluster;
    term_ = listing.restored ? 0 : term_;
    seen_ = listing.restored ? listing.revision : std::max(seen_, listing.revision);
    next_ = listing.revision + 1;
    compacted_ = false;
    if (listing.restored) last_ = {};
    for (const etcdserverpb::KeyValue& record : listing.records) {
      if (record.mod_revision() > last_.revision) last_ = SightingOf(record);
    }
  }
  if (listing.restored) listener_.on_restored();
  listener_.on_clocks(listing.clocks, listing.restored);
  cache_->TakeRecords(listing.records, listing.revision, listing.restored);
}

void EtcdWatcher::Watch() {
  etcdserverpb::WatchCreateRequest request;
  request.set_key(keys_->Watched());
  request.set_range_end(EndOfPrefix(keys_->root()));
  request.set_progress_notify(true);
  request.set_fragment(true);
  {
    sync::MutexLock lock(mutex_);
    // From what is known already. etcd 3.4 forgets the deletions of the revision that it compacts
    // to, and tells nobody who asks from there on: who asks for one more is told.
    request.set_start_revision(std::max<int64_t>(1, next_ - 1));
  }
  etcd_->Watch(
      std::move(request), [this](const WatchResponse& response) { OnResponse(response); },
      [this](const absl::Status&) { OnEnd(); });
}

void EtcdWatcher::OnResponse(const WatchResponse& response) {
  for (const etcdserverpb::Event& event : response.events()) {
    if (!event.kv().key().starts_with(keys_->Clocks())) continue;
    listener_.on_clock(SightingOfClock(event.kv(), event.type() == etcdserverpb::Event::PUT));
  }
  cache_->TakeEvents(response);
  sync::MutexLock lock(mutex_);
  if (response.compact_revision() != 0) compacted_ = true;
  for (const etcdserverpb::Event& event : response.events()) {
    // One revision's events may come in several pieces: it is through when another one begins.
    next_ = std::max(next_, event.kv().mod_revision());
  }
  if (response.events_size() != 0) {
    const etcdserverpb::Event& last = *response.events().rbegin();
    last_ = SightingOf(last.kv());
    if (last.type() == etcdserverpb::Event::DELETE) last_.value.clear();
  }
  // A piece, or a header that is ahead of the events, says nothing of what is still to come.
  const bool progress = response.events_size() == 0 && !response.created() && !response.canceled();
  if (progress) next_ = std::max(next_, response.header().revision() + 1);
  seen_ = std::max(seen_, response.header().revision());
  term_ = std::max(term_, response.header().raft_term());
}

void EtcdWatcher::OnEnd() {
  listener_.on_lost();
  sync::MutexLock lock(mutex_);
  busy_ = false;
}

void EtcdWatcher::Heard(int64_t revision) {
  sync::MutexLock lock(mutex_);
  seen_ = std::max(seen_, revision);
}

void EtcdWatcher::Tick(absl::Duration now) {
  bool read = false;
  {
    sync::MutexLock lock(mutex_);
    if (busy_ || now - last_try_ < kPause) return;
    busy_ = true;
    last_try_ = now;
    read = read_;
  }
  read ? Resume() : Read();
}

// A watch from a revision that is still to come would be silent until then. What is heard of after
// the question need not be in its answer.
void EtcdWatcher::Resume() {
  etcdserverpb::RangeRequest request;
  int64_t seen = 0;
  {
    sync::MutexLock lock(mutex_);
    seen = seen_;
    request.set_key(last_.key.empty() ? keys_->root() : last_.key);
  }
  etcd_->Range(std::move(request), [this, seen](const absl::StatusOr<RangeResponse>& answer) {
    answer.ok() ? GoOn(JudgeNow(*answer, seen)) : OnEnd();
  });
}

// Two histories that do the same to that key at the same revision, as when a copy misses a single
// deletion that is done again, look alike; only another cluster id tells them apart for certain.
//
// What was compacted since cannot be read. Then nothing has happened for as long as etcd keeps
// its history, most likely: no relay has even told of its clock, as none can while etcd takes no
// writes. An etcd that was restored meanwhile would have outrun it, in the short time without a
// watch.
void EtcdWatcher::ReadHistory() {
  etcdserverpb::TxnRequest request;
  {
    sync::MutexLock lock(mutex_);
    for (const int64_t revision : {last_.revision, last_.revision - 1}) {
      etcdserverpb::RangeRequest* const range = request.add_success()->mutable_request_range();
      range->set_key(last_.key);
      range->set_revision(revision);
    }
  }
  etcd_->Txn(std::move(request), [this](const absl::StatusOr<TxnResponse>& answer) {
    if (answer.ok()) return GoOn(JudgeThen(*answer));
    absl::IsOutOfRange(answer.status()) ? ListAndWatch(/*restored=*/false) : OnEnd();
  });
}

void EtcdWatcher::GoOn(History history) {
  switch (history) {
    case History::kSame:
      return compacted() ? ListAndWatch(/*restored=*/false) : Watch();
    case History::kAnother:
      return ListAndWatch(/*restored=*/true);
    case History::kUnclear:
      return ReadHistory();
  }
}

EtcdWatcher::History EtcdWatcher::JudgeNow(const RangeResponse& answer, int64_t seen) {
  sync::MutexLock lock(mutex_);
  const etcdserverpb::ResponseHeader& now = answer.header();
  if (now.cluster_id() != cluster_) return History::kAnother;
  // Neither ever goes back; terms begin anew when etcd is restored.
  if (now.revision() < seen || now.raft_term() < term_) return History::kAnother;
  if (last_.key.empty()) return History::kSame;
  // Deleted, then or later, or written again since.
  if (answer.kvs_size() == 0 || answer.kvs(0).mod_revision() > last_.revision) {
    return History::kUnclear;
  }
  return Shows(answer, last_) ? History::kSame : History::kAnother;
}

// Only what was there can be deleted.
EtcdWatcher::History EtcdWatcher::JudgeThen(const TxnResponse& answer) {
  sync::MutexLock lock(mutex_);
  const RangeResponse& then = answer.responses(0).response_range();
  const RangeResponse& before = answer.responses(1).response_range();
  const bool deleted = then.kvs_size() == 0 && before.kvs_size() != 0;
  const bool same = last_.value.empty() ? deleted : Shows(then, last_);
  return same ? History::kSame : History::kAnother;
}

EtcdWatcher::Sighting EtcdWatcher::SightingOf(const etcdserverpb::KeyValue& kv) {
  return {.key = kv.key(), .revision = kv.mod_revision(), .value = Digest(kv.value())};
}

bool EtcdWatcher::Shows(const RangeResponse& range, const Sighting& written) {
  return range.kvs_size() != 0 && range.kvs(0).mod_revision() == written.revision &&
         Digest(range.kvs(0).value()) == written.value;
}

void EtcdWatcher::ListAndWatch(bool restored) {
  auto listing = std::make_shared<Listing>();
  listing->restored = restored;
  listing->done = [this](const absl::Status& status) { status.ok() ? Watch() : OnEnd(); };
  List(listing);
}

}  // namespace wormhole::relay
