// Calls that somebody can make last: those that watch, and those whose answer is not read.
#ifndef WORMHOLE_RELAY_GRPC_CALL_LIMIT_H_
#define WORMHOLE_RELAY_GRPC_CALL_LIMIT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "proto/sync/mutex.h"
#include "relay/admission/admission.h"
#include "relay/grpc/call_gate.h"

struct grpc_call;

namespace wormhole::relay {

// There are so many at a time, and each has a deadline: the oldest gives way to the newest, so that
// whoever holds calls keeps nobody out, and what they hold of memory is bounded. gRPC's own limit
// on streams does not: it counts from when a client has acknowledged it, which no client has to do.
//
// Thread-safe. A call that is cut ends with RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, or UNAVAILABLE.
class CallLimit {
 public:
  // A call's, which has to be gone when gRPC's OnDone returns: until then gRPC keeps the call, and
  // with it an answer that was not read. Outlived by the limit.
  class Place {
   public:
    Place(CallLimit* limit, uint64_t number, Admission::Client client)
        : limit_(limit), number_(number), client_(client) {}
    ~Place() { limit_->Leave(number_); }

    // The call is over, and its client has not said what it wanted.
    void NoteAbandoned();

    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    CallLimit* const limit_;
    const uint64_t number_;
    const Admission::Client client_;  // where there is a gate
  };

  // `gate` counts the calls of each client, and outlives this. Null: as many as like.
  explicit CallLimit(size_t most, absl::Duration deadline = absl::InfiniteDuration(),
                     CallGate* gate = nullptr)
      : most_(most), deadline_(deadline), gate_(gate) {}

  CallLimit(const CallLimit&) = delete;
  CallLimit& operator=(const CallLimit&) = delete;

  // A call begins; it is cut at once if the gate does not let it pass. `now` is of any clock that
  // never goes back.
  std::unique_ptr<Place> Enter(grpc::CallbackServerContext& context, absl::Duration now)
      WORMHOLE_EXCLUDES(mutex_);

  // Cuts those whose time is over.
  void CutLate(absl::Duration now) WORMHOLE_EXCLUDES(mutex_);
  // Cuts those that there are, since the port closes.
  void CutAll() WORMHOLE_EXCLUDES(mutex_);

 private:
  // Keeps gRPC's call, so that it can be cut without a lock: to cut it may run its reactions.
  class Call {
   public:
    explicit Call(grpc_call* call);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    void Cut(grpc::StatusCode code, const std::string& why) const;

   private:
    grpc_call* const call_;
  };
  struct Begun {
    std::shared_ptr<Call> call;
    absl::Duration at;
  };

  // Those that began by then; they do not count any more.
  std::vector<std::shared_ptr<Call>> TakeBegunBy(absl::Duration then) WORMHOLE_EXCLUDES(mutex_);
  void Leave(uint64_t number) WORMHOLE_EXCLUDES(mutex_);

  const size_t most_;
  const absl::Duration deadline_;
  CallGate* const gate_;
  sync::Mutex mutex_;
  uint64_t next_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Begun> calls_ WORMHOLE_GUARDED_BY(mutex_);  // without those that were cut
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_GRPC_CALL_LIMIT_H_
