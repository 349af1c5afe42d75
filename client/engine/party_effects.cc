// The effects of PartyDriver: what the core asks for, carried out.
#include <memory>
#include <utility>
#include <variant>

#include "client/engine/party_driver.h"
#include "proto/error/error_detail.h"

namespace wormhole {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// Whether the relay has nothing more to hear after this end of a stream.
bool IsLastWord(const absl::Status& status) {
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

// Says which stream an event came from, so that what an older one still has to say is ignored.
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
      effects = Step(core::SaveFailed{std::move(status)});  // what was to follow is dropped
      i = 0;
      continue;
    }
    CarryOutOne(std::move(effects[i++]));
  }
}

// Without its handle, an exchange only says goodbye: what it comes to is out, and has been saved
// before it was. Except for what a stream had brought just before the handle went: a frame that has
// used up the code, for example. What may not be saved is not told either, so that a copy that goes
// on from the last save has nothing to guess with that the peer has not.
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
            // Not there yet: a restored exchange, which has forgotten it.
            results_.Fail(Results::kCode,
                          absl::FailedPreconditionError(
                              "the code has been used: the key is agreed, and nobody needs it"));
            results_.Set(Results::kVerifier, std::move(ready.words));
          },
          [this](core::DataReady& ready) { results_.Set(Results::kData, std::move(ready.data)); },
          [this](core::Failed& failed) { results_.Fail(failed.status); },
          [this](core::Progress& progress) {
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
  told_ = IsLastWord(status);
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
}

}  // namespace wormhole
