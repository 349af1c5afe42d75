// The way to a relay: streams of requests and responses. Names no gRPC type, so that tests and
// programs can bring a transport of their own.
#ifndef WORMHOLE_CLIENT_STREAM_TRANSPORT_H_
#define WORMHOLE_CLIENT_STREAM_TRANSPORT_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"
#include "wormhole/security.h"

namespace wormhole {

// Where a stream leads. CheckTarget (client/stream/target.h) says whether it can work.
struct StreamTarget {
  std::string relay;
  Security security = Security::kAuto;
  Tls tls;
  std::string bearer_token;
};

// Gets what a stream brings. Calls come one at a time, on any thread, without a lock of the
// transport's, and never inside a call of the stream or of Transport::Open. Inside of them a
// listener may send to the stream, read on, abandon it, and open others.
class StreamListener {
 public:
  virtual ~StreamListener() = default;

  virtual void OnResponse(rendezvous::v1::AttachResponse response) = 0;
  // The stream is over, and so are the calls. With an ErrorDetail payload (proto/error) if the
  // relay gave one.
  virtual void OnEnd(absl::Status status) = 0;
};

// One stream. Any thread; nothing blocks. It lives until it has ended or is abandoned: letting go
// of the last reference does neither.
class Stream {
 public:
  virtual ~Stream() = default;

  // Sends after what was sent before. Without effect on a stream that has ended.
  virtual void Send(rendezvous::v1::AttachRequest request) = 0;

  // Asks for the response after the last one. Open asks for the first, so this is called once for
  // each OnResponse; what the listener has not asked for stays in the network.
  virtual void ReadMore() = 0;

  // Call it before Abandon when nothing has come on this stream for too long: its connection may be
  // dead without this machine knowing. The transport opens no further streams on that connection;
  // those that are on it stay.
  virtual void Distrust() {}

  // Ends the stream at once: what was sent may be lost. No call to the listener begins after it
  // returns; one that another thread has begun may be running still.
  virtual void Abandon() = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Whether a stream to `target`, which CheckTarget has found good, could ever work on this machine
  // as it is. Sends nothing; may read files.
  virtual absl::Status Check(const StreamTarget&) { return absl::OkStatus(); }

  // Opens a stream. Never fails here: OnEnd tells what goes wrong.
  virtual std::shared_ptr<Stream> Open(const StreamTarget& target,
                                       std::shared_ptr<StreamListener> listener) = 0;

  // Waits until nothing is left of the streams but this object: no call to a listener, no thread,
  // no connection. Call it when each stream has ended or was abandoned and nobody opens another.
  // Says what is left when the deadline comes first, as "2 connections are being closed"; else
  // empty. Nothing to wait for is what a transport has that others use besides.
  virtual std::string AwaitGone(std::chrono::steady_clock::time_point) { return ""; }
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_TRANSPORT_H_
