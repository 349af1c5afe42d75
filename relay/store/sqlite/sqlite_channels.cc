#include "relay/store/sqlite/sqlite_channels.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "relay/store/sqlite/stored_channels.h"
#include "relay/store/status_macros.h"
#include "relay/store/steady_now.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

// Bounds the memory that a batch's answers take until its commit, and its row.
constexpr size_t kMaxBatchBytes = 8 << 20;

// What goes into the tables with one commit, whose answers wait for that: a few milliseconds.
constexpr SqliteBacklog::Most kAtOnce = {.rows = 256, .bytes = 1 << 20};
// Beyond either of these more goes, whatever its age, so that the file and its next reading stay
// short.
constexpr size_t kMostBehind = 16'384;
constexpr size_t kMostBytesBehind = 16 << 20;

// Which no file has: a million a second take thirty thousand years.
constexpr int64_t kMostBatches = int64_t{1} << 60;

}  // namespace

// --- At the start.

absl::Status SqliteChannels::Read() {
  StoredChannels stored;
  RETURN_IF_ERROR(
      tables_.ReadChannels([&](const ChannelKey& key, int64_t batch, KeptChannel channel) {
        RETURN_IF_ERROR(NoteRead(batch));
        return stored.AddRow(key, batch, std::move(channel));
      }));
  RETURN_IF_ERROR(tables_.ReadRests([&](const RestingSide& side) { stored.AddRest(side); }));
  RETURN_IF_ERROR(tables_.ReadBatches([&](int64_t number, std::string_view changes) {
    RETURN_IF_ERROR(NoteRead(number));
    store::StoredBatch batch;
    if (!batch.ParseFromArray(changes.data(), static_cast<int>(changes.size()))) {
      return absl::DataLossError(absl::StrCat("batch ", number, " cannot be read"));
    }
    backlog_.Add(number, changes.size(), batch);
    return stored.Apply(number, batch);
  }));
  return stored.MoveTo(channels_);
}

absl::Status SqliteChannels::NoteRead(int64_t batch) {
  if (batch < 0 || batch > kMostBatches) {
    return absl::DataLossError(absl::StrCat("no relay has written so many batches as ", batch));
  }
  batch_ = std::max(batch_, batch + 1);
  return absl::OkStatus();
}

// --- Calls.

AppendResult SqliteChannels::Append(const ChannelRef& channel, uint64_t version, Role author,
                                    uint64_t number, std::string frame) {
  batch_bytes_ += frame.size();
  return channels_.Append(channel, version, author, number, std::move(frame));
}

std::vector<StoredFrame> SqliteChannels::Read(const ChannelRef& channel, Role author,
                                              uint64_t after, size_t max_bytes) {
  std::vector<StoredFrame> frames = channels_.Read(channel, author, after, max_bytes);
  for (const StoredFrame& frame : frames) batch_bytes_ += frame.frame.size();
  return frames;
}

absl::StatusOr<std::vector<ChannelKey>> SqliteChannels::Due(absl::Time now, size_t limit) {
  // No client may come to a relay that is not ready, so that only this write shows that the store
  // works again.
  if (options_.report.failing()) RETURN_IF_ERROR(db_->Rewrite());
  due_called_ = true;
  return channels_.Due(now, limit);
}

// --- Batches.

absl::Status SqliteChannels::Commit(size_t operations) {
  batch_bytes_ = 0;
  const absl::Duration began = SteadyNow();
  RETURN_IF_ERROR(files_.Check());
  const store::StoredBatch batch = changes_.Describe(channels_);
  std::string changes;
  if (!batch.SerializeToString(&changes)) return StoreAway("a batch is too large");
  SqliteBacklog::Step step = NextStep();
  // Reads succeed on a full disk, so that only a write shows that the trouble is over.
  const bool writes = !changes.empty() || !step.empty() || db_->InTransaction();
  if (!writes) {
    changes_.Clear();
    return absl::OkStatus();
  }
  files_.ForgetSizes();
  absl::Status status = Write(changes, step);
  if (status.ok()) NoteWritten(batch, changes.size(), step);
  status.Update(files_.NoteSizes());
  RETURN_IF_ERROR(status);
  if (fold_failed_.ok()) options_.report.Worked();
  if (options_.on_commit) options_.on_commit(SteadyNow() - began, operations);
  return absl::OkStatus();
}

SqliteBacklog::Step SqliteChannels::NextStep() {
  int64_t last = 0;
  if (std::exchange(due_called_, false)) {
    at_dues_.push_back(batch_);
    if (at_dues_.size() > options_.fold_after) {
      last = at_dues_.front() - 1;
      at_dues_.pop_front();
    }
  }
  SqliteBacklog::Most most = kAtOnce;
  if (backlog_.rows() > kMostBehind || backlog_.bytes() > kMostBytesBehind) {
    last = batch_;
    most = {.rows = std::max(4 * kAtOnce.rows, backlog_.rows() / 16), .bytes = 4 * kAtOnce.bytes};
  }
  if (last == 0) return {};
  const auto bytes_of = [this](const ChannelKey& key) -> size_t {
    const KeptChannel* const channel = channels_.Get(key);
    if (channel == nullptr) return 0;
    return channel->logs[Role::kInitiator].state.bytes + channel->logs[Role::kReceiver].state.bytes;
  };
  return backlog_.Next(last, most, bytes_of, batch_);
}

// What goes into the tables, and cannot, is no reason to fail calls whose batch can be written. It
// leaves `step` empty, and the operator is told, until it goes.
absl::Status SqliteChannels::Write(const std::string& changes, SqliteBacklog::Step& step) {
  if (!step.empty()) {
    fold_failed_ = WriteAtOnce(changes, step);
    if (fold_failed_.ok()) return absl::OkStatus();
    options_.report.Failed(fold_failed_);
    step = {};
    db_->Rollback();
    RETURN_IF_ERROR(db_->BeginOnce());
  }
  return WriteAtOnce(changes, step);
}

absl::Status SqliteChannels::WriteAtOnce(const std::string& changes,
                                         const SqliteBacklog::Step& step) {
  if (!changes.empty()) RETURN_IF_ERROR(tables_.InsertBatch(batch_, changes));
  for (const ChannelKey& key : step.channels) RETURN_IF_ERROR(WriteChannel(key));
  for (const auto& [name, side] : step.rests) {
    RETURN_IF_ERROR(side ? tables_.PutRest(*side) : tables_.DeleteRest(name.first, name.second));
  }
  if (!step.empty()) RETURN_IF_ERROR(tables_.DeleteBatches(step.needed));
  return db_->Commit();
}

// As it is after this batch, of which the row says so.
absl::Status SqliteChannels::WriteChannel(const ChannelKey& key) {
  const KeptChannel* const channel = channels_.Get(key);
  return channel == nullptr ? tables_.DeleteChannel(key)
                            : tables_.PutChannel(key, batch_, *channel);
}

// The file has it, whatever else goes wrong now.
void SqliteChannels::NoteWritten(const store::StoredBatch& batch, size_t bytes,
                                 const SqliteBacklog::Step& step) {
  if (!step.empty()) backlog_.NoteDone(step);
  if (bytes != 0) backlog_.Add(batch_, bytes, batch);
  ++batch_;
  changes_.Clear();
}

void SqliteChannels::Rollback(const absl::Status& cause) {
  options_.report.Failed(cause);
  batch_bytes_ = 0;
  due_called_ = false;
  changes_.TakeBack(channels_);
  changes_.Clear();
  db_->Rollback();
}

bool SqliteChannels::Full() const { return batch_bytes_ >= kMaxBatchBytes; }

}  // namespace wormhole::relay
