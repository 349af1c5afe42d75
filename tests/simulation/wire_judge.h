// Watches the network and says what must never be seen there, whatever goes wrong (PROTOCOL.md
// section 2, and "one guess"). Knows nothing of the code under test but its words.
#ifndef WORMHOLE_TESTS_SIMULATION_WIRE_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_WIRE_JUDGE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/ending_judge.h"
#include "tests/simulation/id_judge.h"
#include "tests/simulation/pace_judge.h"
#include "tests/simulation/presence_judge.h"
#include "tests/simulation/relay_store.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/third_party_judge.h"
#include "tests/simulation/wire_watcher.h"

namespace wormhole::simulation {

class WireJudge final : public WireWatcher {
 public:
  WireJudge(const Stage* stage, const StoreTruth* store)
      : stage_(stage),
        store_(store),
        presence_(stage, store),
        endings_(stage),
        pace_(stage),
        ids_(stage),
        third_parties_(stage) {}

  void OnRequest(int party, uint64_t stream, const rendezvous::v1::AttachRequest& request) override;
  void OnSaid(uint64_t stream, const rendezvous::v1::AttachResponse& response) override;
  void OnEnding(uint64_t stream, const absl::Status& status, bool heard) override;
  void OnRelayOver(uint64_t stream) override;
  void OnResponse(int party, uint64_t stream,
                  const rendezvous::v1::AttachResponse& response) override;
  void OnEnded(int party, uint64_t stream, const absl::Status& status) override;
  void OnSilence(int party, uint64_t stream) override;
  void OnCrash(int party) override { pace_.OnCrash(party); }

  const std::vector<std::string>& violations() const { return violations_; }
  bool has_judged_presence() const { return presence_.has_judged(); }
  // The different first frames that a party has been handed: each is a guess at its code.
  size_t Guesses(int party) const;

  struct Arrival {
    std::string side;
    absl::Duration at;  // when it was let in first
  };
  // Who was let into a channel of `initiator` as its receiver.
  std::vector<Arrival> ReceiversOf(const std::string& initiator) const;

 private:
  // A channel from its allocation to its end: the time of expiry tells two with one id apart.
  using ChannelName = std::string;

  struct Durable {
    absl::Duration said, heard;
    uint64_t number = 0;
  };
  // One side of one channel.
  struct SideLog {
    std::map<uint64_t, std::string> sent;  // frames, by number
    std::vector<Durable> durable;          // of which the author has heard
  };
  struct StreamInfo {
    std::string app_id, side;
    uint64_t cursor = 0;
    absl::Duration begun;
    std::optional<absl::Duration> over;  // for its relay
    bool initiator = false;
    std::optional<ChannelName> channel;  // as the client has heard
    std::optional<ChannelName> joined;   // as the switchboard has said
    uint64_t next_message = 0;
    uint64_t peer_cursor = 0;
    uint64_t posted = 0;  // the last that was stored when it was let in, or was posted on it
    rendezvous::v1::Limits limits;
    std::deque<absl::Duration> said;         // when what is on its way was said
    std::optional<absl::Duration> attached;  // when the switchboard said so
    absl::Duration spoken_to;                // when it last said something
  };

  void OnOpen(int party, uint64_t number, const rendezvous::v1::Open& open);
  // Of two streams of one side the older one has ended, once the relays could know.
  void CheckSuperseded(uint64_t number, StreamInfo& stream, bool joined);
  // Whether relays may take another stream of its side for newer. One that is over is none.
  bool MayBeSuperseded(const StreamInfo& stream, uint64_t number) const;
  // Nothing of what was before the channel, under its id or elsewhere, is seen in it.
  void CheckOwnPast(uint64_t number, StreamInfo& stream,
                    const rendezvous::v1::AttachResponse& response);
  static ChannelName NameOf(const StreamInfo& stream, const rendezvous::v1::Opened& opened);
  void OnPost(int party, StreamInfo& stream, const rendezvous::v1::Post& post);
  void CheckNonce(const std::string& frame);
  void CheckWindow(const StreamInfo& stream, const SideLog& log, uint64_t number);
  void OnOpened(StreamInfo& stream, const rendezvous::v1::Opened& opened, absl::Duration said);
  void OnMessage(int party, StreamInfo& stream, const rendezvous::v1::Message& message);
  void OnPosted(StreamInfo& stream, uint64_t number, absl::Duration said);
  // The relay takes nothing beyond what the peer can have accepted, and a window.
  void CheckTaken(const StreamInfo& stream, uint64_t number);
  // The highest cursor that the other side of the stream's channel has told.
  uint64_t ToldByPeer(const StreamInfo& stream);
  void Raise(std::string what);
  // What one of the other judges has found.
  void RaiseIf(std::optional<std::string> wrong) {
    if (wrong) Raise(*std::move(wrong));
  }
  void Note(int party, uint64_t stream, const char* what, const google::protobuf::Message& said);

  SideLog& Log(const StreamInfo& stream, bool initiators) {
    return logs_[{*stream.channel, initiators}];
  }
  // What the author of the log knew to be durable at that time.
  uint64_t DurableAt(const SideLog& log, absl::Duration when) const;

  const Stage* const stage_;
  const StoreTruth* const store_;
  PresenceJudge presence_;
  EndingJudge endings_;
  PaceJudge pace_;
  IdJudge ids_;
  ThirdPartyJudge third_parties_;
  std::vector<std::string> violations_;
  std::map<uint64_t, StreamInfo> streams_;
  std::map<std::pair<ChannelName, bool>, SideLog> logs_;  // true: the initiator's
  std::map<std::string, std::set<uint64_t>> attached_;    // streams, by side
  // Who has been let in, and when first; by role as logs_.
  std::map<std::pair<ChannelName, bool>, std::map<std::string, absl::Duration>> members_;
  std::map<std::string, std::set<uint64_t>> opened_;   // streams, by side
  std::map<std::string, bool> roles_;                  // by side; true: initiator
  std::map<std::string, uint64_t> cursors_;            // the highest one each side has told
  std::map<std::string, std::string> boxes_;           // by nonce
  std::map<int, std::set<std::string>> first_frames_;  // handed to each party
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_WIRE_JUDGE_H_
