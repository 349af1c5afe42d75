// The link to the relay, over which one stream follows another: whether there is a stream, when it
// counts as lost, and when the next one is due (proto/PROTOCOL.md section 2, rule 7 and
// "Heartbeats", and section 6). What is said on a stream is not its business. Pure; all times are
// on the steady clock.
#ifndef WORMHOLE_CLIENT_CORE_LINK_H_
#define WORMHOLE_CLIENT_CORE_LINK_H_

#include <optional>

#include "absl/time/time.h"
#include "client/core/random_source.h"
#include "wormhole/schedule.h"

namespace wormhole::core {

// Whatever a relay does, a client opens no more streams a minute than this: after the first
// kStreamBurst each costs kStreamSpacing. The default schedule asks for 133 a minute at most, when
// no relay answers, and a lossy network for a few more at once. Only a relay that makes its client
// spin would cause more than that, or a schedule that nobody needs.
inline constexpr absl::Duration kStreamSpacing = absl::Milliseconds(250);
inline constexpr int kStreamBurst = 20;
inline constexpr int kMaxStreamsPerMinute = kStreamBurst + 240;

class Link {
 public:
  enum class Phase {
    kDown,      // no stream; the next one is due at some time
    kOpening,   // Open was sent
    kWaiting,   // Opened{WAITING} came
    kAttached,  // another Opened came
    kStopped,   // no stream, and never again
  };

  Link(Schedule schedule, bool check_in, RandomSource* random);

  Phase phase() const { return phase_; }
  bool has_stream() const { return phase_ != Phase::kDown && phase_ != Phase::kStopped; }
  bool attached() const { return phase_ == Phase::kAttached; }

  // The first stream is due now; `elapsed` is the time since the exchange's first start, which a
  // restored one counts from an earlier process.
  void Begin(absl::Duration now, absl::Duration elapsed);
  void Stop();

  // --- What happens to a stream.
  void OnOpening(absl::Duration now);
  void OnOpened(bool waiting, absl::Duration interval, absl::Duration now);
  void OnHeard(absl::Duration now);
  // The exchange has got further than on any stream before: after the next loss a stream is due at
  // once again, and SUPERSEDED counts from 0.
  void OnProgress();
  // `Draining`: however this stream ends, the next is due no sooner than `delay` after that.
  void OnDraining(absl::Duration delay);
  void OnHeartbeatSent(absl::Duration now);

  // --- How it ends. All lead to kDown.
  // Lost. After an Opened the next is due at once, but ever later while there is no progress, so
  // that clients do not besiege a relay that ends each stream. Else by the schedule.
  void OnLost(absl::Duration now);
  // The relay broke the protocol, or the client detached by itself: by the schedule.
  void BySchedule(absl::Duration now);
  // The relay said when to come back.
  void OnDelayed(absl::Duration now, absl::Duration delay);
  // False at the tenth in a row: another copy of this state is running.
  [[nodiscard]] bool OnSuperseded(absl::Duration now);

  // Little time is left: from now on tries are at most `cap` apart, and the next one is due now,
  // unless the relay itself has asked for a later one.
  void Hurry(absl::Duration now, absl::Duration cap);

  // --- What is due.
  bool TryDue(absl::Duration now) const;
  bool HeartbeatDue(absl::Duration now) const;
  bool Silent(absl::Duration now) const;
  // When the next of them is; nothing when stopped.
  std::optional<absl::Duration> NextWake() const;
  // From now to the next try; for people.
  absl::Duration UntilTry(absl::Duration now) const { return Due() - now; }

 private:
  absl::Duration Interval(absl::Duration now);
  absl::Duration Spacing(absl::Duration now);
  absl::Duration Due() const;
  // When the stream counts as lost if the relay says nothing until then.
  absl::Duration SilentAt() const;
  void Down(absl::Duration now, absl::Duration next_try);

  Schedule schedule_;
  bool check_in_;
  RandomSource* random_;

  Phase phase_ = Phase::kStopped;
  absl::Duration first_start_;
  absl::Duration next_try_;
  absl::Duration delayed_until_ = -absl::InfiniteDuration();
  absl::Duration cap_ = absl::InfiniteDuration();
  // The end of what the streams opened so far cost, at kStreamSpacing each.
  absl::Duration paid_until_ = -absl::InfiniteDuration();
  bool opened_ = false;       // on this stream
  absl::Duration opened_at_;  // when `opened_`
  std::optional<absl::Duration> draining_;
  int losses_ = 0;      // ends of streams since there was progress
  int superseded_ = 0;  // SUPERSEDED since there was progress

  absl::Duration heartbeat_interval_;
  absl::Duration heartbeat_sent_;
  absl::Duration heard_;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_LINK_H_
