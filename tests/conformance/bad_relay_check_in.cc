// A client in check-in mode: it attaches at each tick, and hangs up when there is nothing to do.
#include <set>
#include <string>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

constexpr size_t kTicksAlone = 3;

// The client hung up by itself while it was alone, and came back at its ticks. They are a second
// apart, less a tenth of jitter and what a busy machine makes of it; a lost stream is retried
// within a tenth.
std::string HangsUpBetweenTicks(const Transcript& transcript, const ClientEnd&) {
  std::set<size_t> hung_up;
  for (const Entry& entry : transcript.entries) {
    if (entry.kind == Entry::Kind::kClientEnded) hung_up.insert(entry.stream);
  }
  const std::vector<double> begins = transcript.Begins();
  for (size_t stream = 0; stream + 1 < kTicksAlone; ++stream) {
    if (hung_up.count(stream) == 0) return "it does not hang up with nothing to do";
    if (begins[stream + 1] - begins[stream] < 0.5) return "it comes back before its tick";
  }
  return "";
}

BadRelayCase Row(Role client, const char* name, const char* shows) {
  return {.name = name,
          .client = client,
          .section = "6 Waiting",
          .shows = shows,
          .script = {},
          .check = HangsUpBetweenTicks,
          .checks_in = true,
          .steps = {{Arm::kOpen, kTicksAlone, Step::Fate::kHonest, Step::Then::kPeerComes}}};
}

}  // namespace

void AddCheckInCases(Cases& cases) {
  for (const Role role : kBoth) {
    cases.push_back(Row(role, "checks-in",
                        "attaches at its ticks, hangs up when drained, and finishes all the same"));
    BadRelayCase killed = Row(role, "checks-in-and-restarted",
                              "a client in check-in mode that is killed goes on in it");
    killed.steps.insert(killed.steps.begin(), {Arm::kOpen, 2});
    killed.check = nullptr;
    killed.timeout_seconds = 60;  // of two lives, and the ticks between them
    cases.push_back(std::move(killed));
  }
}

}  // namespace wormhole::conformance
