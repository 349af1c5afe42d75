#include "relay/switchboard/entrance.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "relay/switchboard/allocation.h"
#include "relay/switchboard/open_request.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {

void Entrance::Enter(const std::shared_ptr<StreamAttachment>& stream) {
  Admission* const admission = registry_->admission();
  if (admission != nullptr) {
    const std::optional<Refused> refused =
        admission->Enter(stream->origin().address, registry_->steady_now());
    if (refused) {
      return stream->Dismiss(std::nullopt,
                             BeyondLimit(refused->why, registry_->DelayAfter(*refused)));
    }
  }
  registry_->streams().Add(stream.get());
}

// A stream that was refused was never listed.
void Entrance::OnOver(StreamAttachment* stream) {
  if (!registry_->streams().Remove(stream) || registry_->admission() == nullptr) return;
  Admission& admission = *registry_->admission();
  const absl::Duration now = registry_->steady_now();
  admission.Leave(stream->origin().address, now);
  if (!stream->opened()) admission.NoteAbandoned(stream->origin().address, now);
}

void Entrance::Open(const std::shared_ptr<StreamAttachment>& stream, rendezvous::v1::Open open) {
  absl::StatusOr<OpenRequest> parsed = ParseOpen(open);
  if (!parsed.ok()) return stream->Dismiss(std::nullopt, parsed.status());
  if (registry_->streams().refused()) {
    return stream->Dismiss(std::nullopt, Draining(registry_->RetryDelay()));
  }
  // In this order, so that trying tokens is limited like anything else.
  const std::optional<Refused> refused = Judge(stream->origin(), *parsed);
  const bool has_channels = refused && refused->why == Refusal::kChannelsOfAddress;
  if (refused && !has_channels) {
    return stream->Dismiss(std::nullopt,
                           BeyondLimit(refused->why, registry_->DelayAfter(*refused)));
  }
  if (absl::Status judged = JudgeToken(stream->origin(), *parsed); !judged.ok()) {
    return stream->Dismiss(std::nullopt, std::move(judged));
  }
  const Opener opener{.stream = stream, .side = parsed->side, .cursor = parsed->cursor};
  const ChannelKey key{.app_id = parsed->app_id, .id = parsed->channel_id};
  switch (parsed->purpose) {
    case OpenRequest::Purpose::kAllocate:
      return has_channels ? Allocation::Repeat(registry_, stream, *std::move(parsed), refused->why)
                          : Allocation::Start(registry_, stream, *std::move(parsed));
    case OpenRequest::Purpose::kClaim:
      return registry_->Submit(key, {.what = ClaimOp{.opener = opener, .waits = parsed->wait}});
    case OpenRequest::Purpose::kResume:
      return registry_->Submit(key, {.what = ResumeOp{.opener = opener}});
  }
}

// To resume takes none: the side's own token proves that it was let in, and an exchange under way
// goes on when its bearer token is withdrawn.
absl::Status Entrance::JudgeToken(const StreamOrigin& origin, const OpenRequest& request) const {
  const TokenJudge* const tokens = registry_->tokens();
  if (tokens == nullptr || request.purpose == OpenRequest::Purpose::kResume) {
    return absl::OkStatus();
  }
  const TokenUse use =
      request.purpose == OpenRequest::Purpose::kAllocate ? TokenUse::kAllocate : TokenUse::kClaim;
  const TokenVerdict verdict = tokens->Judge(origin.token, use, request.app_id);
  if (verdict == TokenVerdict::kUnknown) registry_->OnClaimFailed(origin);  // perhaps a guess
  return verdict == TokenVerdict::kGranted ? absl::OkStatus() : TokenRefused(verdict, use);
}

// Before anything is looked at that depends on the id: whoever is refused learns nothing of it. To
// resume counts for nothing, or who loses his streams would be punished for it.
std::optional<Refused> Entrance::Judge(const StreamOrigin& origin,
                                       const OpenRequest& request) const {
  Admission* const admission = registry_->admission();
  if (admission == nullptr || request.purpose == OpenRequest::Purpose::kResume) {
    return std::nullopt;
  }
  const bool allocates = request.purpose == OpenRequest::Purpose::kAllocate;
  const absl::Duration now = registry_->steady_now();
  return allocates ? admission->Allocate(origin.address, request.app_id, now)
                   : admission->Claim(origin.address, request.app_id, now);
}

}  // namespace wormhole::relay
