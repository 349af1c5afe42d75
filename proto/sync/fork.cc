#include "proto/sync/fork.h"

#include <pthread.h>

#include <atomic>

namespace wormhole::sync {
namespace {

constinit std::atomic<uint64_t> generation{0};

// When the code is loaded, and not at the first use: a fork while another thread is at its first
// use would leave the guard of a function's static variable locked in the child. The C library
// forgets the handler when the code is unloaded.
[[maybe_unused]] const int kRegistered =
    pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

uint64_t ForkGeneration() { return generation.load(std::memory_order_relaxed); }

}  // namespace wormhole::sync
