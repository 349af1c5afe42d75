#include "relay/switchboard/allocation.h"

#include <optional>
#include <utility>

#include "relay/switchboard/refusals.h"

namespace wormhole::relay {
namespace {

// A drawn id that is in use after all was taken at another relay, or by an allocation whose answer
// from the store was lost. Each such draw teaches the pool.
constexpr int kMaxDraws = 16;

}  // namespace

void Allocation::Start(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
                       OpenRequest request) {
  std::make_shared<Allocation>(std::move(registry), std::move(stream), std::move(request))->Try();
}

Allocation::Allocation(std::shared_ptr<Registry> registry, std::shared_ptr<StreamAttachment> stream,
                       OpenRequest request)
    : registry_(std::move(registry)), stream_(std::move(stream)), request_(std::move(request)) {}

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
    if (++draws_ <= kMaxDraws) drawn = registry_->ids().Draw(request_.app_id, request_.min_digits);
    if (!drawn) return GiveUp();
    id = drawn->id;
    create.may_replace = drawn->rested;
    create.believed_free = !drawn->rested;
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
