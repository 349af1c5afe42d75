// Exchanges, a fake relay and virtual time, for tests: carries out effects as a driver does, and
// checks on the way that every effect that needs a saved state has one.
#ifndef WORMHOLE_CLIENT_CORE_TESTING_EXCHANGE_WORLD_H_
#define WORMHOLE_CLIENT_CORE_TESTING_EXCHANGE_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/core/exchange.h"
#include "client/core/testing/fake_relay.h"
#include "client/core/testing/seeded_random.h"

namespace wormhole::core {

class World;

// One side, with the driver that a program would have around it.
class Party {
 public:
  Party(World& world, std::string name) : world_(world), name_(std::move(name)) {}

  // Makes the exchange; the test fails if that does.
  void Create(ExchangeConfig config, bool saves = true);
  absl::Status Restore(const std::string& state, bool saves = true);
  void Start() { Do(core::Start{}); }
  void Do(Event event);
  // The process dies: the stream ends, nothing is remembered but the saved states.
  void Crash();
  // The network takes the stream away; the exchange is told.
  void LoseStream(absl::Status status = absl::UnavailableError("connection reset"));

  // What has come out, in this process and in earlier ones.
  std::string code;
  std::vector<std::string> data;
  std::vector<absl::Status> failures;
  std::vector<std::string> verifiers;
  std::vector<std::string> saves;
  std::vector<ProgressEvent> progress;
  std::vector<rendezvous::v1::AttachRequest> sent;  // Open and all later ones
  std::vector<absl::Duration> opens;                // when
  std::vector<bool> drops;                          // whether for silence
  std::vector<std::string> trace;                   // names of effects
  bool over = false;
  size_t effects = 0;  // carried out so far

  // When it returns true, the process dies before this effect.
  std::function<bool(const Effect&)> crash_before;
  // When it returns an error, saving fails.
  std::function<absl::Status()> on_save;

  Exchange* exchange() { return exchange_.get(); }
  bool has_stream() const { return stream_ != nullptr; }
  absl::Status failure() const { return failures.empty() ? absl::OkStatus() : failures[0]; }
  // The end: data, or a failure, and Over.
  bool finished() const { return over && !data.empty(); }

 private:
  friend class World;
  void CarryOut(Effect effect);
  void Open(const rendezvous::v1::AttachRequest& open);
  void Transmit(rendezvous::v1::AttachRequest request);
  void DropStream();
  void CheckSaved(const rendezvous::v1::AttachRequest& request) const;

  World& world_;
  std::string name_;
  std::unique_ptr<Exchange> exchange_;
  bool saving_ = false;
  bool fresh_ = false;  // no Save in this process yet
  std::shared_ptr<FakeRelay::Stream> stream_;
};

class World {
 public:
  explicit World(uint64_t seed = 1);

  FakeRelay relay;
  SeededRandom random;
  Party alice;  // by convention the initiator
  Party bob;
  absl::Duration latency = absl::Milliseconds(10);
  bool relay_down = false;  // streams that are opened are lost at once
  // When it returns a status, an Open is answered with it.
  std::function<std::optional<absl::Status>()> refuse_open;
  // When it returns true, a response never arrives.
  std::function<bool(const Party&, const rendezvous::v1::AttachResponse&)> lose_response;

  Instant Now() const;
  void At(absl::Duration when, std::function<void()> what);
  void After(absl::Duration delay, std::function<void()> what) {
    At(now_ + delay, std::move(what));
  }
  // Runs until nothing is left to happen, or the time, or the condition.
  void Run(absl::Duration at_most = absl::Hours(1), std::function<bool()> until = nullptr);
  absl::Duration now() const { return now_; }

 private:
  bool RunNext(absl::Duration limit);

  absl::Duration now_ = absl::Seconds(1000);
  uint64_t sequence_ = 0;
  std::map<std::pair<absl::Duration, uint64_t>, std::function<void()>> queue_;
};

ExchangeConfig InitiatorConfig(std::string data = "from alice");
ExchangeConfig ReceiverConfig(std::string code, std::string data = "from bob");

// Alice begins, and a second passes, in which she gets her code.
void StartAlice(World& w, ExchangeConfig config = InitiatorConfig());
// Bob begins, with her code unless the config says otherwise.
void StartBob(World& w);
void StartBob(World& w, ExchangeConfig config);
// Both begin, and go on until they have the key and each waits for its user.
void RunToVerifiers(World& w);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_TESTING_EXCHANGE_WORLD_H_
