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

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "relay/switchboard/options.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard_view.h"

namespace wormhole::relay {

class Switchboard {
 public:
  // `store` outlives the switchboard, which listens to it for as long as it lives. Reads the ids in
  // use from the store: call before serving.
  static absl::StatusOr<std::unique_ptr<Switchboard>> Create(SwitchboardOptions options,
                                                             SwitchboardEnvironment environment,
                                                             Store* store);
  virtual ~Switchboard() = default;

  virtual std::shared_ptr<Attachment> Attach(std::shared_ptr<Sink> sink, StreamOrigin origin) = 0;

  // Expires what is due, ends silent streams, and reads on from who had posted too much. Called
  // about four times a second.
  virtual void Tick() = 0;

  // Refuses new streams from now on, and tells every attached one to come back later: `Draining`,
  // then the end with DRAINING. The delays have jitter.
  virtual void Drain() = 0;

  // --- For inspection. Each call shows what there is now, also each page of one listing. ---

  // Takes a moment for each live channel.
  virtual SwitchboardCounts Count() = 0;

  // At most `limit` apps with an app-id behind `after`, in the order of their bytes.
  virtual std::vector<AppView> ListApps(const std::string& after, size_t limit) = 0;

  // At most `limit` channels with a key behind `after`, in the order of app-id and id, ended ones
  // included; of one app alone unless `app_id` is empty. The channels are read from the store:
  // `done` runs as the store's would, with the store's error if it has one, and its `next` is the
  // `after` of the next page. A page may have fewer channels than `limit`, or none, when some were
  // forgotten meanwhile: only an empty `next` is the end.
  virtual void ListChannels(const std::string& app_id, const ChannelKey& after, size_t limit,
                            std::function<void(absl::StatusOr<ChannelPage>)> done) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_SWITCHBOARD_H_
