#include "relay/store/etcd/watcher.h"

#include <memory>
#include <string>
#include <utility>

namespace wormhole::relay {
namespace {

using etcdserverpb::RangeResponse;
using etcdserverpb::TxnResponse;
using etcdserverpb::WatchResponse;

// Some 200 bytes each.
constexpr int64_t kPage = 2'000;

constexpr absl::Duration kPause = absl::Milliseconds(200);

absl::Status Mixed() {
  return absl::UnavailableError(
      "etcd was restored while its records were read; they are read anew");
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
  request.set_revision(listing->header.revision());
  etcd_->Range(std::move(request),
               [this, listing](absl::StatusOr<RangeResponse> page) { OnPage(listing, page); });
}

void EtcdWatcher::OnPage(const std::shared_ptr<Listing>& listing,
                         const absl::StatusOr<RangeResponse>& page) {
  if (!page.ok()) return listing->done(page.status());
  if (listing->header.revision() == 0) listing->header = page->header();
  if (!BelongsTo(*listing, page->header())) return listing->done(Mixed());
  listing->records.insert(listing->records.end(), page->kvs().begin(), page->kvs().end());
  page->more() ? List(listing) : ListClocks(listing);
}

bool EtcdWatcher::BelongsTo(const Listing& listing, const etcdserverpb::ResponseHeader& header) {
  return header.cluster_id() == listing.header.cluster_id() &&
         header.revision() >= listing.header.revision() &&
         header.raft_term() >= listing.header.raft_term();
}

void EtcdWatcher::ListClocks(const std::shared_ptr<Listing>& listing) {
  etcdserverpb::RangeRequest request;
  request.set_key(keys_->Clocks());
  request.set_range_end(EndOfPrefix(keys_->Clocks()));
  request.set_revision(listing->header.revision());
  etcd_->Range(std::move(request), [this, listing](const absl::StatusOr<RangeResponse>& clocks) {
    if (!clocks.ok()) return listing->done(clocks.status());
    if (!BelongsTo(*listing, clocks->header())) return listing->done(Mixed());
    for (const etcdserverpb::KeyValue& kv : clocks->kvs()) {
      listing->clocks.push_back(SightingOfClock(kv, true));
    }
    Take(*listing);
    listing->done(absl::OkStatus());
  });
}

void EtcdWatcher::Take(const Listing& listing) {
  const bool restored = IsRestored(listing);
  // First: from then on, answers to what was sent before are not heard.
  if (restored) listener_.on_restored();
  {
    sync::MutexLock lock(mutex_);
    history_.TakeRecords(listing.header, listing.records, restored);
    unclear_ = false;
  }
  listener_.on_clocks(listing.clocks, restored);
  cache_->TakeRecords(listing.records, listing.header.revision(), restored);
}

void EtcdWatcher::Watch() {
  etcdserverpb::WatchCreateRequest request;
  request.set_key(keys_->Watched());
  request.set_range_end(EndOfPrefix(keys_->root()));
  request.set_progress_notify(true);
  request.set_fragment(true);
  {
    sync::MutexLock lock(mutex_);
    request.set_start_revision(history_.WatchFrom());
    ++watch_;
  }
  etcd_->Watch(
      std::move(request), [this](const WatchResponse& response) { return OnResponse(response); },
      [this](const absl::Status&) { OnEnd(); });
}

// What is of another history is news for nobody: all is read anew.
bool EtcdWatcher::OnResponse(const WatchResponse& response) {
  {
    sync::MutexLock lock(mutex_);
    if (response.created()) unconfirmed_ = history_.Ask();
    if (!history_.TakeWatched(response)) return false;
  }
  if (response.created()) Confirm();
  for (const etcdserverpb::Event& event : response.events()) {
    if (!event.kv().key().starts_with(keys_->Clocks())) continue;
    listener_.on_clock(SightingOfClock(event.kv(), event.type() == etcdserverpb::Event::PUT));
  }
  cache_->TakeEvents(response);
  return true;
}

void EtcdWatcher::OnEnd() {
  listener_.on_lost();
  sync::MutexLock lock(mutex_);
  busy_ = false;
  ++watch_;
  asks_ = false;
}

int64_t EtcdWatcher::Seen() {
  sync::MutexLock lock(mutex_);
  return history_.seen();
}

void EtcdWatcher::Heard(const EtcdHistory::Answer& answer, int64_t seen) {
  sync::MutexLock lock(mutex_);
  history_.TakeAnswer(answer, seen);
}

void EtcdWatcher::Tick(absl::Duration now) {
  bool watches = false;
  bool read = false;
  {
    sync::MutexLock lock(mutex_);
    if (now - last_try_ < kPause || (busy_ && (asks_ || !unconfirmed_))) return;
    last_try_ = now;
    watches = std::exchange(busy_, true);
    read = read_;
    asks_ = read;  // here already: between two locks another tick would ask the same
  }
  if (watches) return Confirm();
  read ? Resume() : Read();
}

// A watch from a revision that is still to come would be silent until then.
void EtcdWatcher::Resume() {
  EtcdHistory::Question question;
  {
    sync::MutexLock lock(mutex_);
    question = unconfirmed_ ? *unconfirmed_ : history_.Ask();
    asks_ = true;
  }
  AskEtcd(question, [this](std::optional<EtcdHistory::Verdict> verdict) {
    if (!verdict) return OnEnd();
    // What the watch has told since, and what is not compacted yet perhaps, is asked as well.
    if (TakeVerdict(*verdict) && *verdict != EtcdHistory::Verdict::kAnother) return Resume();
    GoOn(*verdict);
  });
}

bool EtcdWatcher::TakeVerdict(EtcdHistory::Verdict verdict) {
  sync::MutexLock lock(mutex_);
  asks_ = false;
  unclear_ = unclear_ || verdict == EtcdHistory::Verdict::kUnclear;
  return std::exchange(unconfirmed_, std::nullopt).has_value();
}

void EtcdWatcher::GoOn(EtcdHistory::Verdict verdict) {
  switch (verdict) {
    case EtcdHistory::Verdict::kSame:
      return HasToList() ? ListAndWatch(/*restored=*/false) : Watch();
    case EtcdHistory::Verdict::kAnother:
      NoteAnother();
      return ListAndWatch(/*restored=*/true);
    case EtcdHistory::Verdict::kUnclear:
      return ListAndWatch(/*restored=*/false);
  }
}

void EtcdWatcher::Confirm() {
  EtcdHistory::Question question;
  uint64_t watch = 0;
  {
    sync::MutexLock lock(mutex_);
    if (!unconfirmed_) return;
    question = *unconfirmed_;
    asks_ = true;
    watch = watch_;
  }
  AskEtcd(question, [this, watch](std::optional<EtcdHistory::Verdict> verdict) {
    sync::MutexLock lock(mutex_);
    if (watch != watch_) return;  // what it says is not of the etcd that is watched now
    asks_ = false;
    if (verdict) unconfirmed_.reset();
    if (verdict == EtcdHistory::Verdict::kAnother) history_.NoteAnother();
  });
}

void EtcdWatcher::AskEtcd(const EtcdHistory::Question& question, const OnVerdict& done) {
  etcdserverpb::RangeRequest request;
  const std::string& key = question.last.key;
  request.set_key(key.empty() ? keys_->root() : key);
  etcd_->Range(
      std::move(request), [this, question, done](const absl::StatusOr<RangeResponse>& now) {
        if (!now.ok()) return done(std::nullopt);
        const EtcdHistory::Verdict verdict = JudgeNow(question, *now);
        verdict == EtcdHistory::Verdict::kUnclear ? ReadHistory(question, done) : done(verdict);
      });
}

// Two histories that do the same to that key at the same revision, as when a copy misses a single
// deletion that is done again, look alike; only another cluster id tells them apart for certain.
//
// What was compacted since cannot be read. Then nothing has happened for as long as etcd keeps
// its history, most likely: no relay has even told of its clock, as none can while etcd takes no
// writes. An etcd that was restored meanwhile would have outrun it, in the short time without a
// watch.
void EtcdWatcher::ReadHistory(const EtcdHistory::Question& question, const OnVerdict& done) {
  auto request = std::make_shared<const etcdserverpb::TxnRequest>(EtcdHistory::AskThen(question));
  etcd_->Txn(std::move(request), [question, done](const absl::StatusOr<TxnResponse>& then) {
    const bool whole = then.ok() && then->responses_size() == 2;
    if (whole) return done(EtcdHistory::JudgeThen(question, *then));
    if (absl::IsOutOfRange(then.status())) return done(EtcdHistory::Verdict::kUnclear);
    done(std::nullopt);
  });
}

void EtcdWatcher::ListAndWatch(bool restored) {
  auto listing = std::make_shared<Listing>();
  listing->restored = restored;
  {
    sync::MutexLock lock(mutex_);
    listing->question = history_.Ask();
  }
  listing->done = [this](const absl::Status& status) { status.ok() ? Watch() : OnEnd(); };
  List(listing);
}

}  // namespace wormhole::relay
