// Where in etcd what is kept. Pure.
//
//   PREFIX v1/ch/APP/ID                 the channel's record
//   PREFIX v1/st/APP/ID/{li,lr}         its logs, by author
//   PREFIX v1/st/APP/ID/{ci,cr}         how far the author's log was accepted
//   PREFIX v1/st/APP/ID/{ai,ar}         the relay at which the side attached last;
//                                       the first time is not kept
//   PREFIX v1/st/APP/ID/{pi,pr}         at which relay the side is attached
//   PREFIX v1/st/APP/ID/t               third parties were refused
//   PREFIX v1/fr/APP/ID/{i,r}/NUMBER    a frame; the number has 20 digits
//   PREFIX v1/clock/RELAY              what a relay's clock says
//   PREFIX v1/by/APP/SIDE               the id of the side's channel, which may have
//                                       made room for another one
//
// RELAY and SIDE are in hexadecimal digits.
//
// APP is the app-id with `/` and `%` as %2F and %25. Records lie apart from the rest, so that a
// relay that starts reads them alone, and sides come before what relays watch.
#ifndef WORMHOLE_RELAY_STORE_ETCD_KEYS_H_
#define WORMHOLE_RELAY_STORE_ETCD_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "relay/channel/record.h"

namespace wormhole::relay {

class EtcdKeys {
 public:
  // `prefix` as configured, e.g. `wormhole/`.
  explicit EtcdKeys(std::string_view prefix);

  const std::string& root() const { return root_; }
  std::string Records() const { return root_ + "ch/"; }
  // The first of those that relays watch, which go on to the end.
  std::string Watched() const { return Records(); }

  std::string Record(const ChannelKey& key) const { return Of("ch/", key); }
  std::string States(const ChannelKey& key) const { return Of("st/", key) + "/"; }
  // The end of its logs, cursors and arrivals, which come before presence.
  std::string EndOfLogs(const ChannelKey& key) const { return States(key) + "p"; }
  std::string Log(const ChannelKey& key, Role author) const;
  std::string Cursor(const ChannelKey& key, Role author) const;
  std::string Arrival(const ChannelKey& key, Role role) const;
  std::string Presence(const ChannelKey& key, Role role) const;
  std::string Notice(const ChannelKey& key) const { return States(key) + "t"; }
  std::string Frames(const ChannelKey& key) const { return Of("fr/", key) + "/"; }
  std::string Frame(const ChannelKey& key, Role author, uint64_t number) const;
  std::string Side(std::string_view app_id, std::string_view side) const;
  std::string Clocks() const { return root_ + "clock/"; }
  std::string Clock(std::string_view relay_id) const;

  // What is kept under a key.
  struct Place {
    enum class Kind { kRecord, kLog, kCursor, kArrival, kPresence, kNotice, kFrame };
    Kind kind = Kind::kRecord;
    ChannelKey channel;
    Role role = Role::kInitiator;  // the author's with kLog, kCursor and kFrame
    uint64_t number = 0;           // kFrame
  };
  // Nothing for a side or a clock, or what is not one of these keys.
  std::optional<Place> Parse(std::string_view key) const;

 private:
  std::string Of(std::string_view kind, const ChannelKey& key) const;

  const std::string root_;
};

// The end of the range of all keys that begin with `prefix`, which is not empty.
std::string EndOfPrefix(std::string prefix);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_KEYS_H_
