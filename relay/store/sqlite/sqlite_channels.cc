#include "relay/store/sqlite/sqlite_channels.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "relay/store/sqlite/stored_channels.h"
#include "relay/store/status_macros.h"
#include "relay/store/steady_now.h"

namespace wormhole::relay {
namespace {

// Bounds the memory that a batch's answers take until its commit.
constexpr size_t kMaxBatchBytes = 8 << 20;

// How many channels go into the tables with one commit, which waits for that: a few milliseconds.
constexpr size_t kFoldAtOnce = 256;
// Beyond either of these more go, whatever their age, so that the file and its next reading stay
// short.
constexpr size_t kMostBacklog = 16'384;
constexpr size_t kMostBacklogBytes = 16 << 20;

// Which no file has: a million a second take thirty thousand years.
constexpr int64_t kMostBatches = int64_t{1} << 60;

}  // namespace

// --- At the start.

absl::Status SqliteChannels::Read() {
  StoredChannels stored;
  RETURN_IF_ERROR(
      tables_.ReadChannels([&](const ChannelKey& key, int64_t batch, KeptChannel channel) {
        batch_ = std::max(batch_, batch + 1);
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
  const std::string changes = batch.SerializeAsString();
  const SqliteBacklog::Step step = NextStep();
  // Reads succeed on a full disk, so that only a write shows that the trouble is over.
  const bool writes = !changes.empty() || !step.empty() || db_->InTransaction();
  if (writes) {
    files_.ForgetSizes();
    absl::Status status = Write(changes, step);
    if (status.ok()) NoteWritten(batch, changes.size(), step);
    status.Update(files_.NoteSizes());
    RETURN_IF_ERROR(status);
    options_.report.Worked();
    if (options_.on_commit) options_.on_commit(SteadyNow() - began, operations);
  }
  changes_.Clear();
  return absl::OkStatus();
}

SqliteBacklog::Step SqliteChannels::NextStep() {
  int64_t last = 0;
  if (std::exchange(due_called_, false)) {
    at_dues_.push_back(batch_);
    if (at_dues_.size() > static_cast<size_t>(options_.fold_after)) {
      last = at_dues_.front() - 1;
      at_dues_.pop_front();
    }
  }
  size_t most = kFoldAtOnce;
  if (backlog_.channels() > kMostBacklog || backlog_.bytes() > kMostBacklogBytes) {
    last = batch_;
    most = std::max(4 * kFoldAtOnce, backlog_.channels() / 16);
  }
  return last == 0 ? SqliteBacklog::Step() : backlog_.Next(last, most, batch_);
}

absl::Status SqliteChannels::Write(const std::string& changes, const SqliteBacklog::Step& step) {
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
