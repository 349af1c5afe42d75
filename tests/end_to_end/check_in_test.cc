// Check-in mode over gRPC, with the two sides kept from ever being attached together.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "client/client_access.h"
#include "client/stream/grpc_transport.h"
#include "gtest/gtest.h"
#include "proto/sync/mutex.h"
#include "tests/end_to_end/relay_fixture.h"

namespace wormhole::testing {
namespace {

// Room for one stream at a time.
class Gate {
 public:
  bool Enter() {
    sync::MutexLock lock(mutex_);
    if (taken_) return false;
    ++entered_;
    return taken_ = true;
  }
  void Leave() {
    sync::MutexLock lock(mutex_);
    taken_ = false;
  }
  int entered() const {
    sync::MutexLock lock(mutex_);
    return entered_;
  }

 private:
  mutable sync::Mutex mutex_;
  bool taken_ WORMHOLE_GUARDED_BY(mutex_) = false;
  int entered_ WORMHOLE_GUARDED_BY(mutex_) = 0;
};

// Holds a place in the gate until the stream is over, whoever ended it.
class GatedStream : public Stream, public StreamListener {
 public:
  GatedStream(std::shared_ptr<Gate> gate, std::shared_ptr<StreamListener> listener)
      : gate_(std::move(gate)), listener_(std::move(listener)) {}
  ~GatedStream() override { Leave(); }

  void Wrap(std::shared_ptr<Stream> stream) { stream_ = std::move(stream); }

  void Send(rendezvous::v1::AttachRequest request) override { stream_->Send(std::move(request)); }
  void ReadMore() override { stream_->ReadMore(); }
  void Abandon() override {
    stream_->Abandon();
    Leave();
  }
  void OnResponse(rendezvous::v1::AttachResponse response) override {
    listener_->OnResponse(std::move(response));
  }
  void OnEnd(absl::Status status) override {
    Leave();
    listener_->OnEnd(std::move(status));
  }

 private:
  void Leave() {
    if (!left_.exchange(true)) gate_->Leave();
  }

  const std::shared_ptr<Gate> gate_;
  const std::shared_ptr<StreamListener> listener_;
  std::shared_ptr<Stream> stream_;
  std::atomic<bool> left_ = false;
};

// The end that a client sees which was not let in.
class NoStream : public Stream {
 public:
  explicit NoStream(std::shared_ptr<StreamListener> listener) : listener_(std::move(listener)) {}
  void Send(rendezvous::v1::AttachRequest /*request*/) override {
    if (auto listener = std::exchange(listener_, nullptr)) {
      listener->OnEnd(absl::UnavailableError("the other side is there"));
    }
  }
  void ReadMore() override {}
  void Abandon() override { listener_ = nullptr; }

 private:
  std::shared_ptr<StreamListener> listener_;
};

class GatedTransport : public Transport {
 public:
  explicit GatedTransport(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override {
    if (!gate_->Enter()) return std::make_shared<NoStream>(std::move(listener));
    auto gated = std::make_shared<GatedStream>(gate_, std::move(listener));
    gated->Wrap(grpc_.Open(target, gated));
    return gated;
  }

 private:
  const std::shared_ptr<Gate> gate_;
  GrpcTransport grpc_;
};

using CheckInTest = RelayTest;

TEST_F(CheckInTest, TheTwoAreNeverAttachedTogether) {
  StartRelay();
  auto gate = std::make_shared<Gate>();
  Options options = NewOptions();
  options.check_in = true;
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(40)}};
  options.client = ClientAccess::WithTransport(std::make_shared<GatedTransport>(gate)).value();
  auto initiator = Initiator::Create(options, "a");
  const std::string code = initiator->GetCode().value();
  auto receiver = Receiver::Create(options, code, "b");
  EXPECT_EQ(initiator->GetData().value_or("failed"), "b");
  EXPECT_EQ(receiver->GetData().value_or("failed"), "a");
  // Allocation, claim and answer, confirmation and data, data, the last data.
  EXPECT_GE(gate->entered(), 5);
}

}  // namespace
}  // namespace wormhole::testing
