// Who is attached here, and the way of a frame from one side to the other. Names no gRPC type.
//
// A stream becomes an Attachment: the gRPC reactor hands requests to it, and it answers through
// the reactor's Sink. Behind it, a LiveChannel holds what is in memory of a channel that has at
// least one attachment here.
//
// Threads: everything may be called from any thread. Requests of one attachment are handed over
// one at a time (Sink::ReadMore asks for the next). Nothing blocks.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_H_
#define WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/channel/rules.h"
#include "relay/store/store.h"
#include "relay/switchboard/observer.h"
#include "relay/switchboard/sink.h"
#include "relay/switchboard/switchboard_view.h"

namespace wormhole::relay {

// What the switchboard takes from outside, so that tests run it in virtual time from one seed.
struct SwitchboardEnvironment {
  std::function<absl::Time()> wall_now;                  // expiry
  std::function<absl::Duration()> steady_now;            // heartbeats; from any fixed point
  std::function<uint32_t(uint32_t bound)> random_below;  // uniform in [0, bound); thread-safe
  SwitchboardObserver* observer = nullptr;  // outlives the store too; null: nobody watches
};

struct SwitchboardOptions {
  ChannelLimits limits;
  absl::Duration heartbeat = absl::Seconds(20);  // told to clients; silence of 2.5 ends a stream
  std::string motd;
  absl::Duration retry_delay = absl::Seconds(1);  // mean of the delay in STORE_AWAY and in a drain
  // A stream this old, give or take a tenth, is told to come back. By default none is: proxies that
  // need it know their own limits.
  absl::Duration max_stream_age = absl::InfiniteDuration();
};

// One stream's place at the switchboard.
class Attachment {
 public:
  virtual ~Attachment() = default;

  // A request of the client, in stream order. The first must be Open.
  virtual void Receive(rendezvous::v1::AttachRequest request) = 0;

  // The sink's backlog has fallen: frames that were held back may follow.
  virtual void Drained() = 0;

  // The stream is over; the sink is not used after this returns (a Flush that another thread has
  // begun keeps it alive through its shared_ptr). Idempotent.
  virtual void Detach() = 0;
};

class Switchboard {
 public:
  // `store` outlives the switchboard, which listens to it for as long as it lives. Reads the ids in
  // use from the store: call before serving.
  static absl::StatusOr<std::unique_ptr<Switchboard>> Create(SwitchboardOptions options,
                                                             SwitchboardEnvironment environment,
                                                             Store* store);
  virtual ~Switchboard() = default;

  virtual std::shared_ptr<Attachment> Attach(std::shared_ptr<Sink> sink) = 0;

  // Expires what is due and ends silent streams. Called about four times a second.
  virtual void Tick() = 0;

  // Refuses new streams from now on, and tells every attached one to come back later: `Draining`,
  // then the end with DRAINING. The delays have jitter.
  virtual void Drain() = 0;

  // --- For inspection. Each call looks at what there is now; pages of one listing may differ in
  // that. ---

  // Takes a moment for each live channel.
  virtual SwitchboardCounts Count() = 0;

  // At most `limit` apps with an app-id behind `after`, in the order of their bytes.
  virtual std::vector<AppView> ListApps(const std::string& after, size_t limit) = 0;

  // At most `limit` channels with a key behind `after`, in the order of app-id and id, ended ones
  // included; of one app alone unless `app_id` is empty. The channels are read from the store:
  // `done` runs as the store's would, with the store's error if it has one, and its `next` is the
  // `after` of the next page. A page may have fewer channels than `limit`, or none, when some were
  // forgotten meanwhile: only an empty `next` is the end.
  struct ChannelPage {
    std::vector<ChannelView> channels;
    std::optional<ChannelKey> next;
    absl::Time as_of;  // by the clock that channels end by
  };
  virtual void ListChannels(const std::string& app_id, const ChannelKey& after, size_t limit,
                            std::function<void(absl::StatusOr<ChannelPage>)> done) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_H_
