#include "client/stream/explainer.h"

#include <utility>

namespace wormhole {
namespace {

using Clock = std::chrono::steady_clock;

// How long a probe may take: somebody waits for it, and the next try comes soon.
constexpr std::chrono::seconds kPatience(3);
constexpr std::chrono::seconds kFresh(5);
// More relays than a process talks to.
constexpr size_t kMaxEntries = 1000;

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

}  // namespace

Explainer::Explainer(std::shared_ptr<sync::Threads> threads) : threads_(std::move(threads)) {}

Explainer::Key Explainer::KeyOf(const Way& way) {
  return Key(way.scene.relay, way.scene.route.target, way.scene.route.connect_to, way.security,
             way.tls.root_certificates, way.tls.certificate_chain);
}

Explainer::Entry& Explainer::EntryOf(const Way& way) {
  if (entries_.size() >= kMaxEntries) {
    std::erase_if(entries_, [](const auto& entry) { return !entry.second.probing; });
  }
  return entries_[KeyOf(way)];
}

void Explainer::NoteAnswer(const Way& way) {
  sync::MutexLock lock(mutex_);
  EntryOf(way).answered = true;
}

void Explainer::Explain(const Way& way, absl::Status status, Done done) {
  const Tell tell = [scene = way.scene, status, done = std::move(done)](const Found& found) {
    done(TroubleStatus(found.value_or(Trouble{}), scene, MessageOf(status)));
  };
  if (const Found read = ReadTrouble(MessageOf(status), way.scene); read.has_value()) {
    return tell(read);
  }
  Found known;
  switch (Queue(way, tell, &known)) {
    case Turn::kKnown:
      return tell(known);
    case Turn::kWaits:
      return;
    case Turn::kProbes:
      if (!threads_->Start("wormhole-probe",
                           [self = shared_from_this(), way] { self->RunProbe(way); }))
        Settle(way, std::nullopt);
  }
}

Explainer::Turn Explainer::Queue(const Way& way, const Tell& tell, Found* known) {
  sync::MutexLock lock(mutex_);
  Entry& entry = EntryOf(way);
  const bool fresh = entry.probed_at.has_value() && Clock::now() < *entry.probed_at + kFresh;
  // Once a relay has answered, what a probe found before is not true any more.
  if (fresh && !entry.answered) *known = entry.found;
  if (fresh || entry.answered) return Turn::kKnown;
  entry.waiting.push_back(tell);
  return std::exchange(entry.probing, true) ? Turn::kWaits : Turn::kProbes;
}

void Explainer::RunProbe(const Way& way) {
  Settle(way, Probe({.scene = way.scene,
                     .security = way.security,
                     .tls = way.tls,
                     .deadline = Clock::now() + kPatience,
                     .threads = threads_}));
}

void Explainer::Settle(const Way& way, Found found) {
  std::vector<Tell> waiting;
  {
    sync::MutexLock lock(mutex_);
    Entry& entry = EntryOf(way);
    if (entry.answered) found.reset();
    entry.probing = false;
    entry.probed_at = Clock::now();
    entry.found = found;
    waiting.swap(entry.waiting);
  }
  for (const Tell& tell : waiting) tell(found);
}

}  // namespace wormhole
