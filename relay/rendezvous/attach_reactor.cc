#include "relay/rendezvous/attach_reactor.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "proto/error/error_detail.h"
#include "relay/accept/peer_name.h"
#include "relay/admission/token_hash.h"
#include "relay/grpc/grpc_status.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

// What a response costs in the queue beside its bytes on the wire.
constexpr size_t kOverhead = 64;

std::optional<net::Address> AddressOf(const std::string& peer) {
  const std::optional<NamedPeer> named = ReadPeerName(peer);
  if (!named) return std::nullopt;
  return named->address;
}

// As the accept loop names it: without the zone that gRPC writes.
std::string ConnectionOf(const std::string& peer) {
  const std::optional<NamedPeer> named = ReadPeerName(peer);
  uint32_t port = 0;  // of five digits at most
  if (!named || !absl::SimpleAtoi(named->port, &port)) return peer;
  return PeerName(named->address, static_cast<uint16_t>(port));
}

// None when several came: which one counts would be up to whoever reads them.
std::optional<TokenHash> PresentedToken(const grpc::CallbackServerContext& context) {
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (first == last || std::next(first) != last) return std::nullopt;
  return HashOfBearer({first->second.data(), first->second.size()});
}

}  // namespace

AttachReactor* AttachReactor::Run(grpc::CallbackServerContext* context, std::string peer,
                                  Switchboard* switchboard, BacklogLimits limits,
                                  StreamObserver* observer, std::shared_ptr<LiveStreams> streams) {
  auto reactor = std::make_shared<AttachReactor>(context, std::move(peer), limits, observer,
                                                 std::move(streams));
  reactor->self_ = reactor;
  reactor->streams_->Enter(reactor->connection_);
  if (observer != nullptr) observer->OnStreamBegan(reactor->report_.peer);
  // Safe here: gRPC runs no reaction before Run has returned the reactor to it.
  reactor->attachment_ = switchboard->Attach(
      reactor, {.address = AddressOf(reactor->report_.peer), .token = PresentedToken(*context)});
  reactor->ReadMore();
  reactor->Flush();
  return reactor.get();
}

AttachReactor::AttachReactor(grpc::CallbackServerContext* context, std::string peer,
                             BacklogLimits limits, StreamObserver* observer,
                             std::shared_ptr<LiveStreams> streams)
    : context_(context),
      limits_(limits),
      observer_(observer),
      streams_(std::move(streams)),
      connection_(ConnectionOf(context->peer())) {
  report_.peer = std::move(peer);
}

void AttachReactor::Send(AttachResponse response) {
  const size_t bytes = response.ByteSizeLong() + kOverhead;
  sync::MutexLock lock(mutex_);
  if (ending_) return;
  queue_.push_back({std::move(response), bytes});
  queue_bytes_ += bytes;
}

void AttachReactor::End(absl::Status status) {
  sync::MutexLock lock(mutex_);
  if (!ending_) ending_ = std::move(status);
}

void AttachReactor::ReadMore() {
  sync::MutexLock lock(mutex_);
  read_wanted_ = true;
}

size_t AttachReactor::Backlog() const {
  sync::MutexLock lock(mutex_);
  const size_t backlog = queue_bytes_ + writing_bytes_;
  told_backlog_ = std::max(told_backlog_, backlog);
  return backlog;
}

bool AttachReactor::IsStuck() {
  sync::MutexLock lock(mutex_);
  stuck_ = seen_writing_ && writing_ && written_ == seen_written_;
  seen_writing_ = writing_;
  seen_written_ = written_;
  return stuck_;
}

bool AttachReactor::Crowded() const {
  return queue_.size() > limits_.responses || queue_bytes_ + writing_bytes_ > limits_.bytes;
}

void AttachReactor::Flush() {
  const auto next = [this] {
    mutex_.AssumeHeld();
    return NextAction();
  };
  start_loop_.Run(shared_from_this(), next, [this](Action action) { Start(action); });
}

std::optional<AttachReactor::Action> AttachReactor::NextAction() {
  if (finished_) return std::nullopt;
  if (!writing_ && !queue_.empty()) {
    writing_ = true;
    current_ = std::move(queue_.front().response);
    NoteResponse(current_);
    writing_bytes_ = queue_.front().bytes;
    queue_bytes_ -= writing_bytes_;
    queue_.pop_front();
    more_follows_ = !queue_.empty();
    return Action::kWrite;
  }
  if (ending_ && !writing_) {
    finished_ = true;
    return Action::kFinish;
  }
  if (ending_ && !ending_limited_) {
    ending_limited_ = true;
    return stuck_ ? Action::kCancel : Action::kLimitEnding;
  }
  if (cancel_wanted_) {
    cancel_wanted_ = false;
    return Action::kCancel;
  }
  if (read_wanted_ && !ending_ && !closing_ && !Crowded()) {
    read_wanted_ = false;
    return Action::kRead;
  }
  return std::nullopt;
}

void AttachReactor::Start(Action action) {
  switch (action) {
    case Action::kRead:
      StartRead(&read_buffer_);
      return;
    case Action::kWrite:
      StartNextWrite();
      return;
    case Action::kFinish:
      StartFinish();
      return;
    case Action::kLimitEnding:
      LimitEnding();
      return;
    case Action::kCancel:
      Cancel();
      return;
  }
}

void AttachReactor::StartNextWrite() {
  bool own_buffer = false;
  const grpc::Status serialized =
      grpc::SerializationTraits<AttachResponse>::Serialize(current_, &write_buffer_, &own_buffer);
  current_ = AttachResponse();
  GPR_ASSERT(serialized.ok());  // fails only for a message beyond 2 GiB
  // What follows at once goes into the same packet. Not with the first write: it carries the
  // stream's headers, and gRPC 1.51.1 never completes a write that holds both back.
  grpc::WriteOptions options;
  if (more_follows_ && headers_sent_) options.set_buffer_hint();
  headers_sent_ = true;
  StartWrite(&write_buffer_, options);
}

void AttachReactor::StartFinish() {
  absl::Status status;
  {
    sync::MutexLock lock(mutex_);
    status = *ending_;
  }
  Finish(ToGrpcStatus(status));
}

void AttachReactor::LimitEnding() {
  ending_alarm_ = std::make_unique<grpc::Alarm>();
  ending_alarm_->Set(std::chrono::system_clock::now() + limits_.ending_time,
                     [alive = shared_from_this()](bool fired) {
                       if (!fired) return;
                       {
                         sync::MutexLock lock(alive->mutex_);
                         alive->cancel_wanted_ = true;
                       }
                       alive->Flush();
                     });
}

void AttachReactor::Cancel() {
  grpc::Status status;
  {
    sync::MutexLock lock(mutex_);
    status = ToGrpcStatus(*ending_);
  }
  // Else as TryCancel, which has no word for why.
  if (status.ok()) status = grpc::Status(grpc::StatusCode::CANCELLED, "the client does not read");
  grpc_call_cancel_with_status(context_->c_call(),
                               static_cast<grpc_status_code>(status.error_code()),
                               status.error_message().c_str(), nullptr);
}

void AttachReactor::OnReadDone(bool ok) {
  if (ok) {
    if (observer_ != nullptr) observer_->OnRequest();
    Receive();
  } else {
    // The client's half has ended, or the whole stream. Either way the client can say nothing more.
    Leave(absl::OkStatus(), /*drop_queue=*/false);
  }
}

void AttachReactor::Receive() {
  AttachRequest request;
  const grpc::Status parsed =
      grpc::SerializationTraits<AttachRequest>::Deserialize(&read_buffer_, &request);
  read_buffer_.Clear();
  if (!parsed.ok()) {
    Leave(error::Make(error::ErrorDetail::REASON_MALFORMED,
                      "a request is not a wormhole.rendezvous.v1.AttachRequest; the client should "
                      "use the relay's .proto file",
                      {.field = "request"}),
          /*drop_queue=*/false);
    return;
  }
  NoteRequest(request);
  if (request.has_close()) {
    sync::MutexLock lock(mutex_);
    closing_ = true;
  }
  attachment_->Receive(std::move(request));
}

void AttachReactor::OnWriteDone(bool ok) {
  write_buffer_.Clear();
  if (!ok) {
    {
      sync::MutexLock lock(mutex_);
      writing_ = false;
    }
    Leave(absl::CancelledError("the stream is lost"), /*drop_queue=*/true);
    return;
  }
  if (observer_ != nullptr) observer_->OnResponse();
  bool drained = false;
  {
    sync::MutexLock lock(mutex_);
    writing_ = false;
    stuck_ = false;
    ++written_;
    writing_bytes_ = 0;
    drained = told_backlog_ > 0 && queue_bytes_ <= told_backlog_ / 2;
    if (drained) told_backlog_ = 0;
  }
  if (drained) attachment_->Drained();
  Flush();
}

void AttachReactor::OnCancel() {
  Leave(absl::CancelledError("the client cancelled"), /*drop_queue=*/true);
}

void AttachReactor::Leave(absl::Status status, bool drop_queue) {
  attachment_->Detach();
  {
    sync::MutexLock lock(mutex_);
    if (!ending_) ending_ = std::move(status);
    if (drop_queue) {
      queue_.clear();
      queue_bytes_ = 0;
    }
  }
  Flush();
}

void AttachReactor::OnDone() {
  attachment_->Detach();
  attachment_.reset();
  ending_alarm_.reset();
  const std::shared_ptr<AttachReactor> alive = std::move(self_);
  if (observer_ != nullptr) Report();
  streams_->Leave(connection_);
}

void AttachReactor::NoteRequest(const AttachRequest& request) {
  if (request.has_post()) {
    ++report_.posts;
    report_.post_bytes += request.post().frame().size();
  }
  if (request.has_close()) report_.mood = request.close().mood();
  if (!request.has_open() || report_.purpose != rendezvous::v1::Open::PURPOSE_NOT_SET) return;
  const rendezvous::v1::Open& open = request.open();
  report_.purpose = open.purpose_case();
  report_.app_id = open.app_id();
  report_.channel_id = open.has_allocate() ? open.allocate().channel_id()
                       : open.has_claim()  ? open.claim().channel_id()
                                           : open.resume().channel_id();
}

void AttachReactor::NoteResponse(const AttachResponse& response) {
  if (response.has_message()) ++messages_;
  if (!response.has_opened()) return;
  told_channel_ = response.opened().channel_id();
  told_attached_ = response.opened().state() == rendezvous::v1::Opened::STATE_ATTACHED;
}

void AttachReactor::Report() {
  {
    sync::MutexLock lock(mutex_);
    report_.opened = told_channel_ != 0;
    report_.attached = told_attached_;
    if (report_.opened) report_.channel_id = told_channel_;
    report_.messages = messages_;
    report_.status = ending_.value_or(absl::CancelledError("the stream is lost"));
  }
  // A read fails alike when the client's half ends and when the connection is cut; only IsCancelled
  // tells the two apart.
  if (report_.status.ok() && context_->IsCancelled()) {
    report_.status = absl::CancelledError("the client cancelled, or its connection is lost");
  }
  report_.lasted = absl::FromChrono(std::chrono::steady_clock::now() - began_);
  const auto trace = context_->client_metadata().find("traceparent");
  if (trace != context_->client_metadata().end()) {
    const size_t size = std::min(trace->second.size(), kMaxTraceparent);
    report_.traceparent = std::string(trace->second.data(), size);
  }
  observer_->OnStreamOver(report_);
}

}  // namespace wormhole::relay
