// The suite's own side of an exchange over an honest relay, as the other side of a client under
// test.
#ifndef WORMHOLE_TESTS_CONFORMANCE_PEER_H_
#define WORMHOLE_TESTS_CONFORMANCE_PEER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/conformance/raw_stream.h"
#include "tests/conformance/side.h"

namespace wormhole::conformance {

// How it behaves, beside what `Bends` do to its frames. It is honest when nothing is set.
struct Manners {
  std::string words;                  // other words than the code's
  std::optional<uint64_t> leaves_at;  // closes when it has taken so many frames of the client
  rendezvous::v1::Mood mood = rendezvous::v1::MOOD_LONELY;
  bool posts_before_it_leaves = true;  // what is due by then
  std::vector<std::string> more;       // posted behind its last frame
  bool cuts_after_each_post = false;   // and resumes
  uint64_t accepts_ahead = 0;          // acknowledges so many frames, posted or not
  int third_parties = 0;               // so many others claim the channel meanwhile
  bool stays = false;                  // closes only after the client has left
};

class Peer {
 public:
  Peer(std::string relay, std::string app_id, Role role, std::string data, Bends bends,
       Manners manners);

  // The initiator's: gets a channel. False when the relay gives none.
  bool Allocate();
  uint32_t channel_id() const { return channel_id_; }
  // Plays its part with this code until it is finished or the channel is over.
  void Play(uint32_t channel_id, const std::string& words);

  // What it found wrong with the client's frames.
  const std::string& wrong() const { return wrong_; }
  uint64_t taken() const { return side_.taken(); }
  const std::optional<std::string>& client_data() const { return side_.peer_data(); }
  // How its stream was ended by the relay; OK when it has closed itself.
  const grpc::Status& end() const { return end_; }
  // What was said, for people.
  const std::string& log() const { return log_; }
  // How the channel ended, as far as it has heard.
  rendezvous::v1::Mood closed_in() const;

 private:
  void Log(const std::string& what);
  void Send(const AttachRequest& request);
  std::optional<AttachResponse> Receive();
  bool Attach(const AttachRequest& open);
  bool PostDue();
  bool CutAndResume();
  void Hear(const AttachResponse& response);
  void Claims();
  void Leave(rendezvous::v1::Mood mood);

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string log_;
  const std::string app_id_;
  const Manners manners_;
  Side side_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<RawStream> stream_;
  uint32_t channel_id_ = 0;
  std::vector<std::string> frames_;  // made
  size_t posted_ = 0;                // sent, of these
  bool more_made_ = false;
  uint64_t heard_posted_ = 0;
  int third_parties_ = 0;  // that have claimed
  bool client_left_ = false;
  std::string wrong_;
  grpc::Status end_;
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_PEER_H_
