// What the streams and live channels of a switchboard share: which there are, and which ids are in
// use.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_
#define WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/sync/mutex.h"
#include "relay/channel/id_pool.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/channel_op.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::relay {

class LiveChannel;

// Thread-safe. Its mutex is a leaf: live channels call it under their lock, and it never calls one
// with its own held. The channels keep it alive, and Stop lets the channels go.
class Registry : public std::enable_shared_from_this<Registry> {
 public:
  // `store` outlives every use that this object makes of it, which ends with Stop.
  Registry(SwitchboardOptions options, SwitchboardEnvironment environment, Store* store);

  const SwitchboardOptions& options() const { return options_; }
  Store& store() const { return *store_; }
  // Whether other relays may change what is stored.
  bool shared() const { return shared_; }
  SwitchboardObserver* observer() const { return environment_.observer; }
  absl::Time wall_now() const { return environment_.wall_now(); }
  absl::Duration steady_now() const { return environment_.steady_now(); }

  // Gives `op` to the live channel of this id, which is made if there is none. Without locks.
  void Submit(const ChannelKey& key, ChannelOp op) WORMHOLE_EXCLUDES(mutex_);
  // The live channel of this id, if there is one, and all of them in the order of their keys.
  std::shared_ptr<LiveChannel> Find(const ChannelKey& key) WORMHOLE_EXCLUDES(mutex_);
  std::vector<std::shared_ptr<LiveChannel>> Channels() WORMHOLE_EXCLUDES(mutex_);
  // The channel accepts no more ops.
  void Remove(const ChannelKey& key, const LiveChannel* channel) WORMHOLE_EXCLUDES(mutex_);

  // Reserves an id for a new channel.
  std::optional<IdPool::Drawn> DrawId(const std::string& app_id, int min_digits)
      WORMHOLE_EXCLUDES(mutex_);
  void SetId(const ChannelKey& key, IdState state) WORMHOLE_EXCLUDES(mutex_);

  // What Switchboard::Count, ListApps and ListChannels want of ids and streams.
  SwitchboardCounts Count() WORMHOLE_EXCLUDES(mutex_);
  std::vector<AppView> ListApps(const std::string& after, size_t limit) WORMHOLE_EXCLUDES(mutex_);
  std::vector<ChannelKey> ListIds(const std::string& app_id, const ChannelKey& after, size_t limit)
      WORMHOLE_EXCLUDES(mutex_);

  // A stream is known from Add to Remove.
  void Add(StreamAttachment* stream) WORMHOLE_EXCLUDES(mutex_);
  void Remove(StreamAttachment* stream) WORMHOLE_EXCLUDES(mutex_);
  std::vector<std::shared_ptr<StreamAttachment>> Streams() WORMHOLE_EXCLUDES(mutex_);
  // The streams that have said nothing since `heard_before`.
  std::vector<std::shared_ptr<StreamAttachment>> SilentStreams(absl::Duration heard_before)
      WORMHOLE_EXCLUDES(mutex_);
  // The streams that have reached their maximum age.
  std::vector<std::shared_ptr<StreamAttachment>> OldStreams() WORMHOLE_EXCLUDES(mutex_);

  // From now on new streams are refused.
  void RefuseStreams() WORMHOLE_EXCLUDES(mutex_);
  bool refuses_streams() const WORMHOLE_EXCLUDES(mutex_);

  // Retires all channels; from now on every op is refused.
  void Shutdown() WORMHOLE_EXCLUDES(mutex_);

  // When a client is to come back: around SwitchboardOptions::retry_delay, so that they do not all
  // come back at once.
  absl::Duration RetryDelay() const;
  // The maximum age of one stream, likewise.
  absl::Duration StreamAge() const;

 private:
  // In the order of their arrival, so that what happened once happens again in a simulation.
  template <typename Predicate>
  std::vector<std::shared_ptr<StreamAttachment>> StreamsThat(Predicate predicate)
      WORMHOLE_EXCLUDES(mutex_);
  void Tally(IdState state, int step) WORMHOLE_REQUIRES(mutex_);
  std::shared_ptr<LiveChannel> FindOrMake(const ChannelKey& key) WORMHOLE_EXCLUDES(mutex_);

  const SwitchboardOptions options_;
  const SwitchboardEnvironment environment_;
  Store* const store_;
  const bool shared_;

  mutable sync::Mutex mutex_;
  bool refuses_streams_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool stopped_ WORMHOLE_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<ChannelKey, std::shared_ptr<LiveChannel>> channels_
      WORMHOLE_GUARDED_BY(mutex_);
  // By app-id; one with nothing in use is dropped. In order, for listings.
  std::map<std::string, IdPool> pools_ WORMHOLE_GUARDED_BY(mutex_);
  // Of all pools.
  size_t taken_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  size_t resting_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  // With the number of its arrival.
  absl::flat_hash_map<StreamAttachment*, uint64_t> streams_ WORMHOLE_GUARDED_BY(mutex_);
  uint64_t arrivals_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_REGISTRY_H_
