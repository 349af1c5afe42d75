#include "tests/simulation/sim_relay.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"

namespace wormhole::simulation {

SimRelay::SimRelay(const Stage* stage, RelayPlan plan, SimRandom random, RelayStore* store,
                   int number)
    : stage_(stage),
      plan_(std::move(plan)),
      random_(random),
      switchboard_random_(random_.Fork()),
      store_(store),
      number_(number) {}

void SimRelay::Later(absl::Duration delay, std::function<void()> action) {
  stage_->loop->After(delay, [this, process = process_, action = std::move(action)] {
    if (process == process_ && switchboard_ != nullptr) action();
  });
}

void SimRelay::Start(std::function<void()> on_death) {
  on_death_ = std::move(on_death);
  StartProcess();
  PlanStoreOutage();
}

void SimRelay::StartProcess() {
  ++process_;
  relay::SwitchboardEnvironment environment{
      .wall_now = [this] { return store_->WallNow(stage_->loop->wall()); },
      .steady_now = [this] { return stage_->loop->now() + absl::Seconds(77); },
      .random_below = [this](uint32_t bound) { return switchboard_random_.Below(bound); },
  };
  absl::StatusOr<std::unique_ptr<relay::Switchboard>> made =
      relay::Switchboard::Create(plan_.options, std::move(environment), store_);
  if (!made.ok()) {
    Note("does not start: ", made.status().ToString());
    stage_->loop->After(absl::Seconds(1), [this] { StartProcess(); });
    return;
  }
  Note("process ", process_, " starts");
  switchboard_ = *std::move(made);
  Tick();
  PlanDeath();
}

void SimRelay::Tick() {
  if (stage_->flaws.no_tick) return;
  switchboard_->Tick();
  Later(std::max(plan_.tick, stage_->least_tick), [this] { Tick(); });
}

void SimRelay::PlanDeath() {
  if (!stage_->stormy() || plan_.mean_life == absl::InfiniteDuration()) return;
  Later(random_.Exponential(plan_.mean_life), [this] {
    if (!stage_->stormy()) return;
    if (random_.Chance(0.2)) return Drain();
    End(/*well=*/false);
  });
}

void SimRelay::Drain() {
  Note("drains");
  switchboard_->Drain();
  Later(random_.Between(absl::ZeroDuration(), absl::Seconds(10)), [this] { End(/*well=*/true); });
}

void SimRelay::Stop(bool well) {
  if (switchboard_ == nullptr) return;
  on_death_();
  if (!well) store_->Crash();
  switchboard_.reset();
  if (well) store_->Leave();
}

void SimRelay::End(bool well) {
  Note(well ? "ends" : "killed");
  Stop(well);
  if (plan_.forgets) store_->Forget();
  const absl::Duration most = random_.Chance(0.7) ? absl::Seconds(1) : plan_.max_outage;
  stage_->loop->After(random_.Between(absl::ZeroDuration(), most), [this] { StartProcess(); });
}

void SimRelay::PlanStoreOutage() {
  if (plan_.mean_store_life == absl::InfiniteDuration()) return;
  stage_->loop->After(random_.Exponential(plan_.mean_store_life), [this] {
    if (!stage_->stormy()) return;
    Note("the store is away");
    store_->SetAway(true);
    stage_->loop->After(random_.Between(absl::ZeroDuration(), plan_.max_outage), [this] {
      Note("the store is back");
      store_->SetAway(false);
      PlanStoreOutage();
    });
  });
}

std::shared_ptr<relay::Attachment> SimRelay::Attach(std::shared_ptr<relay::Sink> sink) {
  return switchboard_ == nullptr ? nullptr : switchboard_->Attach(std::move(sink), {});
}

}  // namespace wormhole::simulation
