// A relay with one channel that does what its owner likes: it changes, repeats, holds back and
// makes up whatever it says. Without that it is an honest one, in virtual time.
#ifndef WORMHOLE_TESTS_MALICE_EVIL_RELAY_H_
#define WORMHOLE_TESTS_MALICE_EVIL_RELAY_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/pake/role.h"
#include "tests/simulation/event_loop.h"
#include "tests/simulation/transport.h"

namespace wormhole::malice {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

// What the owner does with the relay's words. Everything may be left out.
struct Evil {
  // Each frame on its way to its reader, which is told apart from its author by `reader`.
  std::function<void(pake::Role reader, uint64_t& number, std::string& frame)> on_frame;
  // Each response; what is in the vector is sent, in its order.
  std::function<void(pake::Role reader, std::vector<AttachResponse>& responses)> on_response;
  // Each request, before it is looked at; a status ends the stream with it.
  std::function<std::optional<absl::Status>(pake::Role author, const AttachRequest& request)>
      on_request;
};

class EvilRelay final : public simulation::Transport {
 public:
  EvilRelay(simulation::EventLoop* loop, Evil evil) : loop_(loop), evil_(std::move(evil)) {}

  static constexpr uint32_t kChannelId = 7;

  std::shared_ptr<simulation::ClientStream> Open(int party, const AttachRequest& open,
                                                 simulation::StreamEvents* events) override;
  void NoteCrash(int /*party*/) override {}

  // The frames that a side has posted, as it posted them.
  const std::vector<std::string>& posted(pake::Role author) const { return At(author).log; }

 private:
  class Stream;
  struct Side {
    std::vector<std::string> log;
    uint64_t cursor = 0;  // of the other's log
    bool joined = false;
    bool left = false;
    std::shared_ptr<Stream> stream;
  };

  Side& At(pake::Role role) { return sides_[static_cast<size_t>(role)]; }
  const Side& At(pake::Role role) const { return sides_[static_cast<size_t>(role)]; }

  void Take(const std::shared_ptr<Stream>& stream, const AttachRequest& request);
  void TakeOpen(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open);
  void TakePost(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Post& post);
  void TakeClose(const std::shared_ptr<Stream>& stream, rendezvous::v1::Mood mood);
  void TellStatus(pake::Role role);
  void SendFrame(pake::Role reader, uint64_t number);
  void Send(pake::Role reader, AttachResponse response);
  void Say(const std::shared_ptr<Stream>& stream, AttachResponse response);
  rendezvous::v1::Presence PresenceOf(pake::Role role) const;

  simulation::EventLoop* const loop_;
  const Evil evil_;
  std::array<Side, 2> sides_;
  std::optional<absl::Status> ended_;
};

}  // namespace wormhole::malice

#endif  // WORMHOLE_TESTS_MALICE_EVIL_RELAY_H_
