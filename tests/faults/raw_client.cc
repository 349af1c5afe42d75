#include "tests/faults/raw_client.h"

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"
#include "tests/faults/recording_transport.h"

namespace wormhole::faults {
namespace {

namespace v1 = rendezvous::v1;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRetry(200);
constexpr std::chrono::seconds kBeat(5);

// What a stream said, for the thread of its side.
class Inbox final : public StreamListener {
 public:
  using Item = std::variant<v1::AttachResponse, absl::Status>;

  void OnResponse(v1::AttachResponse response) override { Put(std::move(response)); }
  void OnEnd(absl::Status status) override { Put(std::move(status)); }

  std::optional<Item> Take(Clock::time_point end) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, end, [this] { return !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  void Put(Item item) {
    const std::scoped_lock lock(mutex_);
    items_.push_back(std::move(item));
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
};

class RawClient {
 public:
  RawClient(const RawPairPlan& plan, bool receiver, const std::shared_ptr<EventLog>& log)
      : plan_(plan), receiver_(receiver), log_(log), transport_(log), token_(32, '\0') {
    randombytes_buf(token_.data(), token_.size());
  }

  // `on_joined` hears the channel's id once. A receiver is given it.
  void Run(uint32_t id, Clock::time_point end, const std::function<void(uint32_t)>& on_joined) {
    id_ = id;
    Note("started " + HashOf(AllOf(receiver_)));
    while (!over_ && Clock::now() < end) {
      Open();
      while (stream_ != nullptr && Clock::now() < end) Turn(on_joined);
      if (!over_) std::this_thread::sleep_for(kRetry);
    }
    if (stream_ != nullptr) stream_->Abandon();
    if (complete()) Note("got " + HashOf(heard_));
  }

 private:
  std::string FrameOf(bool receiver, uint64_t number) const {
    std::string frame = absl::StrCat(plan_.name, receiver ? "r" : "i", number, "/");
    frame.resize(std::max(frame.size(), plan_.frame_bytes), '.');
    return frame;
  }
  // What stands for everything that a side says.
  std::string AllOf(bool receiver) const {
    std::string all;
    for (uint64_t n = 1; n <= plan_.frames; ++n) all += HashOf(FrameOf(receiver, n));
    return all;
  }
  bool complete() const { return durable_ == plan_.frames && cursor_ == plan_.frames; }
  void Note(const std::string& what) {
    log_->Add(absl::StrCat("app ", plan_.name, receiver_ ? " r " : " i ", what));
  }

  void Open() {
    v1::AttachRequest request;
    v1::Open& open = *request.mutable_open();
    open.set_app_id("example.com/talk");
    open.set_token(token_);
    open.set_cursor(cursor_);
    if (joined_) {
      open.mutable_resume()->set_channel_id(id_);
    } else if (receiver_) {
      open.mutable_claim()->set_channel_id(id_);
    } else {
      open.mutable_allocate()->mutable_ttl()->set_seconds(24 * 3600);
    }
    inbox_ = std::make_shared<Inbox>();
    opened_ = closing_ = false;
    StreamTarget target;
    target.relay = plan_.relay;
    target.security = Security::kPlaintext;
    stream_ = transport_.Open(target, inbox_);
    stream_->Send(std::move(request));
    next_beat_ = Clock::now() + kBeat;
  }

  // One event or one post.
  void Turn(const std::function<void(uint32_t)>& on_joined) {
    std::optional<Inbox::Item> item = inbox_->Take(PostIsDue() ? next_post_ : next_beat_);
    if (!item.has_value()) {
      if (Clock::now() >= next_beat_) Beat();
    } else if (const auto* status = std::get_if<absl::Status>(&*item)) {
      return OnEnd(*status);
    } else {
      const auto& response = std::get<v1::AttachResponse>(*item);
      if (response.has_opened()) OnOpened(response.opened(), on_joined);
      if (response.has_message()) OnMessage(response.message());
      if (response.has_posted()) durable_ = std::max(durable_, response.posted().number());
      if (response.has_peer_status()) peer_cursor_ = response.peer_status().peer_cursor();
      stream_->ReadMore();
    }
    Advance();
  }

  void OnOpened(const v1::Opened& opened, const std::function<void(uint32_t)>& on_joined) {
    opened_ = true;
    id_ = opened.channel_id();
    sent_ = opened.stored();
    durable_ = std::max(durable_, opened.stored());
    peer_cursor_ = opened.peer_cursor();
    limits_ = opened.limits();
    if (!std::exchange(joined_, true)) on_joined(id_);
  }

  void OnMessage(const v1::Message& message) {
    if (message.number() != cursor_ + 1) return;  // the checker sees what is wrong with it
    cursor_ = message.number();
    heard_ += HashOf(message.frame());
    if (cursor_ % 2 == 0 || cursor_ == plan_.frames) {
      v1::AttachRequest request;
      request.mutable_ack()->set_number(cursor_);
      stream_->Send(std::move(request));
    }
  }

  void OnEnd(const absl::Status& status) {
    stream_.reset();
    const error::Reason reason = error::ReasonOf(status);
    over_ = closed_ && (status.ok() || reason == error::ErrorDetail::REASON_CLOSED ||
                        reason == error::ErrorDetail::REASON_NEVER_ALLOCATED);
  }

  bool PostIsDue() const {
    if (!opened_ || closing_ || sent_ == plan_.frames) return false;
    const uint64_t open = sent_ + 1 > peer_cursor_ ? sent_ + 1 - peer_cursor_ : 0;
    return open <= limits_.window_frames() &&
           open * FrameOf(receiver_, sent_ + 1).size() <= limits_.window_bytes();
  }

  void Advance() {
    while (PostIsDue() && Clock::now() >= next_post_) {
      v1::AttachRequest request;
      request.mutable_post()->set_number(++sent_);
      request.mutable_post()->set_frame(FrameOf(receiver_, sent_));
      stream_->Send(std::move(request));
      next_post_ = Clock::now() + absl::ToChronoNanoseconds(plan_.pause);
    }
    if (!opened_ || closing_ || !complete()) return;
    closing_ = closed_ = true;
    v1::AttachRequest request;
    request.mutable_close()->set_mood(v1::MOOD_HAPPY);
    stream_->Send(std::move(request));
  }

  void Beat() {
    v1::AttachRequest request;
    request.mutable_heartbeat();
    stream_->Send(std::move(request));
    next_beat_ = Clock::now() + kBeat;
  }

  const RawPairPlan& plan_;
  const bool receiver_;
  const std::shared_ptr<EventLog> log_;
  RecordingTransport transport_;
  std::string token_;
  uint32_t id_ = 0;
  bool joined_ = false;
  bool closed_ = false;  // on this stream or one before
  bool over_ = false;
  uint64_t durable_ = 0;  // own frames that are posted
  uint64_t cursor_ = 0;   // the peer's that were taken
  std::string heard_;     // their hashes

  // Of the present stream.
  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<Stream> stream_;
  bool opened_ = false;
  bool closing_ = false;
  uint64_t sent_ = 0;
  uint64_t peer_cursor_ = 0;
  v1::Limits limits_;
  Clock::time_point next_beat_;
  Clock::time_point next_post_;
};

}  // namespace

void RunRawPair(const RawPairPlan& plan, absl::Duration limit,
                const std::shared_ptr<EventLog>& initiators,
                const std::shared_ptr<EventLog>& receivers) {
  const Clock::time_point end = Clock::now() + absl::ToChronoNanoseconds(limit);
  std::promise<uint32_t> joined;
  std::future<uint32_t> id = joined.get_future();
  std::jthread initiator([&] {
    RawClient(plan, false, initiators).Run(0, end, [&](uint32_t joined_id) {
      joined.set_value(joined_id);
    });
  });
  if (id.wait_until(end) != std::future_status::ready) return;
  RawClient(plan, true, receivers).Run(id.get(), end, [](uint32_t) {});
}

}  // namespace wormhole::faults
