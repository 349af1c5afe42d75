// What there is to tell of one Attach stream once it is over.
#ifndef WORMHOLE_RELAY_RENDEZVOUS_STREAM_REPORT_H_
#define WORMHOLE_RELAY_RENDEZVOUS_STREAM_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

// Never a token, a code or what a frame holds.
struct StreamReport {
  // What the first request asked for; all empty when none came. The client's own words: the app-id
  // may be any bytes.
  rendezvous::v1::Open::PurposeCase purpose = rendezvous::v1::Open::PURPOSE_NOT_SET;
  std::string app_id;
  uint32_t channel_id = 0;  // that it has come to, else the one that it asked for; 0: none

  bool opened = false;      // it was told Opened, as a member or as one that waits
  bool attached = false;    // as a member
  uint64_t posts = 0;       // that the client has sent
  uint64_t post_bytes = 0;  // of their frames
  uint64_t messages = 0;    // that were written to the client, or begun to be
  rendezvous::v1::Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;  // of its Close; any number
  absl::Duration lasted;
  absl::Status status;  // with an ErrorDetail when the relay had a reason

  std::string peer;         // as gRPC writes it: ipv4:192.0.2.7:50312
  std::string traceparent;  // the client's header as it came, at most kMaxTraceparent bytes
};

inline constexpr size_t kMaxTraceparent = 128;

// Called by any thread, without locks. May not block.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;

  virtual void OnStreamBegan() {}
  // A request has come, whatever is in it.
  virtual void OnRequest() {}
  // A response has been sent.
  virtual void OnResponse() {}
  // Once for each stream that has begun, the last that is heard of it.
  virtual void OnStreamOver(const StreamReport& report) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_STREAM_REPORT_H_
