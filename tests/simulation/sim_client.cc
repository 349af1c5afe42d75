#include "tests/simulation/sim_client.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"

namespace wormhole::simulation {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

namespace {

bool IsSave(const core::Effect& effect) { return std::holds_alternative<core::Save>(effect); }

}  // namespace

SimClient::SimClient(const Stage* stage, Transport* transport, SimRandom random, int party,
                     ClientPlan plan)
    : stage_(stage),
      transport_(transport),
      random_(random),
      party_(party),
      plan_(std::move(plan)) {}

void SimClient::Listen(std::function<void(std::string)> on_code, std::function<void()> on_over) {
  on_code_ = std::move(on_code);
  on_over_ = std::move(on_over);
}

void SimClient::Later(absl::Duration delay, std::function<void()> action) {
  stage_->loop->After(delay, [this, process = process_, action = std::move(action)] {
    Meet([this, process, action] {
      if (process == process_ && exchange_ != nullptr) action();
    });
  });
}

void SimClient::Meet(std::function<void()> action) {
  if (!asleep_) return action();
  meanwhile_.push_back(std::move(action));
}

void SimClient::Sleep() {
  stage_->trace->Line("client ", party_, ": sleeps for ", absl::FormatDuration(plan_.sleep));
  asleep_ = true;
  stage_->loop->After(plan_.sleep, [this] { WakeUp(); });
}

// What was on its way, and timers, in the order in which they came.
void SimClient::WakeUp() {
  stage_->trace->Line("client ", party_, ": wakes up");
  asleep_ = false;
  if (plan_.clock_sleeps) slept_ += plan_.sleep;
  for (const auto& action : std::exchange(meanwhile_, {})) action();
}

core::Instant SimClient::Now() const {
  return {.wall = stage_->loop->wall() + plan_.clock_skew,
          .steady = stage_->loop->now() - process_start_ - slept_ + absl::Seconds(1000)};
}

void SimClient::Start() {
  StartProcess();
  if (plan_.cancel_after.has_value()) {
    stage_->loop->After(*plan_.cancel_after, [this] { Meet([this] { Handle(core::Cancel{}); }); });
  }
  if (plan_.sleeps_after.has_value()) {
    stage_->loop->After(*plan_.sleeps_after, [this] { Sleep(); });
  }
}

absl::StatusOr<std::unique_ptr<core::Exchange>> SimClient::MakeExchange() {
  if (copies_.empty() || stage_->flaws.anew_after_crash) {
    return core::Exchange::Create(plan_.config, plan_.hook, &random_);
  }
  size_t copy = copies_.size() - 1;
  if (plan_.returns == ClientPlan::Return::kOlder) {
    copy = random_.Below(static_cast<uint32_t>(copies_.size()));
    if (copy + 1 < copies_.size()) report_.went_back = true;
  }
  stage_->trace->Line("client ", party_, ": restores copy ", copy + 1, " of ", copies_.size());
  auto restored = core::Exchange::Restore(copies_[copy], plan_.hook, "", &random_);
  if (!restored.ok()) NoteSpent(copies_[copy]);
  return restored;
}

void SimClient::NoteSpent(const std::string& copy) {
  const auto state = nlohmann::json::parse(copy);
  if (state["burnt"]) report_.spent_on = Reason{state["failure"]["reason"].get<int>()};
}

void SimClient::StartProcess() {
  ++process_;
  process_start_ = stage_->loop->now();
  slept_ = absl::ZeroDuration();
  data_in_process_ = failed_in_process_ = false;
  absl::StatusOr<std::unique_ptr<core::Exchange>> made = MakeExchange();
  if (!made.ok()) {
    CarryFailure(made.status());
    return Finish();
  }
  exchange_ = *std::move(made);
  stage_->trace->Line("client ", party_, ": process ", process_, " starts");
  PlanCrash();
  Handle(core::Start{});
}

void SimClient::PlanCrash() {
  if (!stage_->stormy() || plan_.mean_life == absl::InfiniteDuration()) return;
  Later(random_.Exponential(plan_.mean_life), [this] {
    if (stage_->stormy() && report_.crashes < plan_.most_crashes) Crash();
  });
}

void SimClient::OnResponse(const AttachResponse& response) {
  Meet([this, response, stream = stream_] {
    if (stream != stream_) return;  // which it has given up since it woke up
    if (response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED) {
      joined_ = response.opened();
    }
    Handle(core::Received{.response = response});
  });
}

void SimClient::OnEnded(const absl::Status& status) {
  Meet([this, status, stream = stream_] {
    if (stream != stream_) return;
    stream_.reset();
    Handle(core::Ended{.status = status});
  });
}

void SimClient::Handle(core::Event event) {
  if (exchange_ == nullptr) return;
  const auto* received = std::get_if<core::Received>(&event);
  const bool guess = received != nullptr && received->response.message().number() == 1;
  const std::vector<core::Effect> effects = exchange_->Step(std::move(event), Now());
  fails_now_ = std::any_of(effects.begin(), effects.end(), [](const core::Effect& effect) {
    return std::holds_alternative<core::Failed>(effect);
  });
  size_t carried = 0;
  for (const core::Effect& effect : effects) {
    if (stage_->stormy() && report_.crashes < plan_.most_crashes &&
        random_.Chance(plan_.crash_at_effect)) {
      const bool loses = std::any_of(effects.begin() + carried, effects.end(), IsSave);
      if (plan_.hook && guess && loses) ++report_.lost_guesses;
      return Crash();
    }
    if (!Carry(effect)) return;
    ++carried;
  }
  AwaitWake();
}

void SimClient::AwaitWake() {
  const std::optional<absl::Duration> at = exchange_->NextWake();
  const uint64_t wake = ++wake_;
  if (!at.has_value()) return;
  Later(*at - Now().steady, [this, wake, at] {
    if (wake != wake_) return;
    Now().steady < *at ? AwaitWake() : Handle(core::Wake{});  // the clock has slept
  });
}

bool SimClient::Carry(const core::Effect& effect) {
  if (const auto* save = std::get_if<core::Save>(&effect)) return CarrySave(*save);
  if (const auto* open = std::get_if<core::OpenStream>(&effect)) {
    if (stream_ != nullptr) stream_->Drop();
    posted_before_.merge(posted_now_);
    if (!opening_.has_open()) opening_ = open->open;
    stream_ = transport_->Open(party_, open->open, this);
  } else if (const auto* send = std::get_if<core::Send>(&effect)) {
    CarrySend(send->request);
  } else if (const auto* drop = std::get_if<core::DropStream>(&effect)) {
    if (stream_ != nullptr) stream_->Drop(drop->silent);
    stream_.reset();
  } else if (const auto* code = std::get_if<core::CodeReady>(&effect)) {
    stage_->trace->Line("client ", party_, ": code ", code->code);
    if (report_.codes.insert(code->code).second && report_.codes.size() == 1) on_code_(code->code);
  } else if (const auto* verifier = std::get_if<core::VerifierReady>(&effect)) {
    CarryVerifier(*verifier);
  } else if (const auto* data = std::get_if<core::DataReady>(&effect)) {
    CarryData(*data);
  } else if (const auto* failed = std::get_if<core::Failed>(&effect)) {
    CarryFailure(failed->status);
  } else if (std::holds_alternative<core::Over>(effect)) {
    Finish();
    return false;
  }
  return true;
}

bool SimClient::CarrySave(const core::Save& save) {
  if (!plan_.hook) {
    report_.wrongs.push_back("a Save without a hook");
    return true;
  }
  ++saves_;
  if (saves_ == plan_.failing_save) {
    Handle(core::SaveFailed{.status = absl::InternalError("the simulated disk is full")});
    return false;
  }
  if (stage_->flaws.lying_save_hook) {
    Later(absl::Seconds(3), [this, state = save.state] { copies_.push_back(state); });
  } else {
    copies_.push_back(save.state);
  }
  return true;
}

void SimClient::CarrySend(const AttachRequest& request) {
  if (stream_ == nullptr) {
    report_.wrongs.push_back("a Send without a stream");
    return;
  }
  if (request.has_post()) {
    const uint64_t number = request.post().number();
    if (stage_->flaws.dropped_resend && posted_before_.count(number) > 0) return;
    posted_now_.insert(number);
  }
  if (request.has_close() && !closing_since_.has_value()) closing_since_ = stage_->loop->now();
  stream_->Request(request);
}

void SimClient::CarryVerifier(const core::VerifierReady& verifier) {
  report_.verifiers.insert(verifier.words);
  std::array<uint8_t, 32> key{};
  const absl::Status derived =
      exchange_->DeriveKey("simulation", pake::SecretSpan(key.data(), key.size()));
  if (derived.ok()) {
    report_.derived_keys.insert(std::string(key.begin(), key.end()));
  } else if (!fails_now_) {
    report_.wrongs.push_back("DeriveKey after VerifierReady: " + derived.ToString());
  }
  if (!plan_.config.confirm_verifier) return;
  Later(random_.Between(absl::ZeroDuration(), absl::Seconds(5)),
        [this] { Handle(core::AcceptVerifier{.accepted = plan_.accepts_verifier}); });
}

void SimClient::CarryData(const core::DataReady& ready) {
  stage_->trace->Line("client ", party_, ": data of ", ready.data.size(), " bytes");
  if (data_in_process_) report_.wrongs.push_back("data twice in one process");
  if (failed_in_process_) report_.wrongs.push_back("data after a failure");
  data_in_process_ = true;
  report_.failed_before_data |= failed_for_good_;
  report_.data.push_back(ready.data);
}

void SimClient::CarryFailure(const absl::Status& status) {
  stage_->trace->Line("client ", party_, ": failed: ", status.ToString());
  if (failed_in_process_) report_.wrongs.push_back("two failures in one process");
  failed_in_process_ = true;
  if (!report_.data.empty()) report_.failed_after_data = true;
  report_.failures.push_back(status);
  // A state that another copy uses goes on as soon as that copy does not.
  failed_for_good_ |= ReasonOf(status) != Reason::kInUseElsewhere;
}

void SimClient::EndProcess() {
  exchange_.reset();
  transport_->NoteCrash(party_);
  if (stream_ != nullptr) stream_->Drop();
  stream_.reset();
  posted_before_.merge(posted_now_);
}

void SimClient::Crash() {
  ++report_.crashes;
  stage_->trace->Line("client ", party_, ": crashes");
  // Without a hook, what a program has put aside is what it happened to serialize at some time.
  if (!plan_.hook && random_.Chance(0.5)) {
    copies_.push_back(exchange_->Serialize());
  }
  EndProcess();
  if (plan_.returns == ClientPlan::Return::kNever) {
    report_.killed = true;
    return Finish();
  }
  stage_->loop->After(random_.Between(absl::ZeroDuration(), plan_.max_pause),
                      [this] { Meet([this] { StartProcess(); }); });
}

void SimClient::Finish() {
  EndProcess();
  if (report_.over) return;
  report_.over = true;
  stage_->trace->Line("client ", party_, ": over");
  on_over_();
}

}  // namespace wormhole::simulation
