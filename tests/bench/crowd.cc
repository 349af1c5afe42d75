#include "tests/bench/crowd.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <utility>

#include "client/client_access.h"
#include "client/stream/grpc_transport.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(EXIT_FAILURE);
}

}  // namespace

// Where each side is attached. Outlives the crowd: gRPC's threads may be in a listener still.
class CrowdNotes {
 public:
  explicit CrowdNotes(int count) : places_(count) {}

  void NoteAttached(int number, const std::string& motd) {
    const std::scoped_lock lock(mutex_);
    places_[number] = {motd, NowMicros()};
    changed_.notify_all();
  }

  void NoteEnd(const absl::Status& status) {
    const std::scoped_lock lock(mutex_);
    ++failures_;
    std::fprintf(stderr, "bench: a waiting side ended: %s\n", status.ToString().c_str());
  }

  std::vector<int> At(const std::string& motd) {
    const std::scoped_lock lock(mutex_);
    std::vector<int> sides;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (places_[i].motd == motd) sides.push_back(static_cast<int>(i));
    }
    return sides;
  }

  std::vector<double> AwaitAgain(const std::vector<int>& sides, double since) {
    std::unique_lock lock(mutex_);
    const auto attached = [&] {
      return std::all_of(sides.begin(), sides.end(),
                         [&](int side) { return places_[side].attached_at > since; });
    };
    if (!changed_.wait_for(lock, std::chrono::minutes(1), attached)) {
      Die("waited a minute for sides to be attached");
    }
    std::vector<double> times;
    for (const int side : sides) times.push_back(places_[side].attached_at - since);
    return times;
  }

  int failures() {
    const std::scoped_lock lock(mutex_);
    return failures_;
  }

 private:
  struct Place {
    std::string motd;
    double attached_at = 0;  // 0: not yet
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Place> places_;
  int failures_ = 0;
};

namespace {

// Hears what one side's stream hears.
class Ear final : public StreamListener {
 public:
  Ear(std::shared_ptr<StreamListener> listener, std::shared_ptr<CrowdNotes> notes, int number)
      : listener_(std::move(listener)), notes_(std::move(notes)), number_(number) {}

  void OnResponse(AttachResponse response) override {
    if (response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED) {
      notes_->NoteAttached(number_, response.opened().motd());
    }
    listener_->OnResponse(std::move(response));
  }
  void OnEnd(absl::Status status) override { listener_->OnEnd(std::move(status)); }

 private:
  const std::shared_ptr<StreamListener> listener_;
  const std::shared_ptr<CrowdNotes> notes_;
  const int number_;
};

// gRPC as the library has it, for one side.
class OverheardTransport final : public Transport {
 public:
  OverheardTransport(std::shared_ptr<CrowdNotes> notes, int number)
      : notes_(std::move(notes)), number_(number) {}

  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override {
    return grpc_.Open(target, std::make_shared<Ear>(std::move(listener), notes_, number_));
  }

 private:
  GrpcTransport grpc_;
  const std::shared_ptr<CrowdNotes> notes_;
  const int number_;
};

Initiator NewSide(const std::string& target, std::shared_ptr<Transport> transport) {
  Options options;
  options.app_id = kAppId;
  options.rendezvous = target;
  options.timeout = absl::Hours(1);
  const auto client = ClientAccess::WithTransport(std::move(transport), {.threads = 1});
  if (!client.ok()) Die(client.status().ToString());
  options.client = *client;
  absl::StatusOr<Initiator> initiator = Initiator::Create(std::move(options), "");
  if (!initiator.ok()) Die(initiator.status().ToString());
  return *std::move(initiator);
}

}  // namespace

// Some at a time: listeners have a backlog, and exchanges a timeout.
Crowd::Crowd(int count, const std::function<std::string(int number)>& target)
    : notes_(std::make_shared<CrowdNotes>(count)) {
  constexpr int kAtOnce = 50;
  for (int number = 0; number < count; ++number) {
    Initiator side = NewSide(target(number), std::make_shared<OverheardTransport>(notes_, number));
    side.WhenData([notes = notes_](const absl::StatusOr<std::string>& data) {
      notes->NoteEnd(data.status());
    });
    initiators_.push_back(std::move(side));
    if (number % kAtOnce != kAtOnce - 1 && number != count - 1) continue;
    std::vector<int> sides(number + 1);
    std::iota(sides.begin(), sides.end(), 0);
    AwaitAgain(sides, 0);
  }
}

Crowd::~Crowd() = default;

std::vector<int> Crowd::At(const std::string& motd) const { return notes_->At(motd); }

std::vector<double> Crowd::AwaitAgain(const std::vector<int>& sides, double since) {
  return notes_->AwaitAgain(sides, since);
}

int Crowd::failures() const { return notes_->failures(); }

}  // namespace wormhole::bench
