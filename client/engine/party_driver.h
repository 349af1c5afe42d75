// Runs one exchange: hands events to the core (client/core/exchange.h) and carries out what it asks
// for, on the threads of an engine.
#ifndef WORMHOLE_CLIENT_ENGINE_PARTY_DRIVER_H_
#define WORMHOLE_CLIENT_ENGINE_PARTY_DRIVER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/core/exchange.h"
#include "client/engine/callback_queue.h"
#include "client/engine/engine.h"
#include "client/engine/executor.h"
#include "client/engine/results.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"

namespace wormhole {

struct PartySetup {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<const void> client;  // kept until the exchange is over; may be empty
  std::unique_ptr<core::Exchange> exchange;
  StreamTarget target;
  std::function<absl::Status(std::string_view)> on_save;
  std::function<void(const ProgressEvent&)> on_progress;
};

// A Party owns it until Release. From then on the engine owns it, for as long as the exchange still
// has something to tell the relay.
//
// Events come from the handle, timers and streams, on any thread, and wait in a queue. One thread
// at a time, the pump, takes them from there. It holds `mutex_` while the core steps, and no lock
// while it carries out effects. Fields marked "pump" belong to it. The pump is a thread of the
// executor. In an exchange without a save hook the thread that brings a stream's event is the pump
// for it: nothing can block it, since callbacks run on the executor, and what the exchange sends
// leaves without waking another thread.
class PartyDriver : public ActiveExchange, public std::enable_shared_from_this<PartyDriver> {
 public:
  static std::shared_ptr<PartyDriver> Start(PartySetup setup);
  explicit PartyDriver(PartySetup setup);
  ~PartyDriver() override;

  Results& results() { return results_; }
  core::RandomSource& random() { return engine_->random(); }

  void Cancel();
  void AcceptVerifier(bool accepted);
  // See Party.
  absl::Status Finish(absl::Duration limit);
  std::string Serialize() const;
  absl::StatusOr<std::string> Verifier() const;
  absl::Status DeriveKey(std::string_view purpose, pake::SecretSpan out) const;

  // The handle is gone, or the client: no callback and no save hook starts after it returns. An
  // exchange with its results, or one that was cancelled, goes on in the background until the relay
  // knows. Any other stops.
  void Release();
  void Drop() override;
  void ShutDown() override;

  // This process is a child of the one that the exchange is of: nothing here may be touched.
  bool Inherited() const;

 private:
  // The half of Release that is not the results'.
  void LetGo();
  class Listener;
  struct Item {
    core::Event event;
    uint64_t stream = 0;  // which stream it came from; 0: from none
  };

  void Push(Item item);
  void PushFromStream(Item item);
  void ScheduleLocked() WORMHOLE_REQUIRES(mutex_);
  void Pump();
  bool PumpOne();  // false when there is nothing left to do
  // Nothing for a Wake that comes too early.
  std::vector<core::Effect> Step(core::Event event);
  bool Dropped() const;

  void CarryOut(std::vector<core::Effect> effects);
  // False when saving failed. Drops an exchange that has to be saved and has no hook any more.
  bool SaveState(const std::string& state, absl::Status* status);
  void CarryOutOne(core::Effect effect);
  void OpenStream(core::OpenStream effect);
  void DropStream();
  void NoteEnd(const absl::Status& status);
  void GoOver(bool nothing_to_tell);
  void StopDropped();
  void SetTimer();

  const uint64_t generation_;  // of forks
  const std::shared_ptr<Engine> engine_;
  const StreamTarget target_;
  const std::function<absl::Status(std::string_view)> on_save_;
  const std::function<void(const ProgressEvent&)> on_progress_;
  const std::shared_ptr<CallbackQueue> callbacks_;
  Results results_;

  std::shared_ptr<const void> client_;  // pump
  std::shared_ptr<Stream> stream_;      // pump
  uint64_t stream_number_ = 0;          // pump; of the last stream opened
  bool must_save_ = false;  // pump; the event in hand is a stream's, from the handle's lifetime
  Executor::Timer timer_;   // pump
  std::optional<Executor::Clock::time_point> timer_at_;  // pump; when timer_ hands in Wake

  mutable sync::Mutex mutex_;
  sync::CondVar over_changed_;
  const std::unique_ptr<core::Exchange> exchange_ WORMHOLE_PT_GUARDED_BY(mutex_);
  std::deque<Item> queue_ WORMHOLE_GUARDED_BY(mutex_);
  bool pumping_ WORMHOLE_GUARDED_BY(mutex_) = false;   // Pump is posted or running
  bool released_ WORMHOLE_GUARDED_BY(mutex_) = false;  // the handle is gone
  bool dropped_ WORMHOLE_GUARDED_BY(mutex_) = false;   // stops where it is
  bool closing_ WORMHOLE_GUARDED_BY(mutex_) = false;   // the application has given it up
  bool over_ WORMHOLE_GUARDED_BY(mutex_) = false;      // the core is done with it
  bool told_ WORMHOLE_GUARDED_BY(mutex_) = true;  // no stream since the relay's last final answer
};

}  // namespace wormhole

#endif  // WORMHOLE_CLIENT_ENGINE_PARTY_DRIVER_H_
