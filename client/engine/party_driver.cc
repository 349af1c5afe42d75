#include "client/engine/party_driver.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "absl/time/clock.h"
#include "client/core/failure.h"
#include "proto/error/error_detail.h"
#include "proto/sync/fork.h"
#include "wormhole/outcome.h"

namespace wormhole {
namespace {

// Events that one task takes, so that an exchange with much to do lets others have the thread.
constexpr int kEventsPerTurn = 16;

core::Instant Now() {
  return {absl::Now(), absl::FromChrono(Executor::Clock::now().time_since_epoch())};
}

// Times beyond a day become a day: a timer that rings early is set again.
Executor::Clock::time_point TimePoint(absl::Duration steady) {
  const absl::Duration limit = Now().steady + absl::Hours(24);
  return Executor::Clock::time_point(absl::ToChronoNanoseconds(std::min(steady, limit)));
}

absl::Status ShutDownError() {
  return core::Failure(Reason::kCancelled, absl::StatusCode::kCancelled,
                       "the Client was shut down, and the exchange stopped where it was: it can go "
                       "on from its saved state");
}

}  // namespace

std::shared_ptr<PartyDriver> PartyDriver::Start(PartySetup setup) {
  auto driver = std::make_shared<PartyDriver>(std::move(setup));
  driver->engine_->Register(driver);
  driver->Push({core::Start{}});
  return driver;
}

PartyDriver::PartyDriver(PartySetup setup)
    : generation_(sync::ForkGeneration()),
      engine_(std::move(setup.engine)),
      target_(std::move(setup.target)),
      on_save_(std::move(setup.on_save)),
      on_progress_(std::move(setup.on_progress)),
      callbacks_(std::make_shared<CallbackQueue>(&engine_->executor())),
      results_(callbacks_),
      client_(std::move(setup.client)),
      exchange_(std::move(setup.exchange)) {}

PartyDriver::~PartyDriver() {
  DropStream();
  engine_->executor().Cancel(timer_);
  engine_->Unregister(this);
}

bool PartyDriver::Inherited() const { return generation_ != sync::ForkGeneration(); }

// --- The handle's side ------------------------------------------------------------------------

void PartyDriver::Cancel() {
  {
    sync::MutexLock lock(mutex_);
    closing_ = true;
  }
  Push({core::Cancel{}});
}

void PartyDriver::AcceptVerifier(bool accepted) {
  {
    sync::MutexLock lock(mutex_);
    if (!accepted && exchange_->asks_for_verifier() && exchange_->Verifier().ok()) closing_ = true;
  }
  Push({core::AcceptVerifier{accepted}});
}

absl::Status PartyDriver::Finish(absl::Duration limit) {
  if (Executor::OnExecutorThread()) return BlockingCallError("Finish");
  const auto deadline = TimePoint(Now().steady + std::max(limit, absl::ZeroDuration()));
  sync::MutexLock lock(mutex_);
  if (!over_ && !dropped_ && !closing_ && !results_.Settled()) {
    return absl::FailedPreconditionError(
        "the exchange is still going on: wait for its data, or cancel it, before Finish");
  }
  while (!over_ && !dropped_ && over_changed_.WaitUntil(mutex_, deadline)) {
  }
  if (over_ && told_) return absl::OkStatus();
  if (dropped_) return ShutDownError();
  constexpr char kUntold[] =
      "the relay could not be told that the exchange is over: its channel goes when its ttl is "
      "over";
  // The exchange does not try any more: the relay was not there, whatever `limit` was.
  if (over_) return core::Failure(Reason::kUnreachable, absl::StatusCode::kUnavailable, kUntold);
  return absl::DeadlineExceededError(kUntold);
}

std::string PartyDriver::Serialize() const {
  sync::MutexLock lock(mutex_);
  return exchange_->Serialize();
}

absl::StatusOr<std::string> PartyDriver::Verifier() const {
  sync::MutexLock lock(mutex_);
  return exchange_->Verifier();
}

absl::Status PartyDriver::DeriveKey(std::string_view purpose, pake::SecretSpan out) const {
  sync::MutexLock lock(mutex_);
  return exchange_->DeriveKey(purpose, out);
}

void PartyDriver::Release() {
  LetGo();
  results_.Release();
}

void PartyDriver::LetGo() {
  sync::MutexLock lock(mutex_);
  released_ = true;
  // Puts the handle's own events, such as Cancel, before what the relay has said and the core has
  // not seen: a bad frame in that would burn the code and tell the peer so, and no hook is there
  // any more to save that.
  if (closing_) {
    std::stable_partition(queue_.begin(), queue_.end(),
                          [](const Item& item) { return item.stream == 0; });
  }
  const bool tells_relay = closing_ || results_.Settled();
  if (!over_ && !dropped_ && !(tells_relay && engine_->Keep(shared_from_this()))) {
    dropped_ = true;
    over_changed_.NotifyAll();
    ScheduleLocked();
  }
}

void PartyDriver::Drop() {
  sync::MutexLock lock(mutex_);
  dropped_ = true;
  over_changed_.NotifyAll();
  ScheduleLocked();
}

void PartyDriver::ShutDown() {
  LetGo();
  results_.ShutDown(ShutDownError());
}

bool PartyDriver::Dropped() const {
  sync::MutexLock lock(mutex_);
  return dropped_;
}

// --- The pump ---------------------------------------------------------------------------------

void PartyDriver::Push(Item item) {
  sync::MutexLock lock(mutex_);
  if (dropped_ || over_) return;
  queue_.push_back(std::move(item));
  ScheduleLocked();
}

void PartyDriver::PushFromStream(Item item) {
  if (on_save_ != nullptr) return Push(std::move(item));
  {
    sync::MutexLock lock(mutex_);
    if (dropped_ || over_) return;
    queue_.push_back(std::move(item));
    if (pumping_) return;
    pumping_ = true;
  }
  Pump();
}

void PartyDriver::ScheduleLocked() {
  if (pumping_) return;
  pumping_ = true;
  engine_->executor().Post([self = shared_from_this()] { self->Pump(); });
}

void PartyDriver::Pump() {
  for (int i = 0; i < kEventsPerTurn; ++i) {
    if (!PumpOne()) return;
  }
  engine_->executor().Post([self = shared_from_this()] { self->Pump(); });
}

bool PartyDriver::PumpOne() {
  Item item;
  {
    sync::MutexLock lock(mutex_);
    if (dropped_ || over_) queue_.clear();
    if (queue_.empty() && !dropped_) {
      pumping_ = false;
      return false;
    }
    if (!dropped_) {
      item = std::move(queue_.front());
      queue_.pop_front();
      must_save_ = item.stream != 0 && !released_;
    }
  }
  if (Dropped()) {  // pumping_ stays true, so that nothing is scheduled any more
    StopDropped();
    return false;
  }
  if (item.stream != 0 && (item.stream != stream_number_ || stream_ == nullptr)) return true;
  if (std::holds_alternative<core::Wake>(item.event)) timer_at_.reset();
  const bool received = std::holds_alternative<core::Received>(item.event);
  if (const auto* ended = std::get_if<core::Ended>(&item.event)) NoteEnd(ended->status);
  CarryOut(Step(std::move(item.event)));
  SetTimer();
  if (received && stream_ != nullptr && item.stream == stream_number_) stream_->ReadMore();
  return true;
}

std::vector<core::Effect> PartyDriver::Step(core::Event event) {
  const core::Instant now = Now();
  sync::MutexLock lock(mutex_);
  if (std::holds_alternative<core::Wake>(event)) {
    const std::optional<absl::Duration> wake = exchange_->NextWake();
    if (!wake.has_value() || *wake > now.steady) return {};  // a timer that was set too early
  }
  return exchange_->Step(std::move(event), now);
}

// An exchange has one timer. It stays as it is when the core wants to be woken later, since most
// events only push the heartbeat back; it then rings too early, and is set again.
void PartyDriver::SetTimer() {
  std::optional<absl::Duration> wake;
  {
    sync::MutexLock lock(mutex_);
    if (!over_ && !dropped_) wake = exchange_->NextWake();
  }
  if (!wake.has_value()) return;
  const Executor::Clock::time_point when = TimePoint(*wake);
  if (timer_at_.has_value() && *timer_at_ <= when) return;
  engine_->executor().Cancel(timer_);
  timer_at_ = when;
  timer_ = engine_->executor().PostAt(when, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Push({core::Wake{}});
  });
}

// --- Effects: carries out what the core asks for.

namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// Whether the exchange has nothing more to tell the relay after this end of a stream.
bool IsFinalAnswer(const absl::Status& status) {
  using error::ErrorDetail;
  if (status.ok()) return true;
  switch (error::ReasonOf(status)) {
    case ErrorDetail::REASON_UNSPECIFIED:
    case ErrorDetail::REASON_SUPERSEDED:
    case ErrorDetail::REASON_BUSY:
    case ErrorDetail::REASON_DRAINING:
    case ErrorDetail::REASON_STORE_AWAY:
      return false;
    default:
      return true;
  }
}

}  // namespace

// Marks each event with its stream, so that the driver ignores what an older stream still brings.
class PartyDriver::Listener : public StreamListener {
 public:
  Listener(std::weak_ptr<PartyDriver> driver, uint64_t stream)
      : driver_(std::move(driver)), stream_(stream) {}

  void OnResponse(rendezvous::v1::AttachResponse response) override {
    if (auto driver = driver_.lock()) {
      driver->PushFromStream({core::Received{std::move(response)}, stream_});
    }
  }
  void OnEnd(absl::Status status) override {
    if (auto driver = driver_.lock()) {
      driver->PushFromStream({core::Ended{std::move(status)}, stream_});
    }
  }

 private:
  const std::weak_ptr<PartyDriver> driver_;
  const uint64_t stream_;
};

void PartyDriver::CarryOut(std::vector<core::Effect> effects) {
  for (size_t i = 0; i < effects.size();) {
    if (Dropped()) return;
    absl::Status status;
    const auto* save = std::get_if<core::Save>(&effects[i]);
    if (save != nullptr && !SaveState(save->state, &status)) {
      effects = Step(core::SaveFailed{std::move(status)});  // drops the effects that follow
      i = 0;
      continue;
    }
    CarryOutOne(std::move(effects[i++]));
  }
}

// An exchange without its handle only closes its channel: its result was saved before it was told,
// so that a further state need not be saved. The exception is an event that a stream had brought
// just before the handle went, for example a frame that uses up the code. Its state has to be saved
// and cannot be: the exchange is dropped, and tells the relay nothing of it. Else the relay would
// know more than a copy that goes on from the last save, and the code could be guessed at again.
bool PartyDriver::SaveState(const std::string& state, absl::Status* status) {
  if (on_save_ == nullptr) return true;
  {
    sync::MutexLock lock(mutex_);
    if (released_ && (!must_save_ || results_.Settled())) return true;
    dropped_ = dropped_ || released_;
  }
  if (Dropped()) {
    engine_->Forget(shared_from_this());
    return true;
  }
  const Executor::ApplicationCode application_code(engine_->executor());
  *status = on_save_(state);
  return status->ok();
}

void PartyDriver::CarryOutOne(core::Effect effect) {
  std::visit(
      Overloaded{
          [](core::Save&) {},
          [this](core::OpenStream& open) { OpenStream(std::move(open)); },
          [this](core::Send& send) {
            if (stream_ != nullptr) stream_->Send(std::move(send.request));
          },
          [this](core::DropStream& drop) {
            if (drop.silent && stream_ != nullptr) stream_->Distrust();
            DropStream();
          },
          [this](core::CodeReady& ready) { results_.Set(Results::kCode, std::move(ready.code)); },
          [this](core::VerifierReady& ready) {
            // A restored exchange has forgotten its code.
            results_.Fail(Results::kCode,
                          absl::FailedPreconditionError(
                              "the code has been used: the key is agreed, and nobody needs it"));
            results_.Set(Results::kVerifier, std::move(ready.words));
          },
          [this](core::DataReady& ready) { results_.Set(Results::kData, std::move(ready.data)); },
          [this](core::Failed& failed) { results_.Fail(failed.status); },
          [this](ProgressEvent& progress) {
            if (on_progress_ == nullptr) return;
            callbacks_->Post([callback = on_progress_, progress] { callback(progress); });
          },
          [this](core::Over& over) { GoOver(over.nothing_to_tell); },
      },
      effect);
}

void PartyDriver::OpenStream(core::OpenStream effect) {
  DropStream();
  {
    sync::MutexLock lock(mutex_);
    told_ = false;
  }
  stream_ = engine_->transport().Open(
      target_, std::make_shared<Listener>(weak_from_this(), ++stream_number_));
  stream_->Send(std::move(effect.open));
}

void PartyDriver::DropStream() {
  if (stream_ != nullptr) stream_->Abandon();
  stream_ = nullptr;
}

void PartyDriver::NoteEnd(const absl::Status& status) {
  stream_ = nullptr;
  sync::MutexLock lock(mutex_);
  told_ = IsFinalAnswer(status);
}

void PartyDriver::GoOver(bool nothing_to_tell) {
  DropStream();
  engine_->executor().Cancel(timer_);
  {
    sync::MutexLock lock(mutex_);
    over_ = true;
    if (nothing_to_tell) told_ = true;
    over_changed_.NotifyAll();
  }
  engine_->Forget(shared_from_this());
  client_ = nullptr;
  engine_->NoteOver(this);
}

void PartyDriver::StopDropped() {
  DropStream();
  engine_->NoteOver(this);
}

}  // namespace wormhole
