// What is under the keys of a channel in etcd, which may be anything: a damaged value, or one that
// somebody else has written. It is taken for missing, or it is read, and whatever the relay then
// does with the channel ends and stays within it. Keys are read back as they are written.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "relay/channel/record.h"
#include "relay/store/etcd/channel_state.h"
#include "relay/store/etcd/keys.h"
#include "tests/fuzz/check.h"

namespace {

using etcdserverpb::KeyValue;
using wormhole::fuzz::Check;
using wormhole::relay::ChannelKey;
using wormhole::relay::ChannelState;
using wormhole::relay::EtcdKeys;
using wormhole::relay::kRoles;
using wormhole::relay::Role;
using Kind = EtcdKeys::Place::Kind;

std::string Write(const EtcdKeys& keys, const EtcdKeys::Place& place) {
  switch (place.kind) {
    case Kind::kRecord:
      return keys.Record(place.channel);
    case Kind::kLog:
      return keys.Log(place.channel, place.role);
    case Kind::kCursor:
      return keys.Cursor(place.channel, place.role);
    case Kind::kArrival:
      return keys.Arrival(place.channel, place.role);
    case Kind::kPresence:
      return keys.Presence(place.channel, place.role);
    case Kind::kNotice:
      return keys.Notice(place.channel);
    case Kind::kFrame:
      return keys.Frame(place.channel, place.role, place.number);
  }
  abort();
}

void CheckKey(const std::string& key) {
  const EtcdKeys keys("wormhole/");
  const auto place = keys.Parse(key);
  if (place) Check(Write(keys, *place) == key);
}

// As the store does with what it knows.
void Use(ChannelState& state) {
  const auto snapshot = state.SnapshotFor("this relay");
  Check(snapshot.has_value() == state.record.value.has_value());
  if (state.record.value) {
    const std::string written = WriteRecord(*state.record.value, "this relay");
    Check(wormhole::relay::ReadRecord(written) == state.record.value);
  }
  for (const Role role : kRoles) {
    const auto log = state.LogOf(role);
    Check(log.forgotten <= log.stored);
    state.FramesInLog(role, log.forgotten, 1000);
    state.MayHaveKeys(role, log.forgotten + 1, log.forgotten + 3);
    state.SaidByOthers(role, "this relay");
    auto& kept = state.log(role).value;
    if (!kept || kept->stored >= UINT64_MAX / 2) continue;  // no relay stores so many
    const size_t before = kept->last.size();
    kept->Add("a frame", /*keep=*/true, log.forgotten);
    Check(kept->last.size() == before + 1);
    kept->DropUpTo(kept->stored);
    Check(kept->last.empty());
  }
}

}  // namespace

// Values of the keys of one channel: two bytes of length before each.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  CheckKey("wormhole/v1/" + std::string(rest));
  ChannelState state;
  int64_t revision = 0;
  for (const Kind kind :
       {Kind::kRecord, Kind::kLog, Kind::kCursor, Kind::kArrival, Kind::kPresence}) {
    for (const Role role : kRoles) {
      if (rest.size() < 2) break;
      const size_t length =
          size_t{static_cast<uint8_t>(rest[0])} << 8 | static_cast<uint8_t>(rest[1]);
      KeyValue kv;
      kv.set_value(std::string(rest.substr(2, length)));
      kv.set_mod_revision(++revision);
      rest.remove_prefix(std::min(rest.size(), length + 2));
      state.Take({.kind = kind, .channel = ChannelKey(), .role = role, .number = 0}, kv, true);
      wormhole::relay::ReadFrame(kv.value());
      wormhole::relay::ReadNotice(kv.value());
      wormhole::relay::ReadSide(kv.value());
    }
  }
  Use(state);
  ChannelState other = ChannelState::MadeAt(1);
  other.Merge(state);
  return 0;
}
