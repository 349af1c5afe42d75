#include "tests/client/switchboard_transport.h"

#include <utility>

#include "tests/client/wire.h"

namespace wormhole::testing {

SwitchboardTransport::SwitchboardTransport(relay::Switchboard* switchboard, int threads)
    : switchboard_(switchboard), executor_(Executor::Create(threads).value()) {}

SwitchboardTransport::~SwitchboardTransport() { Shut(); }

void SwitchboardTransport::Shut() {
  SetReachable(false);
  CutAll();
  AwaitNoStreams();
}

std::shared_ptr<Stream> SwitchboardTransport::Open(const StreamTarget&,
                                                   std::shared_ptr<StreamListener> listener) {
  auto wire = std::make_shared<Wire>(executor_.get(), std::move(listener),
                                     [this](const Wire* gone) { Remove(gone); });
  bool reachable;
  {
    sync::MutexLock lock(mutex_);
    reachable = reachable_;
    wires_.emplace(wire.get(), wire);
    ++opened_;
    changed_.NotifyAll();
  }
  if (reachable) {
    wire->Connect(switchboard_);
  } else {
    wire->Break();
  }
  return wire->MakeClientEnd();
}

void SwitchboardTransport::SetReachable(bool reachable) {
  sync::MutexLock lock(mutex_);
  reachable_ = reachable;
}

void SwitchboardTransport::CutAll() {
  std::vector<std::shared_ptr<Wire>> wires;
  {
    sync::MutexLock lock(mutex_);
    for (const auto& [raw, wire] : wires_) wires.push_back(wire);
  }
  for (const auto& wire : wires) wire->Break();
}

void SwitchboardTransport::Remove(const Wire* wire) {
  std::shared_ptr<Wire> removed;  // outlives the lock
  sync::MutexLock lock(mutex_);
  const auto it = wires_.find(wire);
  if (it != wires_.end()) removed = std::move(it->second);
  wires_.erase(wire);
  changed_.NotifyAll();
}

size_t SwitchboardTransport::opened() const {
  sync::MutexLock lock(mutex_);
  return opened_;
}

void SwitchboardTransport::AwaitOpened(size_t count) {
  sync::MutexLock lock(mutex_);
  while (opened_ < count) changed_.Wait(mutex_);
}

void SwitchboardTransport::AwaitNoStreams() {
  sync::MutexLock lock(mutex_);
  while (!wires_.empty()) changed_.Wait(mutex_);
}

}  // namespace wormhole::testing
