// wormhole-sync: two programs that share a short invitation code find each other through a relay,
// agree on a key that the relay cannot know, and exchange a small encrypted message.
//
//     wormhole::Options options;
//     options.app_id = "example.com/app1";
//     auto initiator = wormhole::Initiator::Create(options, "hello");  // an absl::StatusOr
//     absl::StatusOr<std::string> code = initiator->GetCode();         // "4-purple-sausages"
//     absl::StatusOr<std::string> theirs = initiator->GetData();
//
// Thread safety: every object here may be used from any thread, except that it must not be
// destroyed or moved while another thread is inside a call on it. Options are plain values.
//
// Background threads: a Client has a few of its own (see ClientOptions). Callbacks run on them,
// once each, one at a time for an exchange, never inside the call that set them and never under a
// lock of the library. Signals go to the application's threads; only what the code that runs on
// these raises itself, as SIGSEGV, has its handler run there, and so has SIGPROF. An exception that
// leaves a callback or a hook ends the process. A callback should not block for long; a blocking
// call of this library made from one returns FAILED_PRECONDITION. Only Shutdown waits for the
// threads: what callbacks use must live until they are done, also at the end of main. What a
// callback holds may be destroyed on any thread, one of gRPC's included: its destructor should not
// block.
//
// Destruction: destroying an Initiator or Receiver does not block and closes nothing; after it
// returns no callback and no hook of it starts, though one that another thread has begun may still
// be running. It may happen inside a callback. An exchange that is finished, or was given up, tells
// the relay in the background as long as its Client lives; Finish() waits for that. An unfinished
// one can go on from a saved state, else the relay forgets it when its ttl is over.
// Cancel() gives it up at once. A handle that was moved from answers FAILED_PRECONDITION, and drops
// callbacks.
//
// End of a process: `return` from main, exit, quick_exit and _exit are fine at any time, and wait
// for nothing. Client::Shutdown and ShutdownCommonClient wait until nothing of the library is left.
//
// Fork: a child may use the library if its parent has not made a Client or an exchange by then, nor
// used gRPC in another way, which the library cannot know. What the parent has made counts for
// ever, also after a Shutdown. In its children each call but RoleOf, on an object that was not
// moved from, returns FAILED_PRECONDITION (kForked) at once, whatever its arguments, and a When...
// runs its callback with that inside the call, since no other thread is there; destroying a handle
// there tells the relay nothing. A child that was forked in a callback or hook must not return from
// it: that ends the child. exec is fine everywhere. A child made by a bare clone() or _Fork() is
// not noticed: it must exec, or not touch the library.
//
// In a child's memory the kernel (from Linux 4.14) wipes the keys, the words of the code and the
// relay's token that the parent's exchanges work with. It does not wipe what they were given or
// have to give: data, codes, bearer tokens, keys of TLS; nor what threads had on their stacks.
//
// Errors: absl::Status values; ReasonOf(status) (wormhole/outcome.h) tells programs why. An
// exchange's failure is the one status that it ended with: all who wait, now or later, get it.
#ifndef WORMHOLE_WORMHOLE_H_
#define WORMHOLE_WORMHOLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wormhole/abseil.h"
#include "wormhole/options.h"
#include "wormhole/outcome.h"

namespace wormhole {
// Internal.
class ClientAccess;
class Engine;
class PartyDriver;

inline namespace v0 {

// Connections and threads, which any number of exchanges share: an exchange makes none of its own.
// Exchanges without a Client in their options share one that lives as long as any of them does. Any
// thread.
class Client {
 public:
  // Starts its threads; connects to nothing yet. INVALID_ARGUMENT for `options` out of range;
  // INTERNAL or RESOURCE_EXHAUSTED (kInternal) when the system gives no randomness or threads.
  static absl::StatusOr<std::shared_ptr<Client>> Create(ClientOptions options = {});
  // Does not wait for callbacks of other threads that are running. Exchanges that still use the
  // client keep what they need of it.
  ~Client();

  // Ends all that the client does, and waits for that, at most `limit`: before the code of the
  // library is unloaded, or the last look of a leak checker. From now on exchanges are not
  // made with it (FAILED_PRECONDITION, kInvalidArgument). Those that go on stop as if their handles
  // were destroyed: no callback and no hook of them starts any more, callbacks that wait are
  // destroyed, and they can go on from a saved state. Those that are finished or were given up tell
  // the relay first, within `limit`. The handles of all of them stay. Threads that wait in a Get...
  // and later calls get CANCELLED (kCancelled), or the value that was there before; a When... runs
  // its callback with that inside the call, whatever other callback still runs.
  //
  // OK: no callback or hook runs, and every thread, stream and connection is gone; those of gRPC
  // itself too, unless the application uses gRPC besides. Usually within half a second of the last
  // exchange; later while the library still looks why no relay answers (up to 3 s, or for as long
  // as the system looks up a name: half a minute, perhaps) or gRPC ends an attempt to connect (up
  // to 6 s). DEADLINE_EXCEEDED says what is left, as a callback of the application's that has not
  // returned; what would still tell the relay has been dropped then, and another call waits for the
  // rest. FAILED_PRECONDITION (kBlockingCall) from a callback. May be called more than once, and
  // beside anything else.
  //
  // Before dlclose, destroy all handles and the Client, too: their destructors are in the library.
  // Where the application uses gRPC besides, a thread of that may be on its way back through the
  // library even at OK: do not unload it then. (The library as a shared one of its own stays loaded
  // in any case.)
  absl::Status Shutdown(absl::Duration limit);

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

 private:
  friend class ::wormhole::ClientAccess;
  explicit Client(std::shared_ptr<Engine> engine);
  const uint64_t generation_;
  const std::shared_ptr<Engine> engine_;
};

// The same for the Client that exchanges without one share, and for what is left of those before
// it, which end by themselves with their last exchange. What is made later gets a new one: a
// process may use the library again after this. Any thread; OK when there is none.
absl::Status ShutdownCommonClient(absl::Duration limit);

// What Initiator and Receiver have in common: one side of an exchange. Any thread; see above for
// what must not happen beside a call.
//
// Each Get... blocks until its value or the exchange's failure is there, and no longer than
// Options::timeout: then the failure is kTimeout or kUnreachable. From a callback it returns
// FAILED_PRECONDITION (kBlockingCall). Each When... has its callback run with the same value or
// failure, once, on a thread of the Client, and after Shutdown inside the call; the callback is
// destroyed after it, with the handle, or by Shutdown.
// Both may be called any number of times and in any state. After a move every call answers
// FAILED_PRECONDITION (kInvalidArgument).
class Party {
 public:
  // The peer's data, 0 to 65,000 bytes, once the exchange is finished: the relay or the peer has
  // the own data, and nobody but the holder of the code can have sent this.
  absl::StatusOr<std::string> GetData();
  // The same by callback.
  void WhenData(std::function<void(absl::StatusOr<std::string>)> callback);

  // Eight words that are the same on both sides if and only if nobody is in between. There once
  // the key is confirmed.
  absl::StatusOr<std::string> GetVerifier();
  // The same by callback.
  void WhenVerifier(std::function<void(absl::StatusOr<std::string>)> callback);
  // Does not block. With Options::confirm_verifier, after the verifier is there: true lets the
  // exchange go on, false gives it up, also after an earlier true if it is not finished yet. Else
  // nothing happens.
  void AcceptVerifier(bool accepted);
  // As GetVerifier but never blocks: FAILED_PRECONDITION (kNone) before the key is confirmed, and
  // after a failure.
  absl::StatusOr<std::string> Verifier() const;

  // A key of `size` bytes (16 to 16,320) for a purpose of the application's, the same on both
  // sides, written to `out`, which stays as it is after an error. Never blocks. FAILED_PRECONDITION
  // (kNone) before the key is confirmed, and after a failure; INVALID_ARGUMENT for another size.
  absl::Status DeriveKey(std::string_view purpose, unsigned char* out, size_t size) const;

  // Does not block. Gives up: every waiter gets CANCELLED, and the library tells the relay in the
  // background. Nothing happens to a finished exchange. The save hook gets the cancelled state,
  // unless the handle is destroyed before: wait for Finish() or a callback if a copy that goes on
  // later would hurt.
  void Cancel();

  // Waits, at most `limit`, until the relay knows that this exchange is over. OK at once if it
  // knows, or never knew of the exchange; DEADLINE_EXCEEDED when `limit` was too short, UNAVAILABLE
  // (kUnreachable) when the library has given up telling it: then the channel goes when its ttl is
  // over. For programs that are about to exit. FAILED_PRECONDITION while the exchange is going on,
  // and from a callback (kBlockingCall).
  absl::Status Finish(absl::Duration limit = absl::Seconds(2));

  // The state as printable text, a secret. Legal at any time; the exchange goes on. For
  // survival of a crash at any moment use Options::on_save instead. Never blocks or fails.
  absl::StatusOr<std::string> Serialize() const;
  // The same, sealed under a key of 32 bytes, without which it tells nothing but its length.
  // INVALID_ARGUMENT for a key of another size.
  absl::StatusOr<std::string> SerializeSealed(const unsigned char* key, size_t key_size) const;

 protected:
  // Internal.
  explicit Party(std::shared_ptr<PartyDriver> driver);
  // Only whole sides are moved and destroyed: a Party that was moved out of a Receiver would be
  // neither.
  Party(Party&&) noexcept;
  // As the constructor; the exchange that was held before is let go as by the destructor.
  Party& operator=(Party&&) noexcept;
  // Does not block; see above.
  ~Party();
  std::shared_ptr<PartyDriver> driver_;  // internal
};

// The side that shows the code. Moved, not copied; as thread-safe as a Party.
class Initiator final : public Party {
 public:
  // Starts at once, and does not wait for the relay. `data`: 0 to 65,000 bytes for the peer, a copy
  // of its own. INVALID_ARGUMENT for anything in `options` or the environment's proxies that cannot
  // work, FAILED_PRECONDITION, RESOURCE_EXHAUSTED or INTERNAL (reason kInternal) for what this
  // machine lacks, as certificate authorities or threads; nothing was sent then.
  static absl::StatusOr<Initiator> Create(Options options, std::string data);
  // Goes on from a saved state. Of `options` count rendezvous (if not empty), security, tls,
  // bearer_token, on_save, on_progress and client; the rest is in the state. Errors as Create, and
  // INVALID_ARGUMENT for what is no state of an initiator, or a damaged one; FAILED_PRECONDITION
  // for a state whose code was guessed at (kWrongCode), or of a newer version (kStaleState).
  static absl::StatusOr<Initiator> FromSerialized(std::string_view state, Options options);
  // The same from what SerializeSealed gave, under its key. INVALID_ARGUMENT for another key, too.
  static absl::StatusOr<Initiator> FromSealed(std::string_view state, const unsigned char* key,
                                              size_t key_size, Options options);

  // The invitation code, as soon as the relay has given a channel id. A secret until the key is
  // confirmed. FAILED_PRECONDITION (kNone) for an exchange that was restored after its key had been
  // agreed: the code is used, and forgotten.
  absl::StatusOr<std::string> GetCode();
  // The same by callback.
  void WhenCode(std::function<void(absl::StatusOr<std::string>)> callback);

 private:
  using Party::Party;
  static Initiator Make(std::shared_ptr<PartyDriver> driver);
};

// The side that was given the code. Moved, not copied; as thread-safe as a Party.
class Receiver final : public Party {
 public:
  // As Initiator::Create. Takes a code as people type or paste it (proto/PROTOCOL.md section 1),
  // and refuses what is no code with INVALID_ARGUMENT before anything is sent.
  static absl::StatusOr<Receiver> Create(Options options, std::string_view code, std::string data);
  // As Initiator::FromSerialized, for the state of a receiver.
  static absl::StatusOr<Receiver> FromSerialized(std::string_view state, Options options);
  // As Initiator::FromSealed, for the state of a receiver.
  static absl::StatusOr<Receiver> FromSealed(std::string_view state, const unsigned char* key,
                                             size_t key_size, Options options);

 private:
  using Party::Party;
  static Receiver Make(std::shared_ptr<PartyDriver> driver);
};

// Which of the two a saved state is of.
enum class SavedRole {
  kInitiator,  // Initiator::FromSerialized takes it
  kReceiver,   // Receiver::FromSerialized takes it
};

// Whose state this is. Any thread; never blocks. It makes no exchange, so it is fine in every
// forked child, but for one that was forked in the midst of its parent's very first call, which
// gets FAILED_PRECONDITION (kForked); and its use alone leaves the library to the children.
// INVALID_ARGUMENT when it is none, as one that is sealed, and else the errors of FromSerialized.
absl::StatusOr<SavedRole> RoleOf(std::string_view state);

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_WORMHOLE_H_
