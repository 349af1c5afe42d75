#include "client/engine/forked.h"

#include <atomic>
#include <cstdint>
#include <utility>

#include "client/core/failure.h"
#include "proto/sync/fork.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

constexpr uint64_t kNobody = UINT64_MAX;

// The fork generation of the process that makes exchanges.
constinit std::atomic<uint64_t> owner{kNobody};

struct Kept {
  std::shared_ptr<const void> object;
  Kept* next = nullptr;
};

// A list, so that leak checkers see that somebody still has the objects.
constinit std::atomic<Kept*> kept{nullptr};

}  // namespace

absl::Status ForkedError() {
  return core::Failure(
      Reason::kForked, absl::StatusCode::kFailedPrecondition,
      "the parent of this forked process uses wormhole-sync, whose threads and connections are not "
      "here: make exchanges in the child only if the parent made none, or exec a program first");
}

absl::Status ClaimProcess() {
  uint64_t found = kNobody;
  const uint64_t own = sync::ForkGeneration();
  if (owner.compare_exchange_strong(found, own) || found == own) return absl::OkStatus();
  return ForkedError();
}

absl::Status CheckProcess() {
  const uint64_t found = owner.load();
  if (found == kNobody || found == sync::ForkGeneration()) return absl::OkStatus();
  return ForkedError();
}

void KeepForever(std::shared_ptr<const void> object) {
  auto* const entry = new Kept{std::move(object), kept.load()};
  while (!kept.compare_exchange_weak(entry->next, entry)) {
  }
}

}  // namespace wormhole
