#include "relay/grpc/call_gate.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "relay/accept/peer_name.h"
#include "relay/admission/refusal.h"

namespace wormhole::relay {
namespace {

absl::Status Told(const Refused& refused) {
  const absl::Duration wait =
      std::max(absl::Ceil(refused.wait, absl::Seconds(1)), absl::Seconds(1));
  return absl::ResourceExhaustedError(
      absl::StrCat("this relay does not take the call now (", std::string(RefusalName(refused.why)),
                   "); call again in ", absl::FormatDuration(wait)));
}

}  // namespace

CallGate::Place::~Place() {
  Admission& admission = *gate_->admission_;
  const absl::Duration now = gate_->steady_now_();
  stay_ == Stay::kLong ? admission.Leave(client_, now) : admission.LeaveBriefly(client_, now);
}

void CallGate::Place::NoteAbandoned() { gate_->NoteAbandoned(client_); }

void CallGate::NoteAbandoned(const Admission::Client& client) {
  admission_->NoteAbandoned(client, steady_now_());
}

absl::Status CallGate::Pass(const Admission::Client& client) {
  const std::optional<Refused> refused = admission_->Call(client, steady_now_());
  return refused ? Told(*refused) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CallGate::Place>> CallGate::Enter(
    const grpc::ServerContextBase& context, Stay stay) {
  const Admission::Client client = ClientOf(context);
  const absl::Duration now = steady_now_();
  const std::optional<Refused> refused =
      stay == Stay::kLong ? admission_->Enter(client, now) : admission_->EnterBriefly(client, now);
  if (refused) return Told(*refused);
  return std::make_unique<Place>(this, client, stay);
}

Admission::Client CallGate::ClientOf(const grpc::ServerContextBase& context) const {
  const std::optional<NamedPeer> named = ReadPeerName(names_->Of(context.peer()));
  if (!named) return std::nullopt;
  return named->address;
}

}  // namespace wormhole::relay
