// Watches what streams are ended with: no channel expires before its time, CLOSED says how, whoever
// has to come back is told when, and where nothing breaks no stream ends without a reason.
#ifndef WORMHOLE_TESTS_SIMULATION_ENDING_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_ENDING_JUDGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/simulation/stage.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

class EndingJudge {
 public:
  explicit EndingJudge(const Stage* stage) : stage_(stage) {}

  void OnOpen(int party, uint64_t stream, const std::string& app_id, const std::string& side);
  void OnClose(uint64_t stream, rendezvous::v1::Mood mood);
  // The relay lets it in. `channel` is the name of the channel from its beginning to its end.
  void OnAttached(uint64_t stream, const std::string& channel,
                  const rendezvous::v1::Opened& opened);
  // These return what is wrong, if anything is.
  std::optional<std::string> OnSaid(uint64_t stream);
  std::optional<std::string> OnEnding(uint64_t stream, const absl::Status& status,
                                      bool heard) const;

 private:
  using Side = std::pair<std::string, std::string>;  // with the app-id
  struct Stream {
    int party = 0;
    bool attached = false;  // let into a channel
    Side side;
  };
  // What a side was told of its channel last.
  struct Told {
    std::string channel;
    absl::Time expires_at;
  };

  const Told* ToldTo(uint64_t stream) const;

  const Stage* const stage_;
  std::map<uint64_t, Stream> streams_;
  std::map<Side, Told> told_;
  std::map<std::string, std::set<rendezvous::v1::Mood>>
      moods_;  // that members left with, by channel
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ENDING_JUDGE_H_
