#include "tests/bench/raw_side.h"

#include <algorithm>
#include <utility>

#include "proto/wire/side.h"
#include "sodium.h"

namespace wormhole::bench {
namespace {

AttachRequest NewOpen() {
  AttachRequest request;
  request.mutable_open()->set_app_id(kAppId);
  std::string& token = *request.mutable_open()->mutable_token();
  token.resize(wire::kTokenBytes);
  randombytes_buf(token.data(), token.size());
  return request;
}

}  // namespace

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

AttachRequest OpenAllocate(uint32_t id) {
  AttachRequest request = NewOpen();
  request.mutable_open()->mutable_allocate()->set_channel_id(id);
  return request;
}

AttachRequest OpenClaim(uint32_t id) {
  AttachRequest request = NewOpen();
  request.mutable_open()->mutable_claim()->set_channel_id(id);
  return request;
}

std::shared_ptr<RawSide> RawSide::Start(const std::shared_ptr<grpc::Channel>& channel,
                                        AttachRequest open, OnResponse on_response, OnEnd on_end) {
  auto side = std::make_shared<RawSide>(channel, std::move(on_response), std::move(on_end));
  side->self_ = side;
  side->stub_.async()->Attach(&side->context_, side.get());
  side->AddHold();
  side->StartRead(&side->response_);
  side->Send(std::move(open));
  side->StartCall();
  return side;
}

RawSide::RawSide(const std::shared_ptr<grpc::Channel>& channel, OnResponse on_response,
                 OnEnd on_end)
    : stub_(channel), on_response_(std::move(on_response)), on_end_(std::move(on_end)) {}

void RawSide::Post(uint64_t number, std::string_view frame) {
  AttachRequest request;
  request.mutable_post()->set_number(number);
  request.mutable_post()->set_frame(frame.data(), frame.size());
  Send(std::move(request));
}

void RawSide::Ack(uint64_t number) {
  AttachRequest request;
  request.mutable_ack()->set_number(number);
  Send(std::move(request));
}

void RawSide::Close(rendezvous::v1::Mood mood) {
  AttachRequest request;
  request.mutable_close()->set_mood(mood);
  Send(std::move(request));
}

void RawSide::Send(AttachRequest request) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(std::move(request));
  }
  Advance(/*written=*/false, /*over=*/false);
}

void RawSide::Advance(bool written, bool over) {
  bool write = false;
  bool release = false;
  {
    const std::scoped_lock lock(mutex_);
    if (written) writing_ = false;
    over_ |= over;
    if (writing_) return;
    if (over_) {
      release = std::exchange(held_, false);
    } else if (const auto next = NextToWrite(); next != queue_.end()) {
      write = writing_ = true;
      ++traffic_.requests;
      current_ = std::move(*next);
      queue_.erase(next);
    }
  }
  if (write) StartWrite(&current_);
  if (release) RemoveHold();
}

std::list<AttachRequest>::iterator RawSide::NextToWrite() {
  if (queue_.empty() || !queue_.front().has_post() ||
      queue_.front().post().number() <= peer_cursor_ + window_frames_) {
    return queue_.begin();
  }
  return std::find_if(queue_.begin(), queue_.end(),
                      [](const AttachRequest& request) { return request.has_ack(); });
}

void RawSide::NoteWindow(const AttachResponse& response) {
  {
    const std::scoped_lock lock(mutex_);
    if (response.has_opened()) {
      peer_cursor_ = response.opened().peer_cursor();
      if (response.opened().has_limits()) {
        window_frames_ = response.opened().limits().window_frames();
      }
    }
    if (response.has_peer_status()) peer_cursor_ = response.peer_status().peer_cursor();
  }
  Advance(/*written=*/false, /*over=*/false);
}

void RawSide::OnReadDone(bool ok) {
  if (!ok) return Advance(/*written=*/false, /*over=*/true);
  ++traffic_.responses;
  if (response_.has_opened() || response_.has_peer_status()) NoteWindow(response_);
  on_response_(*this, response_);
  StartRead(&response_);
}

void RawSide::OnWriteDone(bool ok) { Advance(/*written=*/true, /*over=*/!ok); }

void RawSide::OnDone(const grpc::Status& status) {
  const OnEnd on_end = std::move(on_end_);
  const Traffic traffic = traffic_;
  self_.reset();  // this side may be gone now
  if (on_end) on_end(status, traffic);
}

}  // namespace wormhole::bench
