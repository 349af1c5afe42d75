// The floor that the relay is measured against: a bare gRPC server that joins two streams by the
// channel id in their Open and copies each Post to the other one as a Message. No rules, no store.
// tests/bench/bare_server.h has its settings, and the unary call that it is compared with.
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "tests/bench/bare_server.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::bench {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

class Side;

struct Pair {
  std::mutex mutex;
  Side* sides[2] = {nullptr, nullptr};
  std::list<AttachResponse> early;  // of the first, before the second has come
};

std::mutex waiting_mutex;
std::map<uint32_t, std::shared_ptr<Pair>> waiting;  // for their second side

class Side final : public grpc::ServerBidiReactor<AttachRequest, AttachResponse> {
 public:
  Side() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok || request_.has_close()) return Advance({}, /*end=*/true, /*written=*/false);
    if (request_.has_open()) Join(request_.open());
    if (request_.has_post() && pair_ != nullptr) Copy(*request_.mutable_post());
    StartRead(&request_);
  }
  void OnWriteDone(bool ok) override { Advance({}, /*end=*/!ok, /*written=*/true); }
  void OnDone() override {
    if (pair_ != nullptr) {
      const std::scoped_lock lock(pair_->mutex);
      pair_->sides[index_] = nullptr;
    }
    delete this;
  }

 private:
  // Queues `more` and starts what can be started.
  void Advance(std::list<AttachResponse> more, bool end, bool written) {
    std::unique_lock lock(mutex_);
    queue_.splice(queue_.end(), more);
    ending_ |= end;
    writing_ &= !written;
    if (writing_ || finished_ || (queue_.empty() && !ending_)) return;
    finished_ = queue_.empty() || (end && written);
    writing_ = !finished_;
    if (writing_) {
      current_ = std::move(queue_.front());
      queue_.pop_front();
    }
    const bool finish = finished_;
    lock.unlock();
    finish ? Finish(grpc::Status::OK) : StartWrite(&current_);
  }
  void Join(const rendezvous::v1::Open& open) {
    const uint32_t id = open.has_claim() ? open.claim().channel_id() : open.allocate().channel_id();
    {
      const std::scoped_lock lock(waiting_mutex);
      std::shared_ptr<Pair>& pair = waiting[id];
      index_ = pair == nullptr ? 0 : 1;
      if (pair == nullptr) pair = std::make_shared<Pair>();
      pair_ = pair;
      if (index_ == 1) waiting.erase(id);
    }
    std::list<AttachResponse> opened(1);
    opened.front().mutable_opened()->set_channel_id(id);
    Advance(std::move(opened), false, false);
    const std::scoped_lock lock(pair_->mutex);
    pair_->sides[index_] = this;
    if (index_ == 1) Advance(std::exchange(pair_->early, {}), false, false);
  }
  void Copy(rendezvous::v1::Post& post) {
    std::list<AttachResponse> message(1);
    message.front().mutable_message()->set_number(post.number());
    message.front().mutable_message()->mutable_frame()->swap(*post.mutable_frame());
    const std::scoped_lock lock(pair_->mutex);
    Side* const peer = pair_->sides[1 - index_];
    if (peer != nullptr) return peer->Advance(std::move(message), false, false);
    if (index_ == 0) pair_->early.splice(pair_->early.end(), message);
  }

  AttachRequest request_;
  AttachResponse current_;
  std::shared_ptr<Pair> pair_;
  int index_ = 0;
  std::mutex mutex_;
  std::list<AttachResponse> queue_;
  bool writing_ = false, ending_ = false, finished_ = false;
};

class Floor final : public rendezvous::v1::RendezvousService::CallbackService {
  grpc::ServerBidiReactor<AttachRequest, AttachResponse>* Attach(
      grpc::CallbackServerContext*) override {
    return new Side();
  }
};

}  // namespace
}  // namespace wormhole::bench

int main() {
  wormhole::bench::Floor floor;
  return wormhole::bench::Serve(floor);
}
