// Explains in our words why gRPC could not connect.
#ifndef WORMHOLE_CLIENT_STREAM_EXPLAINER_H_
#define WORMHOLE_CLIENT_STREAM_EXPLAINER_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "client/stream/probe.h"
#include "client/stream/trouble.h"
#include "proto/sync/mutex.h"
#include "proto/sync/threads.h"

namespace wormhole {

// The streams of a transport share one. Any thread.
class Explainer : public std::enable_shared_from_this<Explainer> {
 public:
  // Probes run on threads of the group.
  explicit Explainer(std::shared_ptr<sync::Threads> threads);

  // Which connection to explain, and how to reach the same relay for a probe.
  struct Way {
    TroubleScene scene;
    Security security = Security::kTls;  // not kAuto
    Tls tls;
  };
  using Done = std::function<void(absl::Status)>;

  // A relay has answered on this way: from now on Explain does not probe, since a broken connection
  // then needs no other explanation.
  void NoteAnswer(const Way& way);

  // Calls `done`, once, with `status` in our words and gRPC's as its details: before it returns, or
  // on a thread that probes the relay. One probe serves all calls that come while it runs, and
  // within five seconds after.
  void Explain(const Way& way, absl::Status status, Done done);

 private:
  // The relay, gRPC's target, what a proxy is to connect to, the security, and two PEMs.
  using Key = std::tuple<std::string, std::string, std::string, Security, std::string, std::string>;
  using Found = std::optional<Trouble>;
  using Tell = std::function<void(const Found&)>;
  enum class Turn { kKnown, kWaits, kProbes };
  struct Entry {
    bool answered = false;
    bool probing = false;
    std::optional<std::chrono::steady_clock::time_point> probed_at;
    Found found;
    std::vector<Tell> waiting;
  };

  static Key KeyOf(const Way& way);
  Entry& EntryOf(const Way& way) WORMHOLE_REQUIRES(mutex_);
  Turn Queue(const Way& way, const Tell& tell, Found* known);
  void RunProbe(const Way& way);
  void Settle(const Way& way, Found found);

  const std::shared_ptr<sync::Threads> threads_;
  sync::Mutex mutex_;
  std::map<Key, Entry> entries_ WORMHOLE_GUARDED_BY(mutex_);
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_STREAM_EXPLAINER_H_
