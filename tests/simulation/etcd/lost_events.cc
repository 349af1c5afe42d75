#include "tests/simulation/etcd/lost_events.h"

namespace wormhole::simulation {
namespace {

bool IsSame(const etcdserverpb::Event& a, const etcdserverpb::Event& b) {
  return a.type() == b.type() && a.kv().mod_revision() == b.kv().mod_revision() &&
         a.kv().key() == b.kv().key() && a.kv().value() == b.kv().value();
}

}  // namespace

void LostEvents::Add(int64_t revision, const std::vector<etcdserverpb::Event>& events, bool all) {
  for (Lost& lost : lost_) {
    if (lost.event.kv().mod_revision() > revision) lost.again = false;
  }
  for (const etcdserverpb::Event& event : events) lost_.push_back({.event = event});
  all_ = all_ && all;
}

void LostEvents::Note(const etcdserverpb::Event& event) {
  for (Lost& lost : lost_) lost.again = lost.again || IsSame(lost.event, event);
}

bool LostEvents::AllAgainUpTo(int64_t revision) const {
  bool any = false;
  for (const Lost& lost : lost_) {
    if (lost.event.kv().mod_revision() > revision) continue;
    if (!lost.again) return false;
    any = true;
  }
  return any && all_;
}

}  // namespace wormhole::simulation
