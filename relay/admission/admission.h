// What strangers may take: what one address may do in a minute and hold at a time, and what all of
// them may hold. Pure but for its lock: the time comes from outside.
#ifndef WORMHOLE_RELAY_ADMISSION_ADMISSION_H_
#define WORMHOLE_RELAY_ADMISSION_ADMISSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "proto/net/address.h"
#include "proto/sync/mutex.h"
#include "relay/admission/refusal.h"
#include "relay/admission/source_table.h"

namespace wormhole::relay {

// 0: no limit. By default there are none; what a relay ships with is in config.h.
struct AdmissionRules {
  ActLimits acts;  // of one address, in a minute
  uint32_t streams_per_address = 0;
  uint32_t streams = 0;  // of all
  uint32_t channels_per_address = 0;
  // A /64 of IPv6 is one address, and a /48 has limits too. False: each address stands for itself,
  // where whoever comes is near, and machines of a /64 have nothing to do with each other.
  bool by_network = true;
};

// Somebody is refused.
struct Refused {
  Refusal why;
  // How long the same would be refused, if nothing else happened; zero where that depends on
  // others.
  absl::Duration wait;
};

// An address is that of IPv4, and a /64 of IPv6, which is what one host is given. A /48 of IPv6,
// which a site or a few hundred homes are given, may do and hold twice as much.
//
// Those without an address (a socket at a path) have the limits on all alone. Everything is this
// relay's own: other relays over the same store count for themselves, and a restart forgets.
//
// Thread-safe; its mutex is a leaf. `now` is any clock that never goes back, the same for all
// calls.
class Admission {
 public:
  // Most addresses that are remembered; as many networks besides. Some 200 bytes each.
  static constexpr size_t kCapacity = 1 << 15;
  // The last quarter of all streams is for those who hold fewer than this, or three addresses would
  // lock out everybody else.
  static constexpr uint32_t kFewStreams = 64;

  using Client = std::optional<net::Address>;

  // `observer` outlives this; null: nobody watches.
  explicit Admission(const AdmissionRules& rules, AdmissionObserver* observer = nullptr,
                     size_t capacity = kCapacity);

  // Called, without locks, with whoever goes on to open streams when he has opened twice as many as
  // he may: to refuse them costs the relay as much as to serve them, so his connections have to go.
  // He cannot connect before the time is over in which he would be refused.
  using Cutter = std::function<void(const net::Address& client)>;
  void SetCutter(Cutter cutter) WORMHOLE_EXCLUDES(mutex_);

  // Nothing: it is let in, and that counts. Otherwise the observer has been told.
  std::optional<Refused> Connect(const Client& client, absl::Duration now)
      WORMHOLE_EXCLUDES(mutex_);
  // Who may not allocate because of the channels that he has (kChannelsOfAddress) may be here for
  // one of them: of him the observer has not been told.
  std::optional<Refused> Allocate(const Client& client, const std::string& app_id,
                                  absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  // Also because of claims that failed: who may be guessing is told nothing about any id.
  std::optional<Refused> Claim(const Client& client, const std::string& app_id, absl::Duration now)
      WORMHOLE_EXCLUDES(mutex_);

  // A claim that was let in found no channel that it could join.
  void NoteFailedClaim(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

  // Somebody was refused for a reason that is not judged here: tells the observer.
  void NoteRefused(Refusal why, const Client& client, const std::string& app_id) const;

  // A call that is answered at once, and holds nothing: it counts among the streams that are
  // opened.
  std::optional<Refused> Call(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

  // A stream. Leave follows for each that was let in.
  std::optional<Refused> Enter(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  // A call that does not stay, but for what its client needs to say what it wants. It counts apart
  // from streams, and is let in also while memory is short: whoever checks the relay's health would
  // take it for dead, and send everybody away. LeaveBriefly follows for each that was let in.
  static constexpr uint32_t kBriefCallsPerAddress = 64;
  static constexpr size_t kBriefCalls = 1024;
  std::optional<Refused> EnterBriefly(const Client& client, absl::Duration now)
      WORMHOLE_EXCLUDES(mutex_);
  void LeaveBriefly(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  void Leave(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

  // A stream that was let in is over before it has said what it is for: it counts as so many that
  // are opened. gRPC takes streams that are reset faster than the relay hears of them, so whoever
  // does that has to be cut off long before he has opened as many as others may.
  static constexpr uint32_t kAbandonedFactor = 10;
  void NoteAbandoned(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

  // Whoever has done what costs as much as so many streams that are opened.
  void Charge(const Client& client, uint32_t streams, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  // Whoever has done something that nobody does by mistake: he may open no stream, and not connect,
  // as if he had opened twice as many as he may.
  void Banish(const Client& client, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

  // A channel that was allocated is active, or is no more; `channel` is any name that no other
  // active channel has. A channel that is not known may end, and one that is known be told again.
  void Began(const std::string& channel, const Client& client, absl::Duration now)
      WORMHOLE_EXCLUDES(mutex_);
  void Ended(const std::string& channel, absl::Duration now) WORMHOLE_EXCLUDES(mutex_);

  // As long as memory is short, nobody new is let in: no connection, no stream, and no
  // channel.
  void SetShortOfMemory(bool is_short) WORMHOLE_EXCLUDES(mutex_);
  bool short_of_memory() const WORMHOLE_EXCLUDES(mutex_);

  size_t stream_count() const WORMHOLE_EXCLUDES(mutex_);
  // Streams, and calls that stay briefly.
  size_t call_count() const WORMHOLE_EXCLUDES(mutex_);

 private:
  // The sources that an address counts for: a host, and a site if it has one, which it has not with
  // IPv4.
  net::Address HostOf(const net::Address& client) const;
  bool HasSite(const net::Address& client) const;

  using Verdict = std::optional<Refused>;

  // Tells the observer. Without locks.
  Verdict Told(Verdict verdict, const Client& client, const std::string& app_id) const;

  absl::Duration Wait(const Client& client, Act act, absl::Duration now) const
      WORMHOLE_REQUIRES(mutex_);
  void Note(const Client& client, Act act, absl::Duration now, uint32_t times = 1)
      WORMHOLE_REQUIRES(mutex_);
  // A refusal for this reason if there is something to wait for; else the act counts.
  Verdict Take(const Client& client, Act act, Refusal why, absl::Duration now)
      WORMHOLE_REQUIRES(mutex_);
  // Whether it holds `limit` of these.
  bool HoldsAll(const Client& client, uint32_t Holdings::*count, uint32_t limit) const
      WORMHOLE_REQUIRES(mutex_);
  void Hold(const Client& client, uint32_t Holdings::*count, int step, absl::Duration now)
      WORMHOLE_REQUIRES(mutex_);
  Verdict JudgeAllocation(const Client& client, absl::Duration now) WORMHOLE_REQUIRES(mutex_);
  Verdict JudgeClaim(const Client& client, absl::Duration now) WORMHOLE_REQUIRES(mutex_);
  Verdict JudgeConnection(const Client& client, absl::Duration now) WORMHOLE_REQUIRES(mutex_);
  Verdict JudgeStream(const Client& client) const WORMHOLE_REQUIRES(mutex_);
  Verdict JudgeBriefCall(const Client& client) const WORMHOLE_REQUIRES(mutex_);
  // What comes of one more stream, also of one that is refused: whether its client opens too many,
  // and, if he goes on all the same, what cuts him off.
  struct Opening {
    Verdict verdict;
    Cutter cut;
  };
  Opening NoteOpening(const Client& client, absl::Duration now, uint32_t times = 1)
      WORMHOLE_REQUIRES(mutex_);

  const AdmissionRules rules_;
  AdmissionObserver* const observer_;

  mutable sync::Mutex mutex_;
  SourceTable hosts_ WORMHOLE_GUARDED_BY(mutex_);
  SourceTable sites_ WORMHOLE_GUARDED_BY(mutex_);
  size_t streams_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  size_t brief_calls_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  bool short_of_memory_ WORMHOLE_GUARDED_BY(mutex_) = false;
  Cutter cutter_ WORMHOLE_GUARDED_BY(mutex_);
  // Who has allocated each active channel that has been allocated here.
  absl::flat_hash_map<std::string, net::Address> channels_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ADMISSION_ADMISSION_H_
