#include "relay/switchboard/channel_listing.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "proto/sync/mutex.h"
#include "relay/switchboard/live_channel.h"

namespace wormhole::relay {
namespace {

using Page = ChannelPage;

// Gathers the store's answers, which come in any order; the last one completes the page.
class Gathering {
 public:
  Gathering(std::shared_ptr<Registry> registry, std::vector<ChannelKey> keys,
            std::optional<ChannelKey> next, std::function<void(absl::StatusOr<Page>)> done)
      : registry_(std::move(registry)),
        keys_(std::move(keys)),
        next_(std::move(next)),
        done_(std::move(done)),
        missing_(keys_.size()),
        snapshots_(keys_.size()) {}

  const std::vector<ChannelKey>& keys() const { return keys_; }

  void Take(size_t place, absl::StatusOr<std::optional<ChannelSnapshot>> loaded) {
    {
      sync::MutexLock lock(mutex_);
      if (!loaded.ok()) {
        status_ = loaded.status();
      } else {
        snapshots_[place] = *std::move(loaded);
      }
      if (--missing_ > 0) return;
    }
    Finish();
  }

  void Finish() WORMHOLE_EXCLUDES(mutex_) {
    Page page{.next = std::move(next_), .as_of = registry_->wall_now()};
    absl::Status status;
    {
      sync::MutexLock lock(mutex_);
      status = status_;
      for (size_t place = 0; place < keys_.size(); ++place) {
        if (!snapshots_[place]) continue;
        page.channels.push_back({.key = keys_[place], .snapshot = *std::move(snapshots_[place])});
      }
    }
    if (!status.ok()) return done_(status);
    for (ChannelView& view : page.channels) Describe(view);
    done_(std::move(page));
  }

 private:
  void Describe(ChannelView& view) {
    Occupancy occupancy;
    if (const auto live = registry_->channels().Find(view.key)) occupancy = live->occupancy();
    view.waiting = occupancy.waiting;
    for (Role role : kRoles) {
      const Member& member = view.snapshot.record.member(role);
      view.sides[role] = member.side.empty()          ? SideView::kAbsent
                         : member.left                ? SideView::kLeft
                         : occupancy.here[role]       ? SideView::kHere
                         : view.snapshot.remote[role] ? SideView::kElsewhere
                                                      : SideView::kDetached;
    }
  }

  const std::shared_ptr<Registry> registry_;
  const std::vector<ChannelKey> keys_;
  std::optional<ChannelKey> next_;
  const std::function<void(absl::StatusOr<Page>)> done_;

  sync::Mutex mutex_;
  size_t missing_ WORMHOLE_GUARDED_BY(mutex_);
  absl::Status status_ WORMHOLE_GUARDED_BY(mutex_);
  std::vector<std::optional<ChannelSnapshot>> snapshots_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace

void ListChannelPage(const std::shared_ptr<Registry>& registry, const std::string& app_id,
                     const ChannelKey& after, size_t limit,
                     std::function<void(absl::StatusOr<Page>)> done) {
  std::vector<ChannelKey> keys = registry->ids().List(app_id, after, limit);
  std::optional<ChannelKey> next;
  if (keys.size() == limit && limit > 0) next = keys.back();
  auto gathering =
      std::make_shared<Gathering>(registry, std::move(keys), std::move(next), std::move(done));
  if (gathering->keys().empty()) return gathering->Finish();
  for (size_t place = 0; place < gathering->keys().size(); ++place) {
    registry->store().Load(
        gathering->keys()[place],
        [gathering, place](absl::StatusOr<std::optional<ChannelSnapshot>> loaded) {
          gathering->Take(place, std::move(loaded));
        });
  }
  registry->store().Flush();
}

}  // namespace wormhole::relay
