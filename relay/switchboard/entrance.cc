#include "relay/switchboard/entrance.h"

#include <optional>

#include "absl/status/statusor.h"
#include "relay/switchboard/allocation.h"
#include "relay/switchboard/open_request.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

void Entrance::Open(const std::shared_ptr<StreamAttachment>& stream, rendezvous::v1::Open open) {
  absl::StatusOr<OpenRequest> parsed = ParseOpen(open);
  if (!parsed.ok()) return stream->Dismiss(std::nullopt, parsed.status());
  if (registry_->streams().refused()) {
    return stream->Dismiss(std::nullopt, Draining(registry_->RetryDelay()));
  }
  const Opener opener{.stream = stream, .side = parsed->side, .cursor = parsed->cursor};
  const ChannelKey key{.app_id = parsed->app_id, .id = parsed->channel_id};
  switch (parsed->purpose) {
    case OpenRequest::Purpose::kAllocate:
      return Allocation::Start(registry_, stream, *std::move(parsed));
    case OpenRequest::Purpose::kClaim:
      return registry_->Submit(key, {.what = ClaimOp{.opener = opener, .waits = parsed->wait}});
    case OpenRequest::Purpose::kResume:
      return registry_->Submit(key, {.what = ResumeOp{.opener = opener}});
  }
}

}  // namespace wormhole::relay
