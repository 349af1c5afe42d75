// One channel of a relay, for one client under test. It is an honest one, with an honest other side
// in it, but for what its script does. Without threads and transport: requests in, responses out.
#ifndef WORMHOLE_TESTS_CONFORMANCE_SCRIPTED_CHANNEL_H_
#define WORMHOLE_TESTS_CONFORMANCE_SCRIPTED_CHANNEL_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/support/status.h"
#include "tests/conformance/side.h"
#include "tests/conformance/transcript.h"

namespace wormhole::conformance {

class ScriptedChannel;

// What a script does to the relay's words. Everything may be left out. Streams are counted from 0.
struct Script {
  // Each request before the relay looks at it. True: the script has dealt with it.
  std::function<bool(ScriptedChannel&, size_t stream, const AttachRequest&)> on_request;
  // Each response of the honest relay; what is in the vector is sent, in its order.
  std::function<void(size_t stream, std::vector<AttachResponse>&)> on_response;
  // Each frame of the other side on its way to the client.
  std::function<void(uint64_t number, std::string& frame)> on_frame;
  // The other side, for cases in which it is bent as well.
  Bends peer;
  bool peer_is_absent = false;  // nobody is there, ever
};

class ScriptedChannel {
 public:
  static constexpr uint32_t kId = 4711;

  struct Output {
    size_t stream = 0;
    AttachResponse response;
    std::optional<grpc::Status> end;  // instead of a response
  };

  ScriptedChannel(Role client, std::string app_id, std::string peer_data, Script script);

  // --- What happens.
  size_t Began();
  void Took(size_t stream, const AttachRequest& request);
  void Gone(size_t stream);
  // The words of the code, which the other side needs.
  void Learn(const std::string& words);
  // What is to be sent since the last call.
  std::vector<Output> TakeOutputs();

  Transcript Result() const;
  // What the other side has opened.
  const std::optional<std::string>& peer_data() const { return peer_.peer_data(); }

  // --- For scripts.
  // Sends exactly this.
  void Say(size_t stream, AttachResponse response);
  // Ends the stream, after what was said on it.
  void End(size_t stream, grpc::Status status);
  // Does what an honest relay would.
  void Honestly(size_t stream, const AttachRequest& request);
  // An honest response as it would be now.
  AttachResponse Opened() const;
  AttachResponse Message(uint64_t number) const;
  AttachResponse PeerStatus() const;
  uint64_t peer_stored() const { return peer_log_.size(); }
  // Keeps the frame from the other side.
  void StoreOnly(const rendezvous::v1::Post& post) { client_log_.push_back(post.frame()); }
  uint64_t client_stored() const { return client_log_.size(); }

 private:
  void Note(size_t stream, Entry::Kind kind);
  // Sends it by way of the script.
  void Tell(size_t stream, AttachResponse response);
  void TellMessages(size_t stream, uint64_t from);
  void TakeOpen(size_t stream, const rendezvous::v1::Open& open);
  void TakePost(size_t stream, const rendezvous::v1::Post& post);
  // Lets the other side act.
  void MovePeer();
  rendezvous::v1::Presence PeerPresence() const;

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  const Script script_;
  Side peer_;
  Transcript transcript_;
  std::vector<Output> outputs_;
  std::vector<std::string> client_log_, peer_log_;
  uint64_t heard_ = 0;   // frames of the client that the other side has taken
  uint64_t cursor_ = 0;  // the client's
  bool left_ = false;
  std::optional<grpc::Status> over_;  // the channel has ended
  std::optional<size_t> attached_;    // the stream that frames go to
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_SCRIPTED_CHANNEL_H_
