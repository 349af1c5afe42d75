// The relay's binary with everything on that shows what it does.
#ifndef WORMHOLE_TESTS_END_TO_END_WATCHED_RELAY_H_
#define WORMHOLE_TESTS_END_TO_END_WATCHED_RELAY_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "tests/support/relay_process.h"

namespace wormhole::testing {

// One place where something can be read.
struct Output {
  std::string name;
  std::string text;
};

class WatchedRelay {
 public:
  // Over a file in `folder`, with a label for `app_id` in its metrics and with `flags` beside its
  // own. The address is empty when it did not start.
  WatchedRelay(const std::string& folder, const std::string& app_id,
               const std::vector<std::string>& flags);

  ~WatchedRelay();

  const std::string& address() const { return address_; }
  // Every address that it listens on.
  std::vector<std::string> listeners() const { return {address_, admin_, metrics_}; }

  // All that it shows while it runs, and with --print-config.
  std::vector<Output> Look();
  // Ends it with a signal; the events, standard output and standard error are complete then.
  int End(int signal);
  std::vector<Output> Written() const;

 private:
  // Reads events until the relay ends; returns once it is told of them.
  void WatchEvents();

  const std::vector<std::string> flags_;
  RelayProcess process_;
  std::string address_;
  std::string admin_;
  std::string metrics_;
  grpc::ClientContext watching_;
  std::string events_;  // of watcher_, while it runs
  std::thread watcher_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_WATCHED_RELAY_H_
