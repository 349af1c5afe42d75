#include "tests/store/blocking_store.h"

#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"

namespace wormhole::relay {
namespace {

template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : T();
}

}  // namespace

absl::Time At(int seconds) { return absl::FromUnixSeconds(1'700'000'000 + seconds); }

std::string Side(std::string_view name) {
  std::string side(name);
  side.resize(16, '\0');
  return side;
}

ChannelRecord Record(std::string_view initiator, std::string_view receiver, int created) {
  ChannelRecord record;
  record.created_at = At(created);
  record.due_at = At(created) + absl::Hours(1);
  record.member(Role::kInitiator).side = Side(initiator);
  if (!receiver.empty()) record.member(Role::kReceiver).side = Side(receiver);
  return record;
}

ChannelRecord Closed(ChannelRecord record) {
  record.life = Life::kClosed;
  record.ended_by = rendezvous::v1::MOOD_HAPPY;
  return record;
}

template <typename T>
absl::StatusOr<T> BlockingStore::Await(const std::function<void(Store::Done<T>)>& call) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<T>>>();
  std::future<absl::StatusOr<T>> future = answer->get_future();
  call([answer](absl::StatusOr<T> result) { answer->set_value(std::move(result)); });
  store_.Flush();
  if (settle_) settle_();
  return future.get();
}

std::optional<ChannelSnapshot> BlockingStore::Load(const ChannelKey& key) {
  return ValueOf(
      Await<std::optional<ChannelSnapshot>>([&](auto done) { store_.Load(key, std::move(done)); }));
}

std::optional<uint32_t> BlockingStore::FindSide(std::string_view app_id, std::string_view side) {
  return ValueOf(Await<std::optional<uint32_t>>(
      [&](auto done) { store_.FindSide(app_id, side, std::move(done)); }));
}

PutOutcome BlockingStore::Put(const ChannelKey& key, uint64_t expected, const ChannelRecord& record,
                              const PutOptions& options) {
  return ValueOf(TryPut(key, expected, record, options));
}

absl::StatusOr<PutOutcome> BlockingStore::TryPut(const ChannelKey& key, uint64_t expected,
                                                 const ChannelRecord& record,
                                                 const PutOptions& options) {
  return Await<PutOutcome>(
      [&](auto done) { store_.Put(key, expected, record, options, std::move(done)); });
}

PutOutcome BlockingStore::Erase(const ChannelKey& key, uint64_t expected) {
  return ValueOf(
      Await<PutOutcome>([&](auto done) { store_.Erase(key, expected, std::move(done)); }));
}

AppendResult BlockingStore::Append(const ChannelRef& channel, uint64_t version, Role author,
                                   uint64_t number, std::string_view frame) {
  return ValueOf(TryAppend(channel, version, author, number, frame));
}

absl::StatusOr<AppendResult> BlockingStore::TryAppend(const ChannelRef& channel, uint64_t version,
                                                      Role author, uint64_t number,
                                                      std::string_view frame) {
  return Await<AppendResult>([&](auto done) {
    store_.Append(channel, version, author, number, std::string(frame), std::move(done));
  });
}

absl::StatusOr<LogState> BlockingStore::Accept(const ChannelRef& channel, Role author,
                                               uint64_t cursor) {
  return Await<LogState>(
      [&](auto done) { store_.Accept(channel, author, cursor, std::move(done)); });
}

std::vector<StoredFrame> BlockingStore::Read(const ChannelRef& channel, Role author, uint64_t after,
                                             size_t max_bytes) {
  return ValueOf(Await<std::vector<StoredFrame>>(
      [&](auto done) { store_.Read(channel, author, after, max_bytes, std::move(done)); }));
}

std::vector<ChannelKey> BlockingStore::Due(absl::Time now, size_t limit) {
  return ValueOf(
      Await<std::vector<ChannelKey>>([&](auto done) { store_.Due(now, limit, std::move(done)); }));
}

bool IsStoreAway(const absl::Status& status) {
  const auto detail = error::DetailOf(status);
  return absl::IsUnavailable(status) && detail.has_value() &&
         detail->reason() == error::ErrorDetail::REASON_STORE_AWAY && detail->has_retry_delay() &&
         status.message().find('\n') == absl::string_view::npos;
}

}  // namespace wormhole::relay
