#include "relay/grpc/call_limit.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "grpc/grpc.h"
#include "grpcpp/support/status.h"

namespace wormhole::relay {

void CallLimit::Place::NoteAbandoned() {
  if (limit_->gate_ != nullptr) limit_->gate_->NoteAbandoned(client_);
}

CallLimit::Call::Call(grpc_call* call) : call_(call) { grpc_call_ref(call_); }

CallLimit::Call::~Call() { grpc_call_unref(call_); }

void CallLimit::Call::Cut(grpc::StatusCode code, const std::string& why) const {
  grpc_call_cancel_with_status(call_, static_cast<grpc_status_code>(code), why.c_str(), nullptr);
}

std::unique_ptr<CallLimit::Place> CallLimit::Enter(grpc::CallbackServerContext& context,
                                                   absl::Duration now) {
  auto call = std::make_shared<Call>(context.c_call());
  const Admission::Client client = gate_ == nullptr ? std::nullopt : gate_->ClientOf(context);
  const absl::Status passes = gate_ == nullptr ? absl::OkStatus() : gate_->Pass(client);
  if (!passes.ok()) {
    call->Cut(grpc::StatusCode::RESOURCE_EXHAUSTED, std::string(passes.message()));
    call = nullptr;
  }
  std::shared_ptr<Call> oldest;
  uint64_t number = 0;
  {
    sync::MutexLock lock(mutex_);
    number = next_++;
    if (call != nullptr) calls_.emplace(number, Begun{.call = std::move(call), .at = now});
    if (calls_.size() > most_) oldest = std::move(calls_.extract(calls_.begin()).mapped().call);
  }
  if (oldest != nullptr) {
    oldest->Cut(grpc::StatusCode::RESOURCE_EXHAUSTED,
                "too many calls of this kind at this port: the oldest gives way to the newest");
  }
  return std::make_unique<Place>(this, number, client);
}

void CallLimit::CutLate(absl::Duration now) {
  for (const std::shared_ptr<Call>& late : TakeBegunBy(now - deadline_)) {
    late->Cut(grpc::StatusCode::DEADLINE_EXCEEDED, "no call of this kind may last so long here");
  }
}

void CallLimit::CutAll() {
  for (const std::shared_ptr<Call>& call : TakeBegunBy(absl::InfiniteDuration())) {
    call->Cut(grpc::StatusCode::UNAVAILABLE, "the relay is stopping");
  }
}

std::vector<std::shared_ptr<CallLimit::Call>> CallLimit::TakeBegunBy(absl::Duration then) {
  std::vector<std::shared_ptr<Call>> taken;
  sync::MutexLock lock(mutex_);
  while (!calls_.empty() && calls_.begin()->second.at <= then) {
    taken.push_back(std::move(calls_.extract(calls_.begin()).mapped().call));
  }
  return taken;
}

void CallLimit::Leave(uint64_t number) {
  std::shared_ptr<Call> over;  // gRPC's call may go with it, without the lock
  sync::MutexLock lock(mutex_);
  const auto found = calls_.find(number);
  if (found == calls_.end()) return;
  over = std::move(found->second.call);
  calls_.erase(found);
}

}  // namespace wormhole::relay
