#include "tests/faults/recording_transport.h"

#include <unistd.h>

#include <atomic>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"
#include "proto/wire/side.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::faults {
namespace {

namespace v1 = rendezvous::v1;

constexpr size_t kNonceBytes = 24;

// Unique on this machine for as long as a test runs.
std::string NewStreamName() {
  static std::atomic<uint64_t> count = 0;
  return absl::StrCat(getpid(), ".", ++count);
}

std::string DescribeOpen(const v1::Open& open) {
  const char* kind = open.has_allocate() ? "allocate" : open.has_claim() ? "claim" : "resume";
  const std::string side = wire::SideFromToken(open.token()).value_or("");
  return absl::StrCat("open ", Hex(side), " ", kind, " ", open.cursor());
}

std::string DescribePost(const v1::Post& post) {
  std::string text = absl::StrCat("post ", post.number(), " ", HashOf(post.frame()));
  exchange::v1::ExchangeFrame frame;
  if (frame.ParseFromString(post.frame()) && frame.has_sealed()) {
    absl::StrAppend(&text, " ", Hex(frame.sealed().box().substr(0, kNonceBytes)));
  }
  return text;
}

// Empty: nothing that is worth a line.
std::string Describe(const v1::AttachRequest& request) {
  if (request.has_open()) return DescribeOpen(request.open());
  if (request.has_post()) return DescribePost(request.post());
  if (request.has_ack()) return absl::StrCat("ack ", request.ack().number());
  if (request.has_close()) return absl::StrCat("close ", request.close().mood());
  return "";
}

std::string DescribeOpened(const v1::Opened& opened) {
  if (opened.state() != v1::Opened::STATE_ATTACHED) return "";
  // The time of expiry tells two channels with one id apart.
  return absl::StrCat("opened ", opened.channel_id(), "/", opened.expires_at().seconds(), ".",
                      opened.expires_at().nanos(), " ", opened.stored(), " ", opened.peer_stored(),
                      " ", opened.peer_forgotten());
}

std::string Describe(const v1::AttachResponse& response) {
  if (response.has_opened()) return DescribeOpened(response.opened());
  if (response.has_posted()) return absl::StrCat("posted ", response.posted().number());
  if (response.has_message()) {
    const v1::Message& message = response.message();
    return absl::StrCat("message ", message.number(), " ", HashOf(message.frame()));
  }
  return "";
}

class RecordedStream final : public Stream, public StreamListener {
 public:
  RecordedStream(std::shared_ptr<EventLog> log, std::shared_ptr<const StepHooks> hooks,
                 std::shared_ptr<StreamListener> listener)
      : log_(std::move(log)), hooks_(std::move(hooks)), listener_(std::move(listener)) {}

  void Wrap(std::shared_ptr<Stream> stream) { stream_ = std::move(stream); }

  void Send(v1::AttachRequest request) override {
    const std::string text = Describe(request);
    if (!text.empty() && hooks_->before_send) hooks_->before_send();
    Add(text);
    stream_->Send(std::move(request));
    if (!text.empty() && hooks_->after_send) hooks_->after_send();
  }
  void ReadMore() override { stream_->ReadMore(); }
  void Abandon() override { stream_->Abandon(); }

  void OnResponse(v1::AttachResponse response) override {
    const std::string text = Describe(response);
    Add(text);
    if (!text.empty() && hooks_->before_response) hooks_->before_response();
    listener_->OnResponse(std::move(response));
  }
  void OnEnd(absl::Status status) override {
    Add(absl::StrCat("end ", static_cast<int>(status.code()), " ",
                     static_cast<int>(error::ReasonOf(status))));
    listener_->OnEnd(std::move(status));
  }

 private:
  void Add(const std::string& text) {
    if (!text.empty()) log_->Add(absl::StrCat("wire ", name_, " ", text));
  }

  const std::shared_ptr<EventLog> log_;
  const std::string name_ = NewStreamName();
  const std::shared_ptr<const StepHooks> hooks_;
  const std::shared_ptr<StreamListener> listener_;
  std::shared_ptr<Stream> stream_;
};

}  // namespace

RecordingTransport::RecordingTransport(std::shared_ptr<EventLog> log, StepHooks hooks)
    : log_(std::move(log)), hooks_(std::make_shared<const StepHooks>(std::move(hooks))) {}

std::shared_ptr<Stream> RecordingTransport::Open(const StreamTarget& target,
                                                 std::shared_ptr<StreamListener> listener) {
  auto recorded = std::make_shared<RecordedStream>(log_, hooks_, std::move(listener));
  recorded->Wrap(grpc_.Open(target, recorded));
  return recorded;
}

}  // namespace wormhole::faults
