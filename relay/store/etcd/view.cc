#include "relay/store/etcd/view.h"

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

EtcdView::EtcdView(const EtcdKeys* keys, std::string writer,
                   std::function<void(const ChannelRef&, Role)> on_own_presence)
    : keys_(keys),
      writer_(std::move(writer)),
      own_beginning_(BeginningOf(writer_)),
      on_own_presence_(std::move(on_own_presence)),
      images_(kImages),
      doubts_(kImages) {}

std::optional<ChannelImage> EtcdView::Find(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  const ChannelImage* const image = images_.Find(key);
  if (image == nullptr) return std::nullopt;
  return *image;
}

bool EtcdView::WritesNext(const ChannelKey& key, const EtcdCall& first) {
  sync::MutexLock lock(mutex_);
  return relay::WritesNext(images_.Find(key), first);
}

std::vector<StoredFrame> EtcdView::Frames(const ChannelRef& channel, Role author, uint64_t after,
                                          size_t max_bytes) {
  sync::MutexLock lock(mutex_);
  const ChannelImage* const image = images_.Find(channel.key);
  if (image == nullptr || !image->IsOf(channel.initiator)) return {};
  after = std::max(after, image->LogOf(author).forgotten);
  return image->FramesInLog(author, after, max_bytes);
}

void EtcdView::Update(const ChannelKey& key, const std::function<bool(ChannelImage&)>& take) {
  sync::MutexLock lock(mutex_);
  ChannelImage* image = images_.Find(key);
  if (image == nullptr) {
    images_.Age();
    image = images_.Insert(key, {});
  }
  // What others have written is for the watch to tell, so that the listener hears of it.
  if (!take(*image)) return;
  const auto& record = image->record.value;
  index_.Take(key, image->record.revision, record ? &*record : nullptr, true);
}

void EtcdView::Forget(const ChannelKey& key) {
  sync::MutexLock lock(mutex_);
  images_.Erase(key);
  doubts_.Age();
  doubts_.Insert(key, {});
}

void EtcdView::ForEach(const std::function<void(const ChannelKey&, bool ended)>& visit) {
  sync::MutexLock lock(mutex_);
  index_.ForEach(visit);
}

std::vector<ChannelKey> EtcdView::Due(absl::Time now, size_t limit) {
  sync::MutexLock lock(mutex_);
  return index_.Due(now, limit);
}

void EtcdView::Listen(StoreListener* listener) {
  sync::MutexLock lock(mutex_);
  listener_ = listener;
  while (listener == nullptr && telling_ != 0) told_.Wait(mutex_);
}

void EtcdView::Tell(const Notices& notices) {
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

void EtcdView::TakeEvents(const etcdserverpb::WatchResponse& response) {
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

std::optional<std::pair<ChannelRef, Role>> EtcdView::OwnPresence(const Event& event) {
  if (event.type() != Event::PUT || !event.kv().value().starts_with(own_beginning_)) return {};
  const auto place = keys_->Parse(event.kv().key());
  if (!place || place->kind != Kind::kPresence) return {};
  const ChannelImage* const image = images_.Find(place->channel);
  if (image == nullptr) return std::pair(ChannelRef(place->channel), place->role);
  if (image->writers[static_cast<size_t>(place->role)].value != writer_) return {};
  return std::pair(ChannelRef(place->channel, image->Initiator()), place->role);
}

void EtcdView::TakeEvent(const Event& event, Notices& notices) {
  const auto place = keys_->Parse(event.kv().key());
  if (!place) return;
  const ChannelKey& key = place->channel;
  const bool exists = event.type() == Event::PUT;
  // A deletion has no value; who made it is told by whether it is news.
  const bool written_here = exists && event.kv().value().starts_with(own_beginning_);
  // Of what a call has done that has failed long since, nobody here has heard.
  const bool own = written_here && doubts_.Find(key) == nullptr;
  switch (place->kind) {
    case Kind::kRecord:
      if (exists && !own && event.kv().create_revision() == event.kv().mod_revision()) {
        ExpectNews(key, event.kv().mod_revision());
      }
      return TakeRecord(key, event.kv(), exists, own, notices);
    case Kind::kFrame: {
      if (!exists || own || images_.Find(key) == nullptr) return;
      last_place_ = place;
      last_revision_ = event.kv().mod_revision();
      last_frame_ = ReadFrame(event.kv().value()).value_or("");
      return;
    }
    case Kind::kNotice:
      if (!exists || written_here) return;
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

// An answer may have told the image before; the listener hears of it here all the same, and of what
// is true now.
void EtcdView::TakeState(const EtcdKeys::Place& place, const Event& event, bool own,
                         Notices& notices) {
  const ChannelKey& key = place.channel;
  const bool exists = event.type() == Event::PUT;
  ChannelImage* const image = images_.Find(key);
  if (image == nullptr) {
    // The listener may have the channel still.
    if (own) return;
    notices.push_back([key](StoreListener& listener) { listener.OnChanged(key, nullptr); });
    return;
  }
  image->Take(place, event.kv(), exists);
  if (own) return;
  if (place.kind == Kind::kArrival) return;  // with it comes the presence, which is told
  if (place.kind == Kind::kPresence) {
    TellPresence(place, *image, notices);
  } else if (exists) {
    TellLog(place, *image, notices);
  }
}

void EtcdView::TellPresence(const EtcdKeys::Place& place, const ChannelImage& image,
                            Notices& notices) {
  const auto& writer = image.writers[static_cast<size_t>(place.role)].value;
  const bool elsewhere = writer.has_value() && *writer != writer_;
  const ChannelRef channel(place.channel, image.Initiator());
  notices.push_back([channel, role = place.role, elsewhere](StoreListener& listener) {
    listener.OnPresence(channel, role, elsewhere);
  });
}

void EtcdView::ExpectNews(const ChannelKey& key, int64_t revision) {
  if (images_.Find(key) != nullptr) return;
  images_.Age();
  images_.Insert(key, ChannelImage::MadeAt(revision));
}

void EtcdView::TakeRecord(const ChannelKey& key, const KeyValue& kv, bool exists, bool own,
                          Notices& notices) {
  std::optional<ChannelRecord> record = exists ? ReadRecord(kv.value()) : std::nullopt;
  // One of a later version that cannot be read: its id is not to be drawn.
  const ChannelRecord unknown{.due_at = absl::InfiniteFuture()};
  const ChannelRecord* known = exists ? &unknown : nullptr;
  const ChannelRecord read = record.value_or(unknown);
  if (record) known = &read;
  if (!index_.Take(key, kv.mod_revision(), known, own)) return;
  std::shared_ptr<ChannelSnapshot> now;
  if (ChannelImage* const image = images_.Find(key)) {
    if (image->record.Take(kv.mod_revision(), std::move(record))) image->lease = kv.lease();
    if (auto snapshot = image->SnapshotFor(writer_)) {
      now = std::make_shared<ChannelSnapshot>(*std::move(snapshot));
    }
  }
  if (own) return;
  const bool ended = known != nullptr && known->ended();
  notices.push_back([key, exists, ended, now](StoreListener& listener) {
    listener.OnId(key, exists, ended);
    listener.OnChanged(key, now.get());
  });
}

void EtcdView::TellLog(const EtcdKeys::Place& place, const ChannelImage& image, Notices& notices) {
  const LogState log = image.LogOf(place.role);
  std::shared_ptr<StoredFrame> frame;
  if (place.kind == Kind::kLog) frame = NewestFrame(place, image, log.stored);
  last_place_.reset();
  const ChannelRef channel(place.channel, image.Initiator());
  notices.push_back([channel, role = place.role, log, frame](StoreListener& listener) {
    listener.OnLog(channel, role, log, frame.get());
  });
}

std::shared_ptr<StoredFrame> EtcdView::NewestFrame(const EtcdKeys::Place& place,
                                                   const ChannelImage& image, uint64_t number) {
  if (number == 0) return nullptr;
  std::vector<StoredFrame> in_log = image.FramesInLog(place.role, number - 1, 0);
  if (!in_log.empty()) return std::make_shared<StoredFrame>(std::move(in_log[0]));
  // What is known may be ahead of the news, and of another channel: its log is not the frame's
  // then.
  const bool came = last_place_ && last_place_->channel == place.channel &&
                    last_place_->role == place.role && last_place_->number == number &&
                    last_revision_ == image.logs[static_cast<size_t>(place.role)].revision;
  if (!came) return nullptr;
  auto frame = std::make_shared<StoredFrame>();
  *frame = {.number = number, .frame = std::move(last_frame_)};
  return frame;
}

void EtcdView::TakeRecords(const std::vector<KeyValue>& records, int64_t revision, bool restored) {
  Notices notices;
  {
    sync::MutexLock lock(mutex_);
    if (restored) index_.Rewind();
    absl::flat_hash_map<ChannelKey, bool> there;
    for (const KeyValue& kv : records) {
      const auto place = keys_->Parse(kv.key());
      if (!place || place->kind != Kind::kRecord) continue;
      there[place->channel] = true;
      TakeRecord(place->channel, kv, true, false, notices);
    }
    for (const ChannelKey& key : index_.DropAllBut(there, revision)) {
      notices.push_back([key](StoreListener& listener) { listener.OnId(key, false, false); });
    }
    images_.Clear();
    notices.push_back([restored](StoreListener& listener) {
      restored ? listener.OnRestored() : listener.OnGap();
    });
  }
  Tell(notices);
}

}  // namespace wormhole::relay
