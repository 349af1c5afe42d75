// The way in: what the first request of a stream leads to.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_ENTRANCE_H_
#define WORMHOLE_RELAY_SWITCHBOARD_ENTRANCE_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/switchboard/open_request.h"
#include "relay/switchboard/registry.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/stream_context.h"

namespace wormhole::relay {

// Thread-safe. The streams keep it alive.
class Entrance final : public StreamContext {
 public:
  explicit Entrance(std::shared_ptr<Registry> registry) : registry_(std::move(registry)) {}

  const SwitchboardOptions& options() const override { return registry_->options(); }
  absl::Duration steady_now() const override { return registry_->steady_now(); }
  absl::Duration StreamAge() const override { return registry_->StreamAge(); }
  // A stream that has just come: lists it, or ends it if there are too many.
  void Enter(const std::shared_ptr<StreamAttachment>& stream);
  // Refuses those who have no token for it, if one is needed, and those who do it too often. Else
  // allocates, or gives the channel that `open` names an operation.
  void Open(const std::shared_ptr<StreamAttachment>& stream, rendezvous::v1::Open open) override;
  void OnOver(StreamAttachment* stream) override;

 private:
  absl::Status JudgeToken(const StreamOrigin& origin, const OpenRequest& request) const;
  std::optional<Refused> Judge(const StreamOrigin& origin, const OpenRequest& request) const;

  const std::shared_ptr<Registry> registry_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_ENTRANCE_H_
