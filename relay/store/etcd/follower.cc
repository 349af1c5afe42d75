#include "relay/store/etcd/follower.h"

#include <algorithm>
#include <future>
#include <utility>

namespace wormhole::relay {
namespace {

using etcdserverpb::RangeResponse;
using etcdserverpb::WatchResponse;

// Some 200 bytes each.
constexpr int64_t kPage = 2'000;

constexpr absl::Duration kPause = absl::Milliseconds(200);

}  // namespace

EtcdFollower::EtcdFollower(const EtcdKeys* keys, EtcdClient* client, EtcdView* view)
    : keys_(keys), client_(client), view_(view) {}

absl::Status EtcdFollower::Start() {
  std::promise<absl::Status> read;
  auto listing = std::make_shared<Listing>();
  listing->done = [&read](const absl::Status& status) { read.set_value(status); };
  List(listing);
  absl::Status status = read.get_future().get();
  if (status.ok()) Watch();
  return status;
}

void EtcdFollower::List(const std::shared_ptr<Listing>& listing) {
  etcdserverpb::RangeRequest request;
  request.set_key(listing->records.empty() ? keys_->Records()
                                           : listing->records.back().key() + '\0');
  request.set_range_end(EndOfPrefix(keys_->Records()));
  request.set_limit(kPage);
  request.set_revision(listing->revision);
  client_->Range(std::move(request),
                 [this, listing](absl::StatusOr<RangeResponse> page) { OnPage(listing, page); });
}

void EtcdFollower::OnPage(const std::shared_ptr<Listing>& listing,
                          const absl::StatusOr<RangeResponse>& page) {
  if (!page.ok()) return listing->done(page.status());
  if (listing->revision == 0) listing->revision = page->header().revision();
  listing->records.insert(listing->records.end(), page->kvs().begin(), page->kvs().end());
  if (page->more()) return List(listing);
  {
    sync::MutexLock lock(mutex_);
    next_ = listing->revision + 1;
    compacted_ = false;
  }
  view_->TakeRecords(listing->records, listing->revision);
  listing->done(absl::OkStatus());
}

void EtcdFollower::Watch() {
  etcdserverpb::WatchCreateRequest request;
  request.set_key(keys_->Watched());
  request.set_range_end(EndOfPrefix(keys_->root()));
  request.set_progress_notify(true);
  request.set_fragment(true);
  {
    sync::MutexLock lock(mutex_);
    request.set_start_revision(next_);
  }
  client_->Watch(
      std::move(request), [this](const WatchResponse& response) { OnResponse(response); },
      [this](const absl::Status&) { OnEnd(); });
}

void EtcdFollower::OnResponse(const WatchResponse& response) {
  view_->TakeEvents(response);
  sync::MutexLock lock(mutex_);
  if (response.compact_revision() != 0) compacted_ = true;
  for (const etcdserverpb::Event& event : response.events()) {
    // One revision's events may come in several pieces: it is through when another one begins.
    next_ = std::max(next_, event.kv().mod_revision());
  }
  // A piece, or a header that is ahead of the events, says nothing of what is still to come.
  const bool progress = response.events_size() == 0 && !response.created() && !response.canceled();
  if (progress) next_ = std::max(next_, response.header().revision() + 1);
}

void EtcdFollower::OnEnd() {
  sync::MutexLock lock(mutex_);
  busy_ = false;
}

void EtcdFollower::Tick(absl::Duration now) {
  bool compacted = false;
  {
    sync::MutexLock lock(mutex_);
    if (busy_ || now - last_try_ < kPause) return;
    busy_ = true;
    last_try_ = now;
    compacted = compacted_;
  }
  if (compacted) return ListAndWatch();
  Resume();
}

// A watch from a revision that is still to come would be silent until then.
void EtcdFollower::Resume() {
  etcdserverpb::RangeRequest request;
  request.set_key(keys_->root());
  client_->Range(std::move(request), [this](const absl::StatusOr<RangeResponse>& answer) {
    if (!answer.ok()) return OnEnd();
    bool went_back = false;
    {
      sync::MutexLock lock(mutex_);
      went_back = answer->header().revision() + 1 < next_;
    }
    went_back ? ListAndWatch() : Watch();
  });
}

void EtcdFollower::ListAndWatch() {
  auto listing = std::make_shared<Listing>();
  listing->done = [this](const absl::Status& status) { status.ok() ? Watch() : OnEnd(); };
  List(listing);
}

}  // namespace wormhole::relay
