// A raw client: without the core, it posts and reads long logs by the rules of PROTOCOL.md section
// 2 alone, so that windows, acknowledgements and slow readers are in the simulation too.
#ifndef WORMHOLE_TESTS_SIMULATION_RAW_CLIENT_H_
#define WORMHOLE_TESTS_SIMULATION_RAW_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/random.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/transport.h"

namespace wormhole::simulation {

struct RawClientPlan {
  uint64_t frames = 0;       // how many it posts
  uint64_t peer_frames = 0;  // how many it waits for
  uint32_t largest_frame = 100;
  double eager_ack = 0.5;     // the chance that a message is acknowledged before it has to be
  absl::Duration mean_pause;  // between two posts
  bool cheats = false;        // posts beyond the window once, and has to be refused
  absl::Duration ttl = absl::Hours(1);
};

// Where the chats are.
inline constexpr char kChatApp[] = "example.com/chat";

// Two raw clients on one channel.
struct ChatPlan {
  RawClientPlan first, second;
  absl::Duration second_delay;  // from when the first has joined
  // Copies of their first opens that come when the chat is over, from then; those that a quarantine
  // surely keeps out.
  std::vector<absl::Duration> first_copies, second_copies;
};

class RawClient final : public StreamEvents {
 public:
  RawClient(const Stage* stage, Transport* transport, SimRandom random, int party,
            RawClientPlan plan);

  // Allocates when `channel_id` is 0, else claims. `on_joined` runs once, with the id; `on_over` at
  // the end.
  void Start(uint32_t channel_id, std::function<void(uint32_t)> on_joined,
             std::function<void()> on_over);

  // Drops its stream without a Close, whatever it still waits for.
  void Leave();

  // Empty: it has posted and read everything, or has not ended.
  const std::string& failure() const { return failure_; }
  bool over() const { return over_; }
  // Its first Open, and when it first sent Close.
  const rendezvous::v1::AttachRequest& opening() const { return opening_; }
  absl::Duration closing_since() const { return closing_since_; }
  bool complete() const { return durable_ == plan_.frames && cursor_ == plan_.peer_frames; }

  void OnResponse(const rendezvous::v1::AttachResponse& response) override;
  void OnEnded(const absl::Status& status) override;

 private:
  void Open();
  void Lose(bool silent = false);
  void Beat(uint64_t stream_count);
  void OnOpened(const rendezvous::v1::Opened& opened);
  void OnMessage(const rendezvous::v1::Message& message);
  // Sends all that it may send now.
  void Advance();
  bool MayPost(uint64_t number) const;
  // Whether it posts all the same, once.
  bool Cheats();
  void Acknowledge();
  void End(std::string failure);

  const Stage* const stage_;
  Transport* const transport_;
  SimRandom random_;
  const int party_;
  const RawClientPlan plan_;
  std::function<void(uint32_t)> on_joined_;
  std::function<void()> on_over_;

  std::string token_;
  std::vector<std::string> frames_;
  rendezvous::v1::AttachRequest opening_;
  uint32_t channel_id_ = 0;
  bool joined_ = false;
  bool over_ = false;
  bool closing_ = false;
  bool cheated_ = false;
  absl::Duration closing_since_;
  std::string failure_;

  uint64_t durable_ = 0;  // own frames that are posted
  uint64_t cursor_ = 0;   // the peer's frames that were taken

  // Of the present stream.
  std::shared_ptr<ClientStream> stream_;
  uint64_t streams_ = 0;
  bool opened_ = false;
  bool closed_ = false;
  bool pausing_ = false;
  uint64_t sent_ = 0;
  uint64_t peer_cursor_ = 0;
  uint64_t acknowledged_ = 0;
  size_t unacknowledged_ = 0;  // bytes
  rendezvous::v1::Limits limits_;
  absl::Duration interval_ = absl::Seconds(20);
  absl::Duration heard_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_RAW_CLIENT_H_
