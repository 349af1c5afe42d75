// One side of an exchange, as a state machine (proto/PROTOCOL.md sections 4 to 7).
//
// Pure: no I/O, clock, threads or global randomness. A driver hands it events with the time, and
// carries out the effects it returns, in their order. The driver that ships is
// client/engine/party_driver.h, the simulation has another.
#ifndef WORMHOLE_CLIENT_CORE_EXCHANGE_H_
#define WORMHOLE_CLIENT_CORE_EXCHANGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/core/exchange_config.h"
#include "client/core/random_source.h"
#include "client/pake/role.h"
#include "client/pake/secret_view.h"
#include "wormhole/progress.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::core {

// The two clocks. Within a process `steady` counts; `wall` is what a saved deadline means.
struct Instant {
  absl::Time wall;
  absl::Duration steady;  // from any fixed point
};

// --- Events ---------------------------------------------------------------------------------

struct Start {};  // once, first; also after a restore
struct Wake {};   // NextWake() has come
struct Received {
  rendezvous::v1::AttachResponse response;
};
// The stream that the last OpenStream asked for has ended by itself, OK or not; with an
// ErrorDetail payload (proto/error) if the relay gave one. The driver must not hand in `Received`
// and `Ended` of an older stream.
struct Ended {
  absl::Status status;
};
// What was saved last stays good: the exchange stops where it is and closes nothing.
struct SaveFailed {
  absl::Status status;
};
struct Cancel {};  // a finished exchange tries its Close for five more seconds at most
struct AcceptVerifier {
  bool accepted = false;
};

using Event = std::variant<Start, Wake, Received, Ended, SaveFailed, Cancel, AcceptVerifier>;

// --- Effects --------------------------------------------------------------------------------

// Save this before carrying out what follows. If that fails: drop the effects that follow and hand
// in SaveFailed. A driver without a save hook ignores it. The content is what Serialize() returns.
struct Save {
  std::string state;
};
// Give up the present stream, if any, and open a new one that begins with this request.
struct OpenStream {
  rendezvous::v1::AttachRequest open;
};
struct Send {
  rendezvous::v1::AttachRequest request;
};
// Give up the present stream. No event follows from it.
struct DropStream {
  // Nothing came on it for too long: its connection may be dead without this machine knowing, and
  // the next stream would wait there for as long again.
  bool silent = false;
};
struct CodeReady {
  std::string code;
};
// The key is confirmed. 32 bytes to compare, as eight words of the list with spaces.
struct VerifierReady {
  std::string words;
};
// The exchange is finished: own data is stored by the relay, the peer's is here and has been saved.
// Once in a process. A restored exchange that had finished tells it again, also when it had been
// closed: a crash may have kept it from the application, so that telling twice is the safe side.
struct DataReady {
  std::string data;
};
// The exchange failed. Nothing of the above follows, except for what closes the channel. A restored
// exchange that had failed tells it again.
struct Failed {
  absl::Status status;
};
// Nothing will ever happen again: the channel was closed, or the tries to close it are over.
struct Over {
  bool nothing_to_tell =
      false;  // no channel was joined, so that the relay need not hear of the end
};

// ProgressEvent: for people. No secrets.
using Effect = std::variant<Save, OpenStream, Send, DropStream, CodeReady, VerifierReady, DataReady,
                            Failed, ProgressEvent, Over>;

// ExchangeMachine is the one that ships. An interface all the same: the tests of the driver hand it
// an Exchange that follows a script, and so reach what the machine does once in a million runs.
class Exchange {
 public:
  // INVALID_ARGUMENT (kInvalidArgument) with what to change, or RESOURCE_EXHAUSTED (kInternal) when
  // there is no memory for secrets. Draws everything that is random. `saves`: whether the driver
  // has a save hook; without one no Save is made. `random` is used by Step too (jitter) and
  // outlives the exchange.
  static absl::StatusOr<std::unique_ptr<Exchange>> Create(ExchangeConfig config, bool saves,
                                                          RandomSource* random);
  // From what Serialize() returned; hostile input. INVALID_ARGUMENT for what is not such a state,
  // FAILED_PRECONDITION for a burnt one (kWrongCode) or a format that is newer than this build
  // (kStaleState). A first Save precedes its first Open: this driver's hook has not seen the state.
  // `relay`, when not empty, takes the place of the saved one.
  static absl::StatusOr<std::unique_ptr<Exchange>> Restore(std::string_view state, bool saves,
                                                           std::string_view relay,
                                                           RandomSource* random);
  virtual ~Exchange() = default;

  virtual std::vector<Effect> Step(Event event, Instant now) = 0;

  // When to hand in Wake, on the steady clock; nothing: this needs no Wake.
  virtual std::optional<absl::Duration> NextWake() const = 0;

  // Printable JSON, a secret (section 7). Legal in every state.
  virtual std::string Serialize() const = 0;

  // After VerifierReady; FAILED_PRECONDITION before.
  virtual absl::StatusOr<std::string> Verifier() const = 0;
  // Fills all of `out`, 16 to 16,320 bytes. FAILED_PRECONDITION before VerifierReady or after a
  // failure.
  virtual absl::Status DeriveKey(std::string_view purpose, pake::SecretSpan out) const = 0;

  virtual const std::string& relay() const = 0;
  virtual pake::Role role() const = 0;
  // Whether AcceptVerifier counts: the exchange was made with confirm_verifier.
  virtual bool asks_for_verifier() const = 0;
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_EXCHANGE_H_
