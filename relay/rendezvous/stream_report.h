// What the relay reports of one Attach stream when the stream has ended.
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
  // What the first request asked for; all empty when none came. A client chooses the app-id: it may
  // be any bytes.
  rendezvous::v1::Open::PurposeCase purpose = rendezvous::v1::Open::PURPOSE_NOT_SET;
  std::string app_id;
  uint32_t channel_id = 0;  // assigned by the relay; until then as requested; 0: none

  bool opened = false;      // the relay sent Opened, to a member or to a client that waits
  bool attached = false;    // to a member
  uint64_t posts = 0;       // posts from the client
  uint64_t post_bytes = 0;  // bytes in their frames
  uint64_t messages = 0;    // messages to the client, the one that was being written included
  rendezvous::v1::Mood mood =
      rendezvous::v1::MOOD_UNSPECIFIED;  // of the client's Close; any number
  absl::Duration lasted;
  absl::Status status;  // with an ErrorDetail when the relay had a reason

  std::string peer;         // as gRPC writes it: ipv4:192.0.2.7:50312; the client's, not a proxy's
  std::string traceparent;  // the client's header as it came, at most kMaxTraceparent bytes
};

inline constexpr size_t kMaxTraceparent = 128;

// Any thread calls it, without locks. It may not block.
class StreamObserver {
 public:
  virtual ~StreamObserver() = default;

  // `peer` as in its report.
  virtual void OnStreamBegan(const std::string& /*peer*/) {}
  // A request has come, valid or not.
  virtual void OnRequest() {}
  // gRPC has sent a response.
  virtual void OnResponse() {}
  // Once for each stream that has begun, after every other call for that stream.
  virtual void OnStreamOver(const StreamReport& report) = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_RENDEZVOUS_STREAM_REPORT_H_
