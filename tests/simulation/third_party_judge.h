// Watches what the two sides of a channel are told of claims that were refused: not more of them
// than there have been while their channel had the id, and, where nothing breaks, not fewer.
#ifndef WORMHOLE_TESTS_SIMULATION_THIRD_PARTY_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_THIRD_PARTY_JUDGE_H_

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

class ThirdPartyJudge {
 public:
  explicit ThirdPartyJudge(const Stage* stage) : stage_(stage) {}

  void OnOpen(int party, uint64_t stream, const std::string& side,
              const rendezvous::v1::Open& open);
  // `channel` as for EndingJudge.
  void OnAttached(uint64_t stream, const std::string& channel, uint32_t id);
  // Returns what is wrong, if anything is.
  std::optional<std::string> OnSaid(uint64_t stream,
                                    const rendezvous::v1::AttachResponse& response);
  void OnEnding(uint64_t stream, const absl::Status& status);
  void OnOver(uint64_t stream);

 private:
  using Id = std::pair<std::string, uint32_t>;  // with the app-id
  struct Stream {
    int party = 0;
    std::string app_id, side, channel;
    Id id;  // that is claimed, or of the channel
    bool over = false;
    uint32_t told = 0;
    // As many refusals since it was let in, and the last of them.
    uint32_t owed = 0;
    absl::Duration owed_since;
  };
  struct Claim {
    std::string side;
    std::optional<absl::Duration> ended;
  };
  struct Channel {
    absl::Duration begun;  // as has been seen
    std::set<std::string> members;
    std::map<std::string, std::set<uint64_t>> streams;  // by side
  };

  // How many claims of others may have been refused because of this channel.
  uint32_t ClaimsOn(const Channel& channel, const Id& id) const;

  const Stage* const stage_;
  std::map<uint64_t, Stream> streams_;
  std::map<Id, std::map<uint64_t, Claim>> claims_;  // by stream
  std::map<std::string, Channel> channels_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_THIRD_PARTY_JUDGE_H_
