#include "relay/store/etcd/etcd_cache.h"

#include <memory>
#include <utility>

#include "relay/store/etcd/plan.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Event;
using etcdserverpb::KeyValue;
using Kind = EtcdKeys::Place::Kind;

// What is not here when its channel is used again costs one read.
constexpr size_t kImages = 16'384;

}  // namespace

EtcdCache::EtcdCache(const EtcdKeys* keys, std::string relay_id,
                     std::function<void(const ChannelRef&, Role)> on_own_presence)
    : keys_(keys),
      relay_id_(std::move(relay_id)),
      own_beginning_(BeginningOf(relay_id_)),
      on_own_presence_(std::move(on_own_presence)),
      states_(kImages),
      forgotten_(kImages) {}

std::optional<ChannelState> EtcdCache::Find(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  const ChannelState* const state = states_.Find(key);
  if (state == nullptr) return std::nullopt;
  return *state;
}

bool EtcdCache::WritesNext(const ChannelKey& key, const EtcdCall& first) {
  sync::MutexLock lock(mutex_);
  return relay::WritesNext(states_.Find(key), first);
}

std::vector<StoredFrame> EtcdCache::Frames(const ChannelRef& channel, Role author, uint64_t after,
                                           size_t max_bytes) {
  sync::MutexLock lock(mutex_);
  const ChannelState* const state = states_.Find(channel.key);
  if (state == nullptr || !state->IsOf(channel)) return {};
  after = std::max(after, state->LogOf(author).forgotten);
  return state->FramesInLog(author, after, max_bytes);
}

void EtcdCache::Update(const ChannelKey& key, const std::function<bool(ChannelState&)>& take) {
  sync::MutexLock lock(mutex_);
  ChannelState* state = states_.Find(key);
  if (state == nullptr) {
    states_.Age();
    state = states_.Insert(key, {});
  }
  // What others have written is for the watch to tell, so that the listener hears of it.
  if (!take(*state)) return;
  const auto& record = state->record.value;
  index_.Take(key, state->record.revision, record ? &*record : nullptr, true);
}

void EtcdCache::Forget(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  states_.Erase(key);
  forgotten_.Age();
  forgotten_.Insert(key, {});
}

// Under one lock: what the watch brings from now on is told after what there is.
void EtcdCache::Start(StoreListener* listener) {
  sync::MutexLock lock(mutex_);
  index_.ForEach([listener](const ChannelKey& key, IdState state) { listener->OnId(key, state); });
  listener_ = listener;
}

void EtcdCache::StopTelling() {
  sync::MutexLock lock(mutex_);
  listener_ = nullptr;
  while (telling_ != 0) told_.Wait(mutex_);
}

std::vector<ChannelKey> EtcdCache::Due(absl::Time now, size_t limit) {
  sync::MutexLock lock(mutex_);
  return index_.Due(now, limit);
}

void EtcdCache::Tell(const Notices& notices) {
  if (notices.empty()) return;
  StoreListener* listener = nullptr;
  {
    sync::MutexLock lock(mutex_);
    if (listener_ == nullptr) return;
    listener = listener_;
    ++telling_;
  }
  for (const Notice& notice : notices) notice(*listener);
  sync::MutexLock lock(mutex_);
  if (--telling_ == 0) told_.NotifyAll();
}

void EtcdCache::TakeEvents(const etcdserverpb::WatchResponse& response) {
  Notices notices;
  std::vector<std::pair<ChannelRef, Role>> own;
  {
    sync::MutexLock lock(mutex_);
    for (const Event& event : response.events()) {
      TakeEvent(event, notices);
      if (auto said = OwnPresence(event)) own.push_back(*std::move(said));
    }
  }
  for (const auto& [channel, role] : own) on_own_presence_(channel, role);
  Tell(notices);
}

std::optional<std::pair<ChannelRef, Role>> EtcdCache::OwnPresence(const Event& event) {
  if (event.type() != Event::PUT || !event.kv().value().starts_with(own_beginning_)) return {};
  const auto place = keys_->Parse(event.kv().key());
  if (!place || place->kind != Kind::kPresence) return {};
  const ChannelState* const state = states_.Find(place->channel);
  if (state == nullptr) return std::pair(ChannelRef(place->channel), place->role);
  if (state->attached_at[place->role].value != relay_id_) return {};
  return std::pair(ChannelRef(place->channel, state->Initiator()), place->role);
}

void EtcdCache::TakeEvent(const Event& event, Notices& notices) {
  const auto place = keys_->Parse(event.kv().key());
  if (!place) return;
  const ChannelKey& key = place->channel;
  const bool exists = event.type() == Event::PUT;
  // A deletion has no value; who made it is told by whether it is news.
  const bool written_here = exists && event.kv().value().starts_with(own_beginning_);
  // Of what a call has done that has failed long since, nobody here has heard.
  const bool own = written_here && forgotten_.Find(key) == nullptr;
  switch (place->kind) {
    case Kind::kRecord:
      if (exists && !own && event.kv().create_revision() == event.kv().mod_revision()) {
        ExpectNews(key, event.kv().mod_revision());
      }
      return TakeRecord(key, event.kv(), exists, own, notices);
    case Kind::kFrame: {
      if (!exists || own || states_.Find(key) == nullptr) return;
      last_place_ = place;
      last_revision_ = event.kv().mod_revision();
      last_frame_ = ReadFrame(event.kv().value()).value_or("");
      return;
    }
    case Kind::kNotice:
      if (!exists || written_here || !TakeNotice(event.kv())) return;
      notices.push_back([key, notice = ReadNotice(event.kv().value())](StoreListener& listener) {
        listener.OnThirdParties({key, notice.initiator}, notice.third_parties);
      });
      return;
    case Kind::kLog:
    case Kind::kCursor:
    case Kind::kArrival:
    case Kind::kPresence:
      return TakeState(*place, event, own, notices);
  }
}

bool EtcdCache::TakeNotice(const KeyValue& kv) {
  if (kv.mod_revision() < noticed_at_) return false;
  if (kv.mod_revision() > noticed_at_) noticed_.clear();
  noticed_at_ = kv.mod_revision();
  return noticed_.insert(kv.key()).second;
}

// An answer may have told the state before; the listener hears of it here all the same, and of what
// is true now.
void EtcdCache::TakeState(const EtcdKeys::Place& place, const Event& event, bool own,
                          Notices& notices) {
  const ChannelKey& key = place.channel;
  const bool exists = event.type() == Event::PUT;
  ChannelState* const state = states_.Find(key);
  if (state == nullptr) {
    // The listener may have the channel still.
    if (own) return;
    notices.push_back([key](StoreListener& listener) { listener.OnChanged(key, nullptr); });
    return;
  }
  state->Take(place, event.kv(), exists);
  if (own) return;
  if (place.kind == Kind::kArrival) return;  // with it comes the presence, which is told
  if (place.kind == Kind::kPresence) {
    TellPresence(place, *state, notices);
  } else if (exists) {
    TellLog(place, *state, notices);
  }
}

void EtcdCache::TellPresence(const EtcdKeys::Place& place, const ChannelState& state,
                             Notices& notices) {
  const auto& relay_id = state.attached_at[place.role].value;
  const bool remote = relay_id.has_value() && *relay_id != relay_id_;
  const ChannelRef channel(place.channel, state.Initiator());
  notices.push_back([channel, role = place.role, remote](StoreListener& listener) {
    listener.OnPresence(channel, role, remote);
  });
}

void EtcdCache::ExpectNews(const ChannelKey& key, int64_t revision) {
  if (states_.Find(key) != nullptr) return;
  states_.Age();
  states_.Insert(key, ChannelState::MadeAt(revision));
}

void EtcdCache::TakeRecord(const ChannelKey& key, const KeyValue& kv, bool exists, bool own,
                           Notices& notices) {
  std::optional<ChannelRecord> record = exists ? ReadRecord(kv.value()) : std::nullopt;
  // One of a later version that cannot be read: its id is not to be drawn.
  const ChannelRecord unknown{.due_at = absl::InfiniteFuture()};
  const ChannelRecord* known = exists ? &unknown : nullptr;
  const ChannelRecord read = record.value_or(unknown);
  if (record) known = &read;
  if (!index_.Take(key, kv.mod_revision(), known, own)) return;
  std::shared_ptr<ChannelSnapshot> now;
  if (ChannelState* const state = states_.Find(key)) {
    if (state->record.Take(kv.mod_revision(), std::move(record))) state->lease = kv.lease();
    if (auto snapshot = state->SnapshotFor(relay_id_)) {
      now = std::make_shared<ChannelSnapshot>(*std::move(snapshot));
    }
  }
  if (own) return;
  const IdState id = known == nullptr ? IdState::kFree : IdStateOf(*known);
  notices.push_back([key, id, now](StoreListener& listener) {
    listener.OnId(key, id);
    listener.OnChanged(key, now.get());
  });
}

void EtcdCache::TellLog(const EtcdKeys::Place& place, const ChannelState& state, Notices& notices) {
  const LogState log = state.LogOf(place.role);
  std::shared_ptr<StoredFrame> frame;
  if (place.kind == Kind::kLog) frame = NewestFrame(place, state, log.stored);
  last_place_.reset();
  const ChannelRef channel(place.channel, state.Initiator());
  notices.push_back([channel, role = place.role, log, frame](StoreListener& listener) {
    listener.OnLog(channel, role, log, frame.get());
  });
}

std::shared_ptr<StoredFrame> EtcdCache::NewestFrame(const EtcdKeys::Place& place,
                                                    const ChannelState& state, uint64_t number) {
  if (number == 0) return nullptr;
  std::vector<StoredFrame> in_log = state.FramesInLog(place.role, number - 1, 0);
  if (!in_log.empty()) return std::make_shared<StoredFrame>(std::move(in_log[0]));
  // What is known may be newer than the event, and of another channel: its log is not the frame's
  // then.
  const bool came = last_place_ && last_place_->channel == place.channel &&
                    last_place_->role == place.role && last_place_->number == number &&
                    last_revision_ == state.logs[place.role].revision;
  if (!came) return nullptr;
  auto frame = std::make_shared<StoredFrame>();
  *frame = {.number = number, .frame = std::move(last_frame_)};
  return frame;
}

void EtcdCache::TakeRecords(const std::vector<KeyValue>& records, int64_t revision, bool restored) {
  Notices notices;
  {
    sync::MutexLock lock(mutex_);
    if (restored) {
      index_.Rewind();
      noticed_at_ = 0;
    }
    absl::flat_hash_map<ChannelKey, bool> there;
    for (const KeyValue& kv : records) {
      const auto place = keys_->Parse(kv.key());
      if (!place || place->kind != Kind::kRecord) continue;
      there[place->channel] = true;
      TakeRecord(place->channel, kv, true, false, notices);
    }
    for (const ChannelKey& key : index_.DropAllBut(there, revision)) {
      notices.push_back([key](StoreListener& listener) { listener.OnId(key, IdState::kFree); });
    }
    states_.Clear();
    notices.push_back([restored](StoreListener& listener) { listener.OnReset(restored); });
  }
  Tell(notices);
}

}  // namespace wormhole::relay
