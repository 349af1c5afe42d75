// Accepts connections, and decides which of them gRPC is given. gRPC 1.51 has a loop of its own,
// which accepts everybody, and which stops for good when the process has no descriptor left
// (CVE-2023-4785).
#ifndef WORMHOLE_RELAY_ACCEPT_ACCEPT_LOOP_H_
#define WORMHOLE_RELAY_ACCEPT_ACCEPT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/net/address.h"
#include "proto/sync/mutex.h"
#include "relay/accept/arrival.h"
#include "relay/accept/client_names.h"
#include "relay/accept/connection_limits.h"
#include "relay/accept/descriptor.h"

namespace wormhole::relay {

struct AcceptRules {
  ConnectionCaps caps;
  // Asked last, of each client that the caps let in: whether it may connect once more now, and if
  // not, as what it is refused. Those who connect to a path have no address. The accept loop's
  // thread calls it. Null: each may.
  std::function<std::optional<Arrival>(const std::optional<net::Address>& client)> refuse;
  // Whether a connection is of use, by its other end (see PeerName). When there is no room for a
  // newcomer, one that is of no use to anybody gives way, of whoever has most of these: else
  // whoever holds all places with connections that say nothing keeps everybody out. Null: nobody
  // can say.
  std::function<bool(const std::string& peer)> in_use;
  // How long a connection has for that to begin (see ConnectionLimits::MakeRoom).
  absl::Duration in_use_after = absl::Seconds(10);
  // Who connects for others, and says for whom in a header (see proxy_header.h). From anywhere else
  // a header is what the client has to say, which gRPC does not understand.
  std::vector<net::Network> proxies;
  // How long a proxy may take to send it.
  absl::Duration header_patience = absl::Seconds(5);
};

// Of those who know what becomes of connections. Each is null, or outlives the loop.
struct AcceptWitnesses {
  AcceptObserver* observer = nullptr;
  ClientNames* names = nullptr;
};

// One thread, which blocks in nothing but waiting. It goes on listening whatever happens: a
// connection that cannot be had is refused, and the next one is accepted. Who is refused is told so
// by a reset: the client fails at once, and waits before it tries again, and the system keeps
// nothing of the connection.
//
// gRPC 1.51 may miss that a connection is over. After each read it takes the kernel's word for what
// is left (TCP_INQ), which is nothing also when a reset, or a shutdown from here, is all that is
// left. If the last data and the end come while it works on what came before, it reads the data,
// and waits for word of the end until a ping of its own fails, for up to 80 s. The loop gives it
// that word, once in each turn of its checks.
//
// Those who connect to a path are one address, 0.0.0.0: a cap on it is one on the path.
//
// Where the oldest gives way (see ConnectionCaps), it does so too when the process has hardly a
// descriptor left, and the newest has one of those that connections of clients leave to others.
// Nobody is refused there because those that have given way are not closed yet, which takes
// milliseconds: the newest waits, for a tenth of a second at most.
//
// A connection from a proxy waits for its header, which is taken off before gRPC is given the rest.
// Whose header names no client, or who begins with something else, is the proxy itself (it checks
// health), and counts for the proxy's address. A few of these are let in also when nobody else is:
// the proxy would take the relay for dead, and cut all who exchange something through it.
class AcceptLoop {
 public:
  // Takes over a connection, whose descriptor it closes in the end.
  using Taker = std::function<void(int listener, int connection)>;

  // Accepts from the moment that this returns. The listeners do not block, and are closed when the
  // loop stops. UNAVAILABLE, with a line for people, when the system lacks what it takes.
  static absl::StatusOr<std::unique_ptr<AcceptLoop>> Start(std::vector<int> listeners,
                                                           AcceptRules rules, Taker taker,
                                                           AcceptWitnesses witnesses = {});

  ~AcceptLoop() { Stop(); }

  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;

  // Stops listening. Once it returns, nobody is handed over any more. Not from two threads at once.
  void Stop();

  // Ends the connections that this address, or its /64, has by now, as if it had hung up. Any
  // thread; it is done soon after.
  void Cut(const net::Address& client) WORMHOLE_EXCLUDES(mutex_);
  // So does this with everybody's.
  void CutAll() WORMHOLE_EXCLUDES(mutex_);
  // And this with those of which much has come that nobody has read yet, as is so with whoever
  // sends without a pause. Of those that are in use, or may be (see AcceptRules), it is the one of
  // which most has come, when there are no others: they may be busy with what they are here for.
  // Asked for again within milliseconds it does nothing.
  void CutUnread() WORMHOLE_EXCLUDES(mutex_);

  // Ends the connection that the taker has had in hand for seconds, if there is one. gRPC reads on
  // the loop's thread what has come by the time it is given a connection, and goes on as long as
  // more comes: one client that never pauses would keep everybody else from being accepted. Returns
  // whose it was. To be called now and then, by any thread.
  std::optional<net::Address> CutWhoHoldsUp() WORMHOLE_EXCLUDES(mutex_);

 private:
  // The other end of a connection.
  struct Peer {
    net::Address address;
    uint16_t port = 0;

    friend bool operator==(const Peer&, const Peer&) = default;
  };
  // From a proxy, whose header is to come.
  struct Awaited {
    Descriptor connection;
    int listener;
    Peer proxy;
    absl::Duration until;
  };
  // Who has a connection that was let in for a client, and since when.
  struct Held {
    Peer peer;
    uint64_t cookie;
    absl::Duration since;
    bool named;  // the peer is a proxy, and the witness of names has for whom
  };

  // What the taker has in hand.
  struct HandedOver {
    ConnectionId id;
    net::Address client;  // as it counts
    absl::Duration since;
  };

  enum class Tried {
    kAccepted,  // and perhaps refused
    kFailed,    // that one only, as it seems
    kNoMore,    // for now
  };

  AcceptLoop(std::vector<int> listeners, AcceptRules rules, Taker taker, AcceptWitnesses witnesses);
  // What the thread needs, before there is one.
  absl::Status Prepare();

  // All of these on the thread.
  void Run();
  // Those that wait at a listener, or some of them.
  void AcceptFrom(int listener);
  Tried AcceptOne(int listener);
  // After accept() has failed.
  Tried Recover(int listener, int error);
  // Accepts with the reserve's descriptor, and refuses.
  Tried RefuseWithReserve(int listener);
  // The first word on it has still to be said.
  void AwaitHeader(int listener, Descriptor connection, const Peer& proxy);
  // Something has come on a connection that awaits its header, or its other end has gone.
  void ReadHeader(int number, bool gone);
  void EndThoseThatAreLate(absl::Duration now);
  // Lets it in, if its client may come; `client` is who connects, or for whom a proxy does.
  void Receive(int listener, Descriptor connection, const Peer& peer, const Peer& client,
               Arrival as);
  // Why this client may not connect; none: he may, and the connection that gives way for it does.
  std::optional<Arrival> WhyNot(const net::Address& client);
  // Checks the connections that a refusal rests on before it refuses.
  ConnectionLimits::Verdict Judge(const net::Address& from);
  // Makes room where the oldest gives way, for a connection whose number is among the last.
  // Invalid, and `connection` stays, when there is none to be had.
  Descriptor TakeReserved(Descriptor& connection);
  void CutThoseWithUnread();
  void CutFlooding(const ConnectionId& connection);
  // The one that has to give way. False when there is none.
  bool CutOldest();
  // One that is of no use, if there is one that may go for this newcomer.
  bool CutUnused(const net::Address& newcomer, bool also_young);
  ConnectionLimits::Use UseOf(const ConnectionId& connection, absl::Duration now) const;
  // Forgets those that are closed, and tells of those that are over once more: gRPC may have missed
  // it.
  void CheckForEnds(const std::vector<ConnectionId>& connections);
  void HandOver(int listener, Descriptor connection, const HandedOver& in_hand)
      WORMHOLE_EXCLUDES(mutex_);
  void CutThoseNoted() WORMHOLE_EXCLUDES(mutex_);
  // If it is still the same one. What it has sent is lost as far as nobody has read it: gRPC would
  // begin all the calls that are in there.
  static void Shut(const ConnectionId& connection);
  // Whoever serves it, that it is over.
  static void TellOfEnd(const ConnectionId& connection);
  void Wake();
  // The connection that had this number has closed.
  void Forget(int number);
  void Refuse(Descriptor connection, Arrival why);
  void Tell(Arrival arrival);
  // Until Stop, and not for long.
  void Rest();

  const AcceptRules rules_;
  const Taker taker_;
  const AcceptWitnesses witnesses_;
  std::vector<Descriptor> listeners_;
  ConnectionLimits limits_;
  std::map<int, Awaited> awaited_;       // by number
  absl::flat_hash_map<int, Held> held_;  // by number
  absl::Duration swept_at_ = -absl::InfiniteDuration();
  absl::Duration unread_at_ = -absl::InfiniteDuration();  // CutThoseWithUnread
  Descriptor reserve_;  // a descriptor to accept with when there is no other
  Descriptor end_;      // readable once the loop shall stop
  Descriptor wake_;     // readable once somebody is to be cut
  Descriptor poll_;
  sync::Mutex mutex_;
  std::vector<net::Address> to_cut_ WORMHOLE_GUARDED_BY(mutex_);
  bool cut_all_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool cut_unread_ WORMHOLE_GUARDED_BY(mutex_) = false;
  std::optional<HandedOver> in_hand_ WORMHOLE_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses the others
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_ACCEPT_LOOP_H_
