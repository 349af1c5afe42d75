// One exchange of the client library: an initiator and a receiver in this process.
#ifndef WORMHOLE_TESTS_BENCH_LIBRARY_EXCHANGE_H_
#define WORMHOLE_TESTS_BENCH_LIBRARY_EXCHANGE_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "wormhole/wormhole.h"

namespace wormhole::bench {

class LibraryExchange : public std::enable_shared_from_this<LibraryExchange> {
 public:
  // `on_end` runs once both sides have the other's data, or when one failed, on a thread of the
  // client's. `claim_to_data` is from the receiver's start to the data in its callback,
  // microseconds; less than 0 when the exchange failed.
  using OnEnd = std::function<void(std::shared_ptr<LibraryExchange>, double claim_to_data)>;
  // gRPC targets, which may be the same.
  struct Targets {
    std::string initiator;
    std::string receiver;
  };
  static void Start(const std::shared_ptr<Client>& client, const Targets& targets, OnEnd on_end);

  LibraryExchange(Options initiator, Options receiver, OnEnd on_end)
      : initiator_options_(std::move(initiator)),
        receiver_options_(std::move(receiver)),
        on_end_(std::move(on_end)) {}

  // Waits until the relay has been told by both that they are finished.
  void Finish();

 private:
  void Begin();
  void OnCode(const absl::StatusOr<std::string>& code);
  void OnData(const absl::StatusOr<std::string>& data, bool receiver);
  void Fail(const absl::Status& status);

  const Options initiator_options_;
  const Options receiver_options_;
  const OnEnd on_end_;
  std::optional<Initiator> initiator_;
  std::optional<Receiver> receiver_;
  double claimed_at_ = 0;
  std::atomic<double> claim_to_data_ = -1;
  std::atomic<int> without_data_ = 2;
  std::atomic<bool> failed_ = false;
};

// Sees exchanges off on a thread of its own, so that what they still have to tell the relay counts.
class Farewell {
 public:
  Farewell();
  ~Farewell();  // after all have been seen off
  void Take(std::shared_ptr<LibraryExchange> exchange);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::shared_ptr<LibraryExchange>> queue_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_LIBRARY_EXCHANGE_H_
