// A relay in a few lines, for tests of the exchange: the rules of proto/PROTOCOL.md section 2 that
// a client can notice, in memory, without time of its own.
#ifndef WORMHOLE_CLIENT_CORE_TESTING_FAKE_RELAY_H_
#define WORMHOLE_CLIENT_CORE_TESTING_FAKE_RELAY_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::core {

class FakeRelay {
 public:
  using Request = rendezvous::v1::AttachRequest;
  using Response = rendezvous::v1::AttachResponse;

  // One stream: what the relay says goes to the two functions.
  struct Stream {
    std::function<void(Response)> send;
    std::function<void(absl::Status)> end;
    bool ended = false;
    // Set by a good Open.
    uint32_t channel = 0;
    int role = -1;
    bool waiting = false;
    std::string token;
    uint32_t third_parties = 0;
  };

  struct Channel {
    std::array<std::string, 2> tokens;  // initiator, receiver
    std::array<bool, 2> left = {};
    std::array<std::vector<std::string>, 2> logs;  // by author; forgotten ones are empty
    std::array<uint64_t, 2> forgotten = {};        // by author
    std::array<uint64_t, 2> accepted = {};         // by author: the reader's cursor
    std::array<std::weak_ptr<Stream>, 2> streams;
    bool ended = false;
    rendezvous::v1::Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;
  };

  void Receive(const std::shared_ptr<Stream>& stream, const Request& request);
  // The stream is gone.
  void Detach(const std::shared_ptr<Stream>& stream);
  // As by an operator or by time.
  void EndChannel(uint32_t id, rendezvous::v1::Mood mood);

  std::map<uint32_t, Channel> channels;
  std::vector<std::weak_ptr<Stream>> waiters;
  // Changes what an Open asks for, before it is looked at.
  std::function<void(rendezvous::v1::Open&)> on_open;
  // Changes what an Opened says; for relays that lie.
  std::function<void(rendezvous::v1::Opened&)> on_opened;
  // Changes a frame on its way to the reader.
  std::function<void(int author, uint64_t number, std::string& frame)> on_deliver;
  // When set, no Posted and no PeerStatus about it is sent.
  bool hold_posted = false;
  // Every Close that was received.
  std::vector<rendezvous::v1::Mood> closes;
  uint32_t next_id = 4;
  bool forget = true;  // acknowledged frames

 private:
  void Open(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open);
  uint32_t Allocate(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open);
  uint32_t Claim(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open);
  uint32_t Resume(const std::shared_ptr<Stream>& stream, const rendezvous::v1::Open& open);
  void Join(const std::shared_ptr<Stream>& stream, uint32_t id, int role, uint64_t cursor);
  void Post(Stream& stream, const rendezvous::v1::Post& post);
  void Accept(uint32_t id, int reader, uint64_t cursor);
  void Close(Stream& stream, rendezvous::v1::Mood mood);
  void Deliver(uint32_t id, int author, uint64_t number);
  void TellPeerOf(uint32_t id, int role);
  rendezvous::v1::Presence PresenceOf(const Channel& channel, int role) const;
  void End(Stream& stream, absl::Status status);
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_TESTING_FAKE_RELAY_H_
