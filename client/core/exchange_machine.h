// The state machine behind exchange.h. Private to client/core.
//
// Its phases, and what leads from one to the next:
//
//   phase                     is                        leaves it by
//   ------------------------  ------------------------  -----------------------------------------
//   not started               !started_                 Start; Cancel -> over
//   running                   no mood, no failure       Finish -> closing happy; Fail -> closing
//                                                       lonely, scary, errory, or over
//   closing                   state_.mood is set        the relay's OK or any final word, or
//                                                       close_until_ -> over
//   over                      over_                     -
//
// While running, the exchange goes on by its two logs alone (handshake.h): Advance() does whatever
// they allow. When to open a stream, and when to give one up as lost, is for link.h to say.
#ifndef WORMHOLE_CLIENT_CORE_EXCHANGE_MACHINE_H_
#define WORMHOLE_CLIENT_CORE_EXCHANGE_MACHINE_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/core/exchange.h"
#include "client/core/exchange_state.h"
#include "client/core/handshake.h"
#include "client/core/link.h"
#include "client/core/presence_notifier.h"
#include "client/core/relay_errors.h"
#include "client/core/send_window.h"

namespace wormhole::core {

// How long a failed exchange, which has told its waiters, still tries to close its channel ("a few
// seconds" of section 5).
inline constexpr absl::Duration kFailedPatience = absl::Seconds(5);

class ExchangeMachine final : public Exchange {
 public:
  // `state` is a new one, or one that FindInconsistency() has accepted.
  ExchangeMachine(ExchangeState state, bool saves, RandomSource* random);

  std::vector<Effect> Step(Event event, Instant now) override;
  std::optional<absl::Duration> NextWake() const override;
  std::string Serialize() const override;
  absl::StatusOr<std::string> Verifier() const override;
  absl::Status DeriveKey(std::string_view purpose, pake::SecretSpan out) const override;
  const std::string& relay() const override { return state_.terms.relay; }
  pake::Role role() const override { return state_.terms.role; }
  bool asks_for_verifier() const override { return state_.terms.confirm_verifier; }

 private:
  // What the relay has said on the present stream.
  struct Stream {
    SendWindow window;
    uint64_t peer_stored = 0;  // the last number of the peer's log
    uint64_t acked = 0;        // the last own cursor that was sent
    uint64_t unacked_bytes = 0;
    rendezvous::v1::Presence peer = rendezvous::v1::PRESENCE_UNSPECIFIED;
    bool peer_log_ends = false;              // at peer_stored, since Opened said that it has left
    std::optional<absl::Duration> rest_due;  // steady; see AwaitRest
    bool close_sent = false;
  };

  bool closing() const { return state_.mood != rendezvous::v1::MOOD_UNSPECIFIED; }

  // Events.
  void On(const Start&);
  void On(const Wake&);
  void On(const Received& received);
  void On(const Ended& ended);
  void On(const SaveFailed& failed);
  void On(const Cancel&);
  void On(const AcceptVerifier& answer);
  void StartClock();
  void TellWhatIsKnown();
  void TellFailure(const char* more);
  void TellSaveFailed(const absl::Status& why);
  StreamEnd Judge(const absl::Status& status);
  void OpenStreamNow();

  // What a stream says.
  void OnOpened(const rendezvous::v1::Opened& opened);
  void OnMessage(const rendezvous::v1::Message& message);
  void OnPosted(const rendezvous::v1::Posted& posted);
  void OnPeerStatus(const rendezvous::v1::PeerStatus& status);
  void OnDraining(const rendezvous::v1::Draining& draining);
  bool IsExpected(const rendezvous::v1::Opened& opened) const;
  void OnWaiting();
  void BeginStream(const rendezvous::v1::Opened& opened);
  std::string Staleness(const rendezvous::v1::Opened& opened) const;
  void NotePosted(uint64_t number);
  void AwaitRest();
  bool AwaitsRest() const;
  bool PeerIsDone() const;
  void OnPeer(rendezvous::v1::Presence presence);
  bool MayNotify() const;
  void Notify();
  void ShowMotd(const std::string& motd);

  // What the exchange sends on it.
  void Advance();
  void AnnounceCode();
  void PostFrames();
  bool MayPost(uint64_t number) const;
  absl::Status CheckFrameSizes() const;
  void TrimFrames();
  void AckIfHalfTheWindow();
  void Ack();
  void DetachIfDrained();
  // Drops the stream; the next one is due as after any loss.
  void LoseStream(std::string_view why, bool silent = false);
  // Drops the stream; the next one is due by the schedule.
  void RejectStream(std::string_view why);

  // Ends.
  void Finish();
  void Fail(absl::Status status, rendezvous::v1::Mood mood);
  void Settle(Effect outcome);
  void OnBadFrame(FrameVerdict verdict);
  void OnUnfinishedPeer();
  void TimeOut();
  absl::Status Unreached() const;
  void BeginClosing(absl::Duration patience);
  absl::Duration HappyPatience() const;
  void SendClose();
  void End();
  void Stop();

  bool IsHopeless(const absl::Status& status) const;

  // Effects.
  template <typename E>
  void Emit(E effect) {
    effects_.emplace_back(std::move(effect));
  }
  void SaveIfChanged();
  void Tell(ProgressEvent::Kind kind, std::string text);
  void TellDisconnected(std::string_view why);

  ExchangeState state_;
  const bool saves_;
  Link link_;
  Stream stream_;
  PresenceNotifier presence_notifier_;

  bool changed_ = true;  // since the last Save; this process's hook has not seen a restored state
  bool started_ = false;
  bool over_ = false;
  bool stopped_ = false;   // over without a Close, so that another copy may go on
  bool told_ = false;      // Failed or DataReady was emitted
  bool answered_ = false;  // an Opened came
  bool code_told_ = false;
  bool unanswered_ = false;      // an Open may have reached the relay, and no Opened has come
  bool outcome_unsure_ = false;  // the last step's DataReady or Failed came after a Save
  std::string motd_;
  std::string trouble_;          // why the last stream ended
  std::string trouble_details_;  // the same in foreign words
  Instant now_;
  absl::Duration deadline_;     // steady
  absl::Duration close_until_;  // steady; while closing
  std::vector<Effect> effects_;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_EXCHANGE_MACHINE_H_
