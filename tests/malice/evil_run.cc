#include "tests/malice/evil_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/random.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/trace.h"

namespace wormhole::malice {
namespace {

using pake::Role;
using simulation::ClientPlan;
using simulation::SimClient;

constexpr char kInitiatorData[] = "from the initiator";
constexpr char kReceiverData[] = "from the receiver";
constexpr absl::Duration kTimeout = absl::Seconds(30);
// What a relay that answers everything at once may get a client to do.
constexpr size_t kMostEvents = 20'000;

ClientPlan PlanFor(Role role, bool crashes) {
  ClientPlan plan;
  plan.config.role = role;
  plan.config.app_id = "example.com/malice";
  plan.config.data = role == Role::kInitiator ? kInitiatorData : kReceiverData;
  plan.config.code = "7-able-zebra";
  plan.config.timeout = kTimeout;
  if (crashes) {
    plan.crash_at_effect = 0.05;
    plan.max_pause = absl::Seconds(2);
  }
  return plan;
}

std::string JudgeSide(const simulation::ClientReport& report, const char* peer_data) {
  std::string wrong;
  for (const std::string& what : report.wrongs) absl::StrAppend(&wrong, what, "; ");
  if (!report.over) absl::StrAppend(&wrong, "never ends; ");
  if (report.failed_after_data || report.failed_before_data) wrong += "has data, and fails; ";
  if (report.data.empty() && report.failures.empty()) wrong += "ends without a word; ";
  if (report.crashes == 0 && report.data.size() + report.failures.size() != 1) {
    absl::StrAppend(&wrong, report.data.size(), " data and ", report.failures.size(),
                    " failures; ");
  }
  for (const std::string& data : report.data) {
    if (data != peer_data) absl::StrAppend(&wrong, "data that is not the peer's; ");
  }
  for (const absl::Status& failure : report.failures) {
    const Reason reason = ReasonOf(failure);
    if (reason == Reason::kNone || reason == Reason::kInternal ||
        reason == Reason::kInvalidArgument) {
      absl::StrAppend(&wrong, "fails with ", failure.ToString(), "; ");
    }
  }
  return wrong;
}

}  // namespace

Reason EvilOutcome::reason(Role role) const {
  const auto& failures = report(role).failures;
  return failures.empty() ? Reason::kNone : ReasonOf(failures.front());
}

EvilOutcome RunEvil(const Evil& evil, uint64_t seed, bool crashes) {
  simulation::EventLoop loop;
  simulation::Trace trace(&loop, false);
  const simulation::Stage stage{.loop = &loop,
                                .trace = &trace,
                                .flaws = {},
                                .faults_end = crashes ? absl::Seconds(10) : absl::ZeroDuration()};
  simulation::SimRandom random(seed);
  EvilRelay relay(&loop, evil);
  int left = 2;
  SimClient initiator(&stage, &relay, random.Fork(), 0, PlanFor(Role::kInitiator, crashes));
  SimClient receiver(&stage, &relay, random.Fork(), 1, PlanFor(Role::kReceiver, crashes));
  for (SimClient* client : {&initiator, &receiver}) {
    client->Listen([](const std::string&) {}, [&left] { --left; });
    loop.After(absl::Milliseconds(10), [client] { client->Start(); });
  }
  loop.Run(2 * kTimeout, kMostEvents, [&left] { return left == 0; });
  return {.initiator = initiator.report(),
          .receiver = receiver.report(),
          .initiator_frames = relay.posted(Role::kInitiator),
          .receiver_frames = relay.posted(Role::kReceiver)};
}

std::string Judge(const EvilOutcome& outcome) {
  std::string wrong;
  const std::string initiator = JudgeSide(outcome.initiator, kReceiverData);
  const std::string receiver = JudgeSide(outcome.receiver, kInitiatorData);
  if (!initiator.empty()) absl::StrAppend(&wrong, "initiator: ", initiator);
  if (!receiver.empty()) absl::StrAppend(&wrong, "receiver: ", receiver);
  return wrong;
}

}  // namespace wormhole::malice
