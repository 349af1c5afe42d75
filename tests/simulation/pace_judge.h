// Watches when clients come back, and whether the two ends of a stream hear of each other: nobody
// comes before the delay is over that a relay has asked for, and where nothing breaks nobody takes
// the other for dead.
#ifndef WORMHOLE_TESTS_SIMULATION_PACE_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_PACE_JUDGE_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/simulation/stage.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

class PaceJudge {
 public:
  explicit PaceJudge(const Stage* stage) : stage_(stage) {}

  // A client opens a stream. Returns what is wrong, if anything is.
  std::optional<std::string> OnOpen(int party);
  // A client is about to be handed these.
  void OnResponse(int party, const rendezvous::v1::AttachResponse& response);
  void OnEnded(int party, const absl::Status& status);
  // Its process ends, and forgets.
  void OnCrash(int party) { not_before_.erase(party); }
  // It gives up a stream on which it has heard nothing for too long.
  std::optional<std::string> OnSilence(int party, uint64_t stream) const;

 private:
  void Ask(int party, const google::protobuf::Duration& delay);

  const Stage* const stage_;
  std::map<int, absl::Duration> not_before_;  // by party
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_PACE_JUDGE_H_
