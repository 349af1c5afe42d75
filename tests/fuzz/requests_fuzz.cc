// Clients that say anything at all to a relay, on a few streams that come and go, while its store
// answers late, fails or is away: no crash, no use of a stream that is gone, and whoever is turned
// away is told why. The input is a row of steps of two bytes, what and how; see World::Step.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "proto/error/error_detail.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"
#include "relay/switchboard/testing/manual_store.h"
#include "tests/fuzz/check.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::AttachRequest;
using wormhole::fuzz::Check;

// Closed as asked, a reason of the protocol, or the end of a silent stream, which needs none.
bool TellsWhy(const absl::Status& status) {
  return status.ok() || error::ReasonOf(status) != error::ErrorDetail::REASON_UNSPECIFIED ||
         (status.code() == absl::StatusCode::kUnavailable && !status.message().empty());
}

class CheckingSink final : public Sink {
 public:
  void Send(rendezvous::v1::AttachResponse) override { Check(!detached_); }
  void End(absl::Status status) override {
    Check(!detached_ && TellsWhy(status));
    ended_ = true;
  }
  void ReadMore() override {
    Check(!detached_ && !reads_);
    reads_ = true;
  }
  void Flush() override {}
  size_t Backlog() const override { return backlog_; }

  bool reads_ = true;
  bool ended_ = false;
  bool detached_ = false;
  size_t backlog_ = 0;
};

struct Stream {
  std::shared_ptr<CheckingSink> sink;
  std::shared_ptr<Attachment> attachment;

  void Detach() {
    if (!attachment) return;
    attachment->Detach();
    sink->detached_ = true;
    attachment = nullptr;
  }
  void Send(AttachRequest request) {
    if (attachment && std::exchange(sink->reads_, false)) attachment->Receive(std::move(request));
  }
  void Stall(size_t backlog) {
    if (!attachment) return;
    sink->backlog_ = backlog;
    attachment->Drained();
  }
};

// The sides are four, and few ids are used, so that they meet.
AttachRequest Opening(uint8_t how) {
  AttachRequest request;
  request.mutable_open()->set_app_id("a");
  request.mutable_open()->set_token(std::string(32, static_cast<char>('a' + how % 4)));
  request.mutable_open()->set_cursor(how / 4 % 4);
  return request;
}

AttachRequest Posting(uint8_t how) {
  AttachRequest request;
  request.mutable_post()->set_number(how % 32);
  request.mutable_post()->set_frame(std::string(how / 32 * 10'000, 'x'));
  return request;
}

class World {
 public:
  World() { Restart(); }
  ~World() {
    for (Stream& stream : streams_) stream.Detach();
  }

  void Step(uint8_t what, uint8_t how) {
    Stream& stream = streams_[what % streams_.size()];
    const uint8_t action = what / streams_.size() % 16;
    if (action < 8) {
      stream.Send(Request(action, how));
    } else {
      Happen(action, how, stream);
    }
  }

  // With a store that answers, nobody is forgotten: silence ends every stream.
  void Finish() {
    store_.set_away(false);
    store_.AnswerAll();
    now_ += absl::Hours(1);
    Tick();
    for (Stream& stream : streams_) Check(!stream.attachment || stream.sink->ended_);
  }

 private:
  static AttachRequest Request(uint8_t action, uint8_t how) {
    AttachRequest request = action < 3 ? Opening(how) : AttachRequest();
    const uint32_t id = how / 16 % 4;
    if (action == 0) {
      request.mutable_open()->mutable_allocate()->set_channel_id(id);
      request.mutable_open()->mutable_allocate()->mutable_ttl()->set_seconds(how / 64 * 10);
    } else if (action == 1) {
      request.mutable_open()->mutable_claim()->set_channel_id(id);
      request.mutable_open()->mutable_claim()->set_wait(how >= 128);
    } else if (action == 2) {
      request.mutable_open()->mutable_resume()->set_channel_id(id);
    } else if (action == 3) {
      request = Posting(how);
    } else if (action == 4) {
      request.mutable_ack()->set_number(how);
    } else if (action == 5) {
      request.mutable_close()->set_mood(static_cast<rendezvous::v1::Mood>(how % 8));
    } else if (action == 6) {
      request.mutable_heartbeat();
    }
    return request;
  }

  void Happen(uint8_t action, uint8_t how, Stream& stream) {
    switch (action) {
      case 8:
        stream.Detach();
        stream.sink = std::make_shared<CheckingSink>();
        stream.attachment = switchboard_->Attach(stream.sink, {});
        return;
      case 9:
        return stream.Detach();
      case 10:
        return stream.Stall(how * size_t{16'000});
      case 11:
        now_ += absl::Seconds(how);
        return Tick();
      case 12:
        return store_.set_away(how % 2 == 0);
      case 13:
        (void)(how % 8 == 0 ? store_.Fail() : store_.AnswerNewest());
        return;
      case 14:
        if (how == 0) return switchboard_->Drain();
        if (how == 1) return Restart();
        [[fallthrough]];
      default:
        for (int answers = how % 8; answers > 0 && store_.Answer(); --answers) {
        }
    }
  }

  void Tick() {
    switchboard_->Tick();
    store_.AnswerAll();
  }

  // A new process over what is stored.
  void Restart() {
    for (Stream& stream : streams_) stream.Detach();
    switchboard_ = *Switchboard::Create(
        {},
        {.wall_now = [this] { return absl::FromUnixSeconds(1'790'000'000) + now_; },
         .steady_now = [this] { return now_; },
         .random_below = [](uint32_t) { return uint32_t{0}; }},
        &store_);
  }

  absl::Duration now_;
  ManualStore store_;
  std::unique_ptr<Switchboard> switchboard_;
  std::array<Stream, 4> streams_;
};

}  // namespace
}  // namespace wormhole::relay

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wormhole::relay::World world;
  for (size_t i = 0; i + 1 < size; i += 2) world.Step(data[i], data[i + 1]);
  world.Finish();
  return 0;
}
