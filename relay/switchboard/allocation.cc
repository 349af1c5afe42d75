#include "relay/switchboard/allocation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "relay/switchboard/refusals.h"

namespace wormhole::relay {
namespace {

// A drawn id that is in use after all was taken at another relay, or by an allocation whose answer
// from the store was lost. Each such draw teaches the pool.
constexpr int kMaxDraws = 16;

}  // namespace

void Allocation::Start(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
                       OpenRequest request) {
  const auto allocation =
      std::make_shared<Allocation>(std::move(registry), std::move(stream), std::move(request));
  const auto full = allocation->registry_->ids().Full(allocation->request_.app_id);
  full ? allocation->TurnAway(*full) : allocation->Try();
}

void Allocation::Repeat(std::shared_ptr<Registry> registry,
                        std::shared_ptr<StreamAttachment> stream, OpenRequest request,
                        Refusal refusal) {
  std::make_shared<Allocation>(std::move(registry), std::move(stream), std::move(request))
      ->TurnAway(refusal);
}

Allocation::Allocation(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
                       OpenRequest request)
    : registry_(std::move(registry)), stream_(std::move(stream)), request_(std::move(request)) {}

void Allocation::TurnAway(Refusal refusal) {
  registry_->store().FindSide(
      request_.app_id, request_.side,
      [self = shared_from_this(), refusal](const absl::StatusOr<std::optional<uint32_t>>& id) {
        // A store that closes answers what was asked of it, perhaps when admission is gone.
        if (self->stream_->over()) return;
        if (id.ok() && *id) return self->OnRefused(CreateRefusal::kSideElsewhere, **id);
        Registry& registry = *self->registry_;
        self->stream_->End(
            id.ok() ? registry.Refuse(refusal, self->stream_->origin(), self->request_.app_id)
                    : StoreAway(registry.RetryDelay()));
        self->stream_->Flush();
      });
  registry_->store().Flush();
}

void Allocation::Try() {
  CreateOp create{.opener = opener(), .ttl = request_.ttl};
  create.refused = [self = shared_from_this()](CreateRefusal refusal, uint32_t other_id) {
    self->OnRefused(refusal, other_id);
  };
  uint32_t id = request_.channel_id;
  if (id != 0) {
    create.named = true;
  } else {
    std::optional<IdPool::Drawn> drawn;
    const int min_digits =
        std::max(request_.min_digits, registry_->options().min_digits.Of(request_.app_id));
    if (++draws_ <= kMaxDraws) drawn = registry_->ids().Draw(request_.app_id, min_digits);
    if (!drawn) return GiveUp();
    id = drawn->id;
    create.may_replace = drawn->spent;
    create.believed_free = !drawn->spent;
  }
  registry_->Submit({.app_id = request_.app_id, .id = id}, {.what = std::move(create)});
}

void Allocation::OnRefused(CreateRefusal refusal, uint32_t other_id) {
  switch (refusal) {
    case CreateRefusal::kIdInUse:
      return Try();
    case CreateRefusal::kSideElsewhere:
      break;
  }
  if (request_.channel_id != 0 && request_.channel_id != other_id) {
    stream_->End(SideInUse());
    stream_->Flush();
    return;
  }
  registry_->Submit({.app_id = request_.app_id, .id = other_id},
                    {.what = ResumeOp{.opener = opener(), .allocates = true}});
}

void Allocation::GiveUp() {
  stream_->End(Busy(registry_->RetryDelay()));
  stream_->Flush();
}

}  // namespace wormhole::relay
