// Many exchanges through the library, with both ends in this process and a log for each.
#ifndef WORMHOLE_TESTS_FAULTS_LOAD_H_
#define WORMHOLE_TESTS_FAULTS_LOAD_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/faults/event_log.h"
#include "wormhole/wormhole.h"

namespace wormhole::faults {

struct LoadPlan {
  int exchanges = 0;
  absl::Duration spread;                                    // the initiators begin within this
  absl::Duration receiver_after = absl::Milliseconds(500);  // at most, once the code is there
  absl::Duration timeout = absl::Minutes(2);
  uint64_t seed = 1;
  std::string relay;    // in gRPC target syntax
  int connections = 4;  // of each end; exchanges share them
};

// Every other exchange has a save hook, and data is of 0 to 4,000 bytes.
class Load {
 public:
  Load(LoadPlan plan, const std::shared_ptr<EventLog>& initiators,
       const std::shared_ptr<EventLog>& receivers);
  ~Load();

  // Returns when every exchange has ended on both sides, or should have long ago.
  void Run();
  bool done() const { return done_; }

 private:
  enum class What { kBegin, kCode, kReceive, kData };
  struct Event {
    What what = What::kBegin;
    int exchange = 0;
    bool receiver = false;
    absl::StatusOr<std::string> value = std::string();
  };
  // Callbacks put events here, and may do so after the load is gone.
  struct Events;
  struct Exchange {
    std::optional<Initiator> initiator;
    std::optional<Receiver> receiver;
    std::string code;
    int open_ends = 1;  // two once there is a code for a receiver
  };

  void Handle(Event event);
  void Begin(int exchange);
  void Receive(int exchange);
  void OnData(const Event& event);
  // Lets go of the one that has waited longest; says of each side whether the relay knows.
  void Goodbye();

  Options OptionsOf(int exchange, bool receiver) const;
  std::string DataOf(int exchange, bool receiver) const;
  void Note(int exchange, bool receiver, const std::string& what);
  template <typename Side>
  void Expect(int exchange, bool receiver, Side& side);

  const LoadPlan plan_;
  const std::shared_ptr<EventLog> logs_[2];
  std::vector<std::shared_ptr<Client>> clients_[2];
  const std::shared_ptr<Events> events_;
  std::mt19937_64 random_;
  std::map<int, Exchange> exchanges_;  // those with an open end
  std::deque<int> closing_;            // over, but the relay may not know
  int open_ = 0;
  std::atomic<bool> done_ = false;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_LOAD_H_
