// Many clients with threads of their own over a store with a thread of its own: for the sanitizers,
// and for what must hold whatever the order of things.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/sync/mutex.h"
#include "relay/store/memory/memory_store.h"
#include "relay/switchboard/stream.h"
#include "relay/switchboard/switchboard.h"

namespace wormhole::relay {
namespace {

using error::ErrorDetail;
using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

constexpr uint64_t kFrames = 60;

std::string FrameOf(const std::string& author, uint64_t number) {
  return author + ":" + std::to_string(number) + std::string(number % 7 * 100, '.');
}

// A stream whose client waits for what comes.
class InboxSink final : public Sink {
 public:
  struct Event {
    std::optional<AttachResponse> response;  // neither: may send the next request
    std::optional<absl::Status> ended;
  };

  void Send(AttachResponse response) override {
    sync::MutexLock lock(mutex_);
    if (!ended_) inbox_.push_back({.response = std::move(response)});
  }
  void End(absl::Status status) override {
    sync::MutexLock lock(mutex_);
    if (!std::exchange(ended_, true)) inbox_.push_back({.ended = std::move(status)});
  }
  void ReadMore() override {
    sync::MutexLock lock(mutex_);
    inbox_.push_back({});
  }
  void Flush() override { changed_.NotifyAll(); }
  size_t Backlog() const override { return 0; }

  Event Next() {
    sync::MutexLock lock(mutex_);
    while (inbox_.empty()) changed_.Wait(mutex_);
    Event event = std::move(inbox_.front());
    inbox_.pop_front();
    return event;
  }

 private:
  sync::Mutex mutex_;
  sync::CondVar changed_;
  std::deque<Event> inbox_ WORMHOLE_GUARDED_BY(mutex_);
  bool ended_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

// One side of an exchange of kFrames frames each way, whose streams get lost at random.
class Client {
 public:
  Client(Switchboard& switchboard, std::string name, std::string peer, uint32_t seed)
      : switchboard_(switchboard), name_(std::move(name)), peer_(std::move(peer)), random_(seed) {}

  // Runs until this side has closed. `id` 0: the initiator, who tells `told_id`.
  void Run(uint32_t id, std::atomic<uint32_t>* told_id) {
    id_ = id;
    claims_ = id != 0;
    while (!done_) RunStream(told_id);
  }
  const std::string& failure() const { return failure_; }

 private:
  void RunStream(std::atomic<uint32_t>* told_id) {
    sink_ = std::make_shared<InboxSink>();
    attachment_ = switchboard_.Attach(sink_, {});
    may_send_ = opened_ = closing_ = false;
    int patience = 5 + static_cast<int>(random_() % 100);
    Open();
    while (!done_) {
      const InboxSink::Event event = sink_->Next();
      if (event.ended) {
        OnEnd(*event.ended);
        break;
      }
      if (!event.response) may_send_ = true;
      if (event.response) OnResponse(*event.response, told_id);
      if (--patience == 0 && opened_) break;
      if (may_send_ && opened_) SendNext();
    }
    attachment_->Detach();
  }

  void Open() {
    AttachRequest request;
    auto& open = *request.mutable_open();
    open.set_app_id("hammer.example");
    std::string token = name_;
    token.resize(32, '.');
    open.set_token(token);
    open.set_cursor(cursor_);
    if (id_ == 0) {
      open.mutable_allocate();
    } else if (claims_) {
      open.mutable_claim()->set_channel_id(id_);
    } else {
      open.mutable_resume()->set_channel_id(id_);
    }
    attachment_->Receive(std::move(request));
  }

  void OnResponse(const AttachResponse& response, std::atomic<uint32_t>* told_id) {
    if (response.has_opened()) {
      const auto& opened = response.opened();
      opened_ = true;
      claims_ = false;
      id_ = opened.channel_id();
      if (told_id != nullptr) {
        told_id->store(id_);
        told_id->notify_all();
      }
      if (opened.stored() < posted_) Fail("a posted frame is lost");
      posted_ = next_ = opened.stored();
      peer_cursor_ = opened.peer_cursor();
    } else if (response.has_message()) {
      const auto& message = response.message();
      if (message.number() != cursor_ + 1) Fail("a message out of order");
      if (message.frame() != FrameOf(peer_, message.number())) Fail("other bytes");
      cursor_ = message.number();
    } else if (response.has_posted()) {
      if (response.posted().number() > next_) Fail("posted what was not");
      posted_ = std::max(posted_, response.posted().number());
    } else if (response.has_peer_status()) {
      peer_cursor_ = response.peer_status().peer_cursor();
    }
  }

  void SendNext() {
    AttachRequest request;
    const bool drained = posted_ == kFrames && cursor_ == kFrames;
    if (closing_) return;
    if (next_ < kFrames && next_ - std::min(next_, peer_cursor_) < 8) {
      ++next_;
      request.mutable_post()->set_number(next_);
      request.mutable_post()->set_frame(FrameOf(name_, next_));
    } else if (acked_ < cursor_) {
      acked_ = cursor_;
      request.mutable_ack()->set_number(acked_);
    } else if (drained) {
      closing_ = true;
      request.mutable_close()->set_mood(rendezvous::v1::MOOD_HAPPY);
    } else {
      return;
    }
    may_send_ = false;
    attachment_->Receive(std::move(request));
  }

  void OnEnd(const absl::Status& status) {
    const bool drained = posted_ == kFrames && cursor_ == kFrames;
    const ErrorDetail::Reason reason = error::ReasonOf(status);
    if (status.ok() || (reason == ErrorDetail::REASON_CLOSED && drained)) {
      done_ = true;
    } else if (reason != ErrorDetail::REASON_SUPERSEDED) {
      Fail(status.ToString());
    }
  }

  void Fail(const std::string& what) {
    failure_ = name_ + ": " + what;
    done_ = true;
  }

  Switchboard& switchboard_;
  const std::string name_;
  const std::string peer_;
  std::mt19937 random_;
  std::shared_ptr<InboxSink> sink_;
  std::shared_ptr<Attachment> attachment_;
  uint32_t id_ = 0;
  bool claims_ = false;
  bool opened_ = false;
  bool may_send_ = false;
  bool closing_ = false;
  bool done_ = false;
  uint64_t next_ = 0;
  uint64_t posted_ = 0;
  uint64_t peer_cursor_ = 0;
  uint64_t cursor_ = 0;
  uint64_t acked_ = 0;
  std::string failure_;
};

// Knocks at whatever there is, over and over.
void Intrude(Switchboard& switchboard, const std::atomic<bool>& stop) {
  for (uint32_t n = 0; !stop; ++n) {
    auto sink = std::make_shared<InboxSink>();
    auto attachment = switchboard.Attach(sink, {});
    AttachRequest request;
    request.mutable_open()->set_app_id("hammer.example");
    request.mutable_open()->set_token(std::string(32, 'i'));
    request.mutable_open()->mutable_resume()->set_channel_id(1 + n % 20);
    attachment->Receive(std::move(request));
    while (!sink->Next().ended) {
    }
    attachment->Detach();
  }
}

SwitchboardEnvironment RealEnvironment() {
  return {
      .wall_now = [] { return absl::Now(); },
      .steady_now =
          [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); },
      .random_below =
          [](uint32_t bound) {
            static std::atomic<uint32_t> drawn = 0;
            return static_cast<uint32_t>((drawn++ * uint64_t{2654435761}) >> 7) % bound;
          },
  };
}

TEST(SwitchboardHammer, EverySideGetsThePeersLogInOrder) {
  constexpr int kPairs = 12;
  MemoryStore store;
  std::unique_ptr<Switchboard> switchboard =
      *Switchboard::Create(SwitchboardOptions(), RealEnvironment(), &store);
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::atomic<uint32_t>> ids(kPairs);
  std::vector<std::thread> threads;
  for (int pair = 0; pair < kPairs; ++pair) {
    const std::string anna = "anna" + std::to_string(pair);
    const std::string bert = "bert" + std::to_string(pair);
    clients.push_back(std::make_unique<Client>(*switchboard, anna, bert, 2 * pair));
    clients.push_back(std::make_unique<Client>(*switchboard, bert, anna, 2 * pair + 1));
    Client* initiator = clients[2 * pair].get();
    Client* receiver = clients[2 * pair + 1].get();
    std::atomic<uint32_t>* id = &ids[pair];
    threads.emplace_back([initiator, id] { initiator->Run(0, id); });
    threads.emplace_back([receiver, id] {
      id->wait(0);
      receiver->Run(id->load(), nullptr);
    });
  }
  std::atomic<bool> stop = false;
  std::thread intruder([&] { Intrude(*switchboard, stop); });
  std::thread ticker([&] {
    while (!stop) switchboard->Tick();
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  intruder.join();
  ticker.join();
  for (const auto& client : clients) EXPECT_EQ(client->failure(), "");
}

}  // namespace
}  // namespace wormhole::relay
