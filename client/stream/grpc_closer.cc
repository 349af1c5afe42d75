#include "client/stream/grpc_closer.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace wormhole {
namespace {

using Clock = std::chrono::steady_clock;

// gRPC tells nobody when it has stopped.
constexpr std::chrono::milliseconds kPause(5);

}  // namespace

void GrpcCloser::NoteOpen() {
  sync::MutexLock lock(mutex_);
  ++open_;
}

void GrpcCloser::NoteClosed() {
  sync::MutexLock lock(mutex_);
  if (--open_ == 0) changed_.NotifyAll();
}

void GrpcCloser::Close(std::function<void()> close) {
  auto* const work = new Work(std::move(close));
  const bool started = threads_->Start("wormhole-close", [self = shared_from_this(), work] {
    (*work)();
    delete work;
    self->NoteClosed();
  });
  if (started) return;
  sync::MutexLock lock(mutex_);
  orphans_.push_back(work);
  changed_.NotifyAll();
}

void GrpcCloser::NoteEnding(std::chrono::seconds most) {
  sync::MutexLock lock(mutex_);
  endings_over_ = std::max(endings_over_, Clock::now() + most);
}

std::string GrpcCloser::AwaitClosed(Clock::time_point deadline) {
  if (!AwaitNoneOpen(deadline)) {
    sync::MutexLock lock(mutex_);
    return absl::StrCat("connections to a relay are being closed (", open_,
                        "), which a connection attempt holds up for five seconds at most");
  }
  if (AwaitEndings(deadline)) return "";
  return "gRPC is closing a connection, or has a connection attempt, which ends in five seconds";
}

bool GrpcCloser::AwaitNoneOpen(Clock::time_point deadline) {
  while (true) {
    Work* work = nullptr;
    {
      sync::MutexLock lock(mutex_);
      while (open_ > 0 && orphans_.empty() && changed_.WaitUntil(mutex_, deadline)) {
      }
      if (open_ == 0) return true;
      if (orphans_.empty() || Clock::now() >= deadline) return false;
      work = orphans_.back();
      orphans_.pop_back();
    }
    (*work)();
    delete work;
    NoteClosed();
  }
}

// An application that uses gRPC besides keeps it going: then what ends is over after its time.
bool GrpcCloser::AwaitEndings(Clock::time_point deadline) const {
  Clock::time_point end;
  {
    sync::MutexLock lock(mutex_);
    end = endings_over_;
  }
  while (Clock::now() < end && grpc_is_initialized() != 0) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

}  // namespace wormhole
