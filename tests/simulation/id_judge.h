// Watches which ids are drawn by a relay that has its store for itself: one digit as long as fewer
// than ten of an app-id are in use, and none that rests. What the relay may know of is taken for
// more than it is: an allocation that nobody has heard of again may hold an id.
#ifndef WORMHOLE_TESTS_SIMULATION_ID_JUDGE_H_
#define WORMHOLE_TESTS_SIMULATION_ID_JUDGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/simulation/stage.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::simulation {

class IdJudge {
 public:
  explicit IdJudge(const Stage* stage) : stage_(stage) {}

  void OnOpen(uint64_t stream, const std::string& side, const rendezvous::v1::Open& open);
  void OnClose(uint64_t stream, rendezvous::v1::Mood mood);
  // The relay lets it in. `channel` as for EndingJudge. Returns what is wrong, if anything is.
  std::optional<std::string> OnAttached(uint64_t stream, const std::string& channel, uint32_t id);
  void OnEnding(uint64_t stream, const absl::Status& status);
  void OnOver(uint64_t stream);

 private:
  struct Stream {
    std::string app_id, side, channel;
    std::optional<rendezvous::v1::Mood> mood;
  };
  // As far as has been seen.
  struct Channel {
    uint32_t id = 0;
    std::set<std::string> happy;  // the sides that have left so, and were told that they have
    std::optional<absl::Duration> rests_from;
    bool over() const { return happy.size() == 2; }
  };
  struct App {
    // Streams that may have been given an id, and when they were over.
    std::map<uint64_t, std::optional<absl::Duration>> drawing;
    std::set<uint32_t> named;  // ids that somebody has asked for
    std::map<std::string, Channel> channels;
  };

  // How many ids of one digit may be in use, or rest.
  size_t OneDigitInUse(const App& app) const;

  const Stage* const stage_;
  std::map<uint64_t, Stream> streams_;
  std::map<std::string, App> apps_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_ID_JUDGE_H_
