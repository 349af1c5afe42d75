// What a program can choose: for a Client, and for each exchange.
#ifndef WORMHOLE_OPTIONS_H_
#define WORMHOLE_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "wormhole/abseil.h"
#include "wormhole/progress.h"
#include "wormhole/schedule.h"
#include "wormhole/security.h"

namespace wormhole {
inline namespace v0 {

class Client;  // wormhole/wormhole.h

// What a Client is made with. A plain value; Client::Create copies it.
struct ClientOptions {
  // Threads that run callbacks, save hooks, timers, and the exchanges that have a save hook; gRPC's
  // own threads run all other exchanges. Two keep one slow callback from holding up everything;
  // more only pay when callbacks compute. 1 to 64.
  int threads = 2;
};

// What an exchange is made with. A plain value: Create and FromSerialized take their own copy, and
// check it before anything is sent. What is out of its range is INVALID_ARGUMENT with a message
// that says what to change.
struct Options {
  // Scopes channel ids and codes: both sides must name the same one. UTF-8, 1 to 255 bytes, no
  // control characters; by convention a domain name of yours with a path. No default: two programs
  // that have nothing to do with each other must not meet.
  std::string app_id;

  // The relay, in gRPC target syntax: "relay.example.com:443", "ipv4:127.0.0.1:47180". Several
  // relays that serve as one: "dns:///relays.example.com:443", a name with several addresses, or
  // "ipv4:10.0.0.1:47180,10.0.0.2:47180"; with TLS, all certificates of a list name its first
  // address. The library spreads streams over them, and opens them elsewhere when one is gone. On
  // this machine also "unix:PATH"; an IPv6 address may have a zone, "[fe80::1%eth0]:47180". To
  // other machines it takes the proxy that curl would take from the environment, $grpc_proxy before
  // all others. Empty: $WORMHOLE_RENDEZVOUS, else the relay this library was built with.
  std::string rendezvous;

  Security security = Security::kAuto;  // plaintext or TLS
  Tls tls;                              // whom to trust, and as whom to come; see Tls
  // Sent as `authorization: Bearer ...` to the relay, for one that lets in only those who have a
  // token; whoever has none that it takes ends with kNotAuthorized at once. Only over TLS or
  // loopback: Create refuses it elsewhere. Printable ASCII, at most 4,096 bytes. A secret; never
  // saved, so that FromSerialized needs it again.
  std::string bearer_token;

  // When to try again without a stream, from the first start: each half second by default, since
  // people who wait face to face notice a second. For its ranges see Schedule.
  Schedule schedule = {{absl::ZeroDuration(), absl::Milliseconds(500)}};
  // The hard limit, 1 ms to 7 days from the first start; a restored exchange does not begin anew.
  // Three minutes by default: two people on the phone take less, and a forgotten invitation should
  // not stay open.
  absl::Duration timeout = absl::Seconds(180);
  // How long the relay should keep the channel. 0: a minute longer than `timeout`, so that waiters
  // hear of the timeout and not of a channel that is gone. Else `timeout` to 366 days; a relay
  // keeps a channel for 7 days at most by default, whatever the client asks.
  absl::Duration ttl = absl::ZeroDuration();
  // Attach only at the ticks of the schedule, and detach when there is nothing more to do: for
  // hosts that cannot keep a stream for days. The two sides then need never be there together.
  bool check_in = false;

  // Initiator: how many words a drawn code has, 2 to 8. Two are 22 bits, and whoever wants to
  // guess has one try; more only pay when the same code is shown to many. Not read with `code`.
  size_t words = 2;
  // Initiator: a whole code agreed beforehand instead of a drawn one. Each use gives the relay two
  // more guesses at the same words: do not use one code often.
  std::string code;
  // Take words outside the list, in both roles: for codes that people agree on by themselves. Off,
  // since the list finds a typing error before that costs the one guess.
  bool allow_other_words = false;
  // Receiver: may come before the initiator, and waits for one that asks for this very channel id
  // by name (Options::code). Off: a channel that is not there is a typing error.
  bool wait = false;

  // Hold back own data and the peer's until AcceptVerifier(true): for people who compare the
  // verifier over another way. Off: the code alone protects against all but a 2^-22 guess.
  bool confirm_verifier = false;

  // The exchange calls it with the new state, a secret, before it does anything that it cannot take
  // back, and stops if the hook fails. With a hook that stores the state durably, an exchange
  // survives a crash at any moment: FromSerialized goes on. Runs on a thread of the client, one
  // call at a time for an exchange; it may block, which holds up this exchange and one of the
  // client's threads. It must not call into the exchange. `state` is valid during the call. An
  // error that it returns ends the exchange with that code and the reason kSaveFailed. Empty: only
  // Serialize gives the state.
  std::function<absl::Status(std::string_view state)> on_save;
  // Tells people what goes on, any number of times. Runs like a callback (wormhole/wormhole.h); the
  // event is valid during the call.
  std::function<void(const ProgressEvent&)> on_progress;

  // Shared connections and threads; empty: the process's common one. The exchange does not keep it
  // alive: see Client.
  std::shared_ptr<Client> client;
};

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_OPTIONS_H_
