#include "tests/conformance/steps.h"

#include <chrono>
#include <set>
#include <utility>

#include "proto/sync/mutex.h"

namespace wormhole::conformance {

struct Steps::State {
  // Whether the request is dealt with.
  bool Meets(ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    sync::MutexLock lock(mutex);
    if (held.count(stream) != 0) return true;
    if (met == steps.size() || !IsAt(steps[met], stream, request)) return false;
    const Step& step = steps[met++];
    changed.NotifyAll();
    if (step.fate == Step::Fate::kHonest) return false;
    held.insert(stream);
    if (step.fate == Step::Fate::kStored) channel.StoreOnly(request.post());
    return true;
  }

  static bool IsAt(const Step& step, size_t stream, const AttachRequest& request) {
    if (request.request_case() != step.at) return false;
    if (step.number == 0) return true;
    return step.number == (request.has_post() ? request.post().number() : stream + 1);
  }

  std::vector<Step> steps;  // that are requests
  sync::Mutex mutex;
  sync::CondVar changed;
  size_t met WORMHOLE_GUARDED_BY(mutex) = 0;
  size_t awaited WORMHOLE_GUARDED_BY(mutex) = 0;
  std::set<size_t> held WORMHOLE_GUARDED_BY(mutex);  // streams on which nothing happens any more
};

Steps::Steps(const std::vector<Step>& steps) : state_(std::make_shared<State>()) {
  for (const Step& step : steps) {
    if (step.at != Arm::REQUEST_NOT_SET) state_->steps.push_back(step);
  }
}

Script Steps::Watched(Script script) const {
  const auto inner = script.on_request;
  script.on_request = [state = state_, inner](ScriptedChannel& channel, size_t stream,
                                              const AttachRequest& request) {
    return state->Meets(channel, stream, request) || (inner && inner(channel, stream, request));
  };
  return script;
}

bool Steps::AwaitNext(int seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  sync::MutexLock lock(state_->mutex);
  while (state_->met <= state_->awaited) {
    if (!state_->changed.WaitUntil(state_->mutex, until)) return false;
  }
  ++state_->awaited;
  return true;
}

}  // namespace wormhole::conformance
