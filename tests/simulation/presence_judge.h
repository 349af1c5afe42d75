// Watches what sides are told of where their peers are: nobody is said to be attached who has had
// no stream for longer than relays need to hear of it, nor to be detached, or not to have come, who
// has had one as long, nor to be anything but gone who has left the channel.
#ifndef WORMHOLE_TESTS_SIMULATION_PRESENCE_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_PRESENCE_JUDGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/stage.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

class PresenceJudge {
 public:
  PresenceJudge(const Stage* stage, const StoreTruth* store) : stage_(stage), store_(store) {}

  // The side's stream is on its way to a relay.
  void OnOpen(uint64_t stream, const std::string& app_id, const std::string& side,
              absl::Duration now);
  // The side leaves, and with the stream's end it has left. For a while its peer may hear that it
  // is detached.
  void OnClose(uint64_t stream, absl::Duration now);
  // Its relay lets go of the stream, which may have been told less by then.
  void OnEnding(uint64_t stream, const absl::Status& status, absl::Duration now);
  // The stream is over for its relay, or never came to one.
  void OnOver(uint64_t stream, absl::Duration now);
  // Returns what is wrong, if anything is.
  std::optional<std::string> OnSaid(uint64_t stream, const rendezvous::v1::AttachResponse& response,
                                    absl::Duration now);

  // Whether anything was said so long after the last trouble that it had to be right.
  bool has_judged() const { return has_judged_; }

 private:
  using Side = std::pair<std::string, std::string>;  // with the app-id
  struct Stream {
    Side side;
    // What was said of the peer last.
    rendezvous::v1::Presence peer = rendezvous::v1::PRESENCE_UNSPECIFIED;
    bool closes = false;
    // Its channel, once it is let in, and when that expires.
    std::string channel;
    absl::Time expires_at = absl::InfiniteFuture();
  };
  struct Place {
    std::set<uint64_t> streams;  // that are not over
    absl::Duration since;        // when the last of them began or ended
    // The last that a relay has let in, unless it is over, and when. Those before it do not count.
    std::optional<uint64_t> attached;
    absl::Duration attached_since;
    // By channel: when it was told that it has left. When the quarantine is over, a late copy of
    // its Open may bring it into another one.
    std::map<std::string, absl::Duration> left;
  };

  void LetGo(uint64_t stream);

  const Stage* const stage_;
  const StoreTruth* const store_;
  bool has_judged_ = false;
  std::map<uint64_t, Stream> streams_;
  std::map<Side, Place> places_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_PRESENCE_JUDGE_H_
