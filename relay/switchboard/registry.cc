#include "relay/switchboard/registry.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "relay/switchboard/refusals.h"
#include "relay/switchboard/stream_attachment.h"

namespace wormhole::relay {
namespace {

// As admission knows a channel.
std::string NameOf(const ChannelKey& key) { return absl::StrCat(key.id, " ", key.app_id); }

}  // namespace

Registry::Registry(SwitchboardOptions options, SwitchboardEnvironment environment, Store* store)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      store_(store),
      shared_(store->shared()),
      ids_(options_.channel_caps, environment_.random_below),
      budgets_(PostBudget(options_.max_posted_bytes_per_second, options_.limits)) {}

void Registry::Submit(const ChannelKey& key, ChannelOp operation) {
  const LiveChannels::Make make = [this](const ChannelKey& id) {
    return std::make_shared<LiveChannel>(shared_from_this(), id, budgets_.Take(id));
  };
  if (channels_.Submit(key, operation, make)) return;
  const std::shared_ptr<StreamAttachment> stream = operation.stream();
  if (!stream) return;
  stream->End(StoreAway(RetryDelay()));
  stream->Flush();
}

absl::Duration Registry::RetryDelay() const {
  constexpr uint32_t kSteps = 1000;
  return options_.retry_delay * (0.5 + environment_.random_below(kSteps + 1) / double{kSteps});
}

absl::Duration Registry::DelayAfter(const Refused& refused) const {
  constexpr uint32_t kSteps = 1000;
  const absl::Duration least = std::clamp(refused.wait, options_.retry_delay, absl::Minutes(1));
  return least * (1 + environment_.random_below(kSteps + 1) / double{kSteps});
}

absl::Status Registry::Refuse(Refusal why, const StreamOrigin& origin,
                              const std::string& app_id) const {
  const Refused refused{.why = why, .wait = absl::ZeroDuration()};
  if (environment_.admission != nullptr) {
    environment_.admission->NoteRefused(why, origin.address, app_id);
  }
  return BeyondLimit(why, DelayAfter(refused));
}

absl::Status Registry::JudgeStored(size_t frame_bytes, uint64_t log_bytes,
                                   const StreamOrigin& origin, const std::string& app_id) const {
  const uint64_t cap = options_.max_stored_bytes;
  if (cap == 0) return absl::OkStatus();
  const bool few = log_bytes + frame_bytes <= SwitchboardOptions::kFewStoredBytes;
  const uint64_t free_for_it = few ? cap : cap - cap / 4;
  if (store_->StoredBytes() + frame_bytes <= free_for_it) return absl::OkStatus();
  return Refuse(Refusal::kStoredBytes, origin, app_id);
}

void Registry::SetId(const ChannelKey& key, IdState state) {
  ids_.Set(key, state);
  if (environment_.admission == nullptr || state == IdState::kTaken) return;
  environment_.admission->Ended(NameOf(key), steady_now());
}

void Registry::OnAllocated(const ChannelKey& key, const StreamOrigin& origin) {
  if (environment_.admission == nullptr) return;
  environment_.admission->Began(NameOf(key), origin.address, steady_now());
}

void Registry::OnClaimFailed(const StreamOrigin& origin) {
  if (environment_.admission == nullptr) return;
  environment_.admission->NoteFailedClaim(origin.address, steady_now());
}

absl::Duration Registry::StreamAge() const {
  constexpr uint32_t kSteps = 200;
  if (options_.max_stream_age == absl::InfiniteDuration()) return absl::InfiniteDuration();
  return options_.max_stream_age * (0.9 + environment_.random_below(kSteps + 1) / 1000.0);
}

}  // namespace wormhole::relay
