// Streams without a network, for tests of the switchboard.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TESTING_SWITCHBOARD_HARNESS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TESTING_SWITCHBOARD_HARNESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"
#include "relay/switchboard/testing/manual_store.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::relay {

inline constexpr char kApp[] = "example.com/app1";

// A response and an ending in few words, e.g. "message(1 abc)", "peer(attached cursor=2 third=0)",
// "NOT_FOUND CLOSED MOOD_SCARY".
std::string Describe(const rendezvous::v1::AttachResponse& response);
std::string Describe(const absl::Status& status);

// What the switchboard told its observer: "allocated(4)", "closed(4 MOOD_HAPPY)", ... Of the app
// kApp the app-id is left out.
class NotedEvents final : public SwitchboardObserver {
 public:
  void OnEvent(const ChannelEvent& event) override;
  void OnFrame(const std::string& app_id, size_t bytes) override;

  // Since the last look, joined by spaces.
  std::string Heard() { return std::exchange(heard_, std::string()); }

 private:
  std::string heard_;
};

// The side that belongs to a client's name.
std::string SideOf(const std::string& name);

class FakeSink final : public Sink {
 public:
  void Send(rendezvous::v1::AttachResponse response) override;
  void End(absl::Status status) override;
  void ReadMore() override;
  void Flush() override { flushed_ = true; }
  size_t Backlog() const override { return backlog_; }
  bool IsStuck() override { return stuck_; }

  std::vector<rendezvous::v1::AttachResponse> sent_;
  std::optional<absl::Status> ended_;
  int reads_ = 0;
  size_t backlog_ = 0;
  bool stuck_ = false;
  bool flushed_ = true;
  bool detached_ = false;
};

// One stream of the client `name`, whose token is made of it.
class TestStream {
 public:
  TestStream(Switchboard& switchboard, std::string name, StreamOrigin origin = {})
      : name_(std::move(name)), attachment_(switchboard.Attach(sink_, origin)) {}
  ~TestStream() { Detach(); }

  TestStream& InApp(std::string app_id);  // kApp otherwise
  TestStream& Allocate(uint32_t id = 0, absl::Duration ttl = absl::ZeroDuration(),
                       uint32_t min_digits = 0);
  TestStream& Claim(uint32_t id, uint64_t cursor = 0);
  TestStream& Wait(uint32_t id, uint64_t cursor = 0);
  TestStream& Resume(uint32_t id, uint64_t cursor = 0);
  TestStream& Post(uint64_t number, const std::string& frame);
  TestStream& Ack(uint64_t number);
  TestStream& Close(rendezvous::v1::Mood mood);
  TestStream& Heartbeat();
  TestStream& Send(rendezvous::v1::AttachRequest request);
  void Detach();
  // The client reads what was sent.
  void Read(size_t backlog = 0);
  void Stall(size_t backlog) { sink_->backlog_ = backlog; }
  void Stick(bool stuck) { sink_->stuck_ = stuck; }

  // What came since the last look, described and joined by spaces.
  std::string Heard();
  // How the stream ended; "" while it lasts.
  std::string Ended() const { return sink_->ended_ ? Describe(*sink_->ended_) : ""; }
  const absl::Status& status() const { return *sink_->ended_; }
  const rendezvous::v1::AttachResponse& last() const { return sink_->sent_.back(); }
  // Whether the next request may come.
  bool reads() const { return sink_->reads_ > 0; }
  // The id in the last Opened.
  uint32_t id() const;

 private:
  rendezvous::v1::AttachRequest Opening(uint64_t cursor) const;

  const std::string name_;
  std::string app_id_ = kApp;
  const std::shared_ptr<FakeSink> sink_ = std::make_shared<FakeSink>();
  const std::shared_ptr<Attachment> attachment_;
  size_t heard_ = 0;
};

class SwitchboardTest : public testing::Test {
 protected:
  SwitchboardTest() { Restart(); }

  // A new process over what is stored.
  void Restart();
  std::unique_ptr<TestStream> Stream(const std::string& name) {
    return std::make_unique<TestStream>(*switchboard_, name);
  }
  // Answers everything that the store was asked, and what follows from it.
  void Settle() { store_.AnswerAll(); }
  void Pass(absl::Duration time) { now_ += time; }
  void Tick() {
    switchboard_->Tick();
    Settle();
  }
  std::optional<ChannelSnapshot> Stored(uint32_t id) {
    return store_.contents().Load({.app_id = kApp, .id = id});
  }
  // Anna has allocated a channel, whose id is returned, and Bert has claimed it; both have heard
  // so.
  uint32_t Pair(TestStream& anna, TestStream& bert);

  // The ids, with their apps unless that is kApp, that ListChannels gives, page by page.
  std::string Listed(const std::string& app_id, size_t page);

  SwitchboardOptions options_;
  std::unique_ptr<Admission> admission_;
  const TokenJudge* token_judge_ = nullptr;
  NotedEvents events_;
  absl::Duration now_ = absl::Hours(1'000'000);
  std::mt19937 random_{1};
  ManualStore store_;
  std::unique_ptr<Switchboard> switchboard_;
};

// Begins with Anna and Bert attached to a channel that Anna has allocated.
class SwitchboardPairTest : public SwitchboardTest {
 protected:
  SwitchboardPairTest() { StartPair(); }

  void StartPair() {
    anna_ = Stream("anna");
    bert_ = Stream("bert");
    id_ = Pair(*anna_, *bert_);
  }
  std::unique_ptr<TestStream> Again(const std::string& name, uint64_t cursor = 0) {
    auto stream = Stream(name);
    stream->Resume(id_, cursor);
    return stream;
  }
  ChannelKey key() const { return {.app_id = kApp, .id = id_}; }
  std::string Opened(const std::string& rest) const {
    return "opened(" + std::to_string(id_) + " " + rest + ")";
  }

  std::unique_ptr<TestStream> anna_;
  std::unique_ptr<TestStream> bert_;
  uint32_t id_ = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TESTING_SWITCHBOARD_HARNESS_H_
