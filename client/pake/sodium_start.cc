#include "client/pake/sodium_start.h"

#include <sodium.h>

#include <atomic>
#include <cstdint>

#include "proto/sync/fork.h"

namespace wormhole::pake {
namespace {

constexpr uint64_t kNobody = UINT64_MAX;

constinit std::atomic<bool> started{false};

// The fork generation of the process whose threads were the first to call sodium_init().
constinit std::atomic<uint64_t> starter{kNobody};

}  // namespace

SodiumStart StartSodium() {
  if (started.load()) return SodiumStart::kStarted;
  uint64_t found = kNobody;
  const uint64_t own = sync::ForkGeneration();
  // In a forked child libsodium's lock may belong to a thread of the parent, which never gives it
  // back here.
  if (!starter.compare_exchange_strong(found, own) && found != own) {
    return SodiumStart::kForkedMeanwhile;
  }
  if (sodium_init() < 0) return SodiumStart::kNoRandomness;
  started.store(true);
  return SodiumStart::kStarted;
}

}  // namespace wormhole::pake
