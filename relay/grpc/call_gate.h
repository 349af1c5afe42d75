// Calls other than Attach: each counts for its client as a stream does.
#ifndef WORMHOLE_RELAY_GRPC_CALL_GATE_H_
#define WORMHOLE_RELAY_GRPC_CALL_GATE_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "relay/accept/client_names.h"
#include "relay/admission/admission.h"

namespace wormhole::relay {

// Thread-safe. A refusal is RESOURCE_EXHAUSTED, and says when to come back.
class CallGate {
 public:
  // How long a call stays: for long, or until its request is here and answered.
  enum class Stay { kLong, kBrief };

  // A call that stays has one, which is given back with this object. Outlived by the gate.
  class Place {
   public:
    Place(CallGate* gate, Admission::Client client, Stay stay)
        : gate_(gate), client_(client), stay_(stay) {}
    ~Place();

    // The call is over, and its client has not said what it wanted.
    void NoteAbandoned();

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    CallGate* const gate_;
    const Admission::Client client_;
    const Stay stay_;
  };

  // `admission` and `names`, which has the clients of proxies, outlive the gate. `steady_now` is
  // the clock of all who call `admission`.
  CallGate(Admission* admission, const ClientNames* names,
           std::function<absl::Duration()> steady_now)
      : admission_(admission), names_(names), steady_now_(std::move(steady_now)) {}

  CallGate(const CallGate&) = delete;
  CallGate& operator=(const CallGate&) = delete;

  // Whose call it is, as long as it is there.
  Admission::Client ClientOf(const grpc::ServerContextBase& context) const;

  // A call that is answered at once.
  absl::Status Pass(const Admission::Client& client);
  // A call that passed, or was refused, is over, and its client has not said what it wanted.
  void NoteAbandoned(const Admission::Client& client);

  // A call that stays.
  absl::StatusOr<std::unique_ptr<Place>> Enter(const grpc::ServerContextBase& context, Stay stay);

 private:
  Admission* const admission_;
  const ClientNames* const names_;
  const std::function<absl::Duration()> steady_now_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_CALL_GATE_H_
