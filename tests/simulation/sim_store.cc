#include "tests/simulation/sim_store.h"

#include <utility>

#include "proto/error/error_detail.h"

namespace wormhole::simulation {

using relay::ChannelKey;
using relay::ChannelRecord;
using relay::ChannelRef;
using relay::Role;

SimStore::SimStore(const Stage* stage, StorePlan plan, SimRandom random)
    : stage_(stage), plan_(plan), random_(random), tables_(Replay()), durable_tables_(Replay()) {}

void SimStore::Later(absl::Duration most, std::function<void()> action) {
  stage_->loop->After(random_.Between(absl::ZeroDuration(), most),
                      [this, process = process_, action = std::move(action)] {
                        if (process == process_) action();
                      });
}

template <typename T>
void SimStore::Add(std::function<absl::StatusOr<T>(Tables&)> work, Done<T> done, bool changes,
                   bool early) {
  Call call;
  call.run = [work, done](Tables& tables) -> std::function<void()> {
    return [result = work(tables), done] { done(result); };
  };
  call.fail = [done](const absl::Status& status) { done(status); };
  if (changes) call.again = [work](Tables& tables) { (void)work(tables); };
  call.early = early;
  queue_.push_back(std::move(call));
  if (busy_) return;
  busy_ = true;
  Later(absl::Microseconds(200), [this] { StartBatch(); });
}

void SimStore::StartBatch() {
  const size_t size = 1 + random_.Below(static_cast<uint32_t>(queue_.size()));
  Batch batch;
  for (size_t i = 0; i < size; ++i) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (away_ || (stage_->stormy() && random_.Chance(plan_.failing_batches))) {
    Later(plan_.max_commit,
          [this, batch = std::move(batch)]() mutable { FailBatch(std::move(batch)); });
    return;
  }
  Answers answers;
  for (Call& call : batch) {
    std::function<void()> answer = call.run(*tables_);
    if (call.early) {
      Later(absl::Microseconds(10), std::move(answer));
    } else {
      answers.push_back(std::move(answer));
    }
  }
  Later(plan_.max_commit, [this, batch = std::move(batch), answers = std::move(answers)]() mutable {
    FinishBatch(std::move(batch), std::move(answers));
  });
}

void SimStore::MakeDurable(Call& call) {
  if (!call.again) return;
  call.again(*durable_tables_);
  durable_.push_back(std::move(call.again));
}

void SimStore::FinishBatch(Batch batch, Answers answers) {
  last_batch_ = durable_.size();
  for (Call& call : batch) MakeDurable(call);
  // Between here and the answer a crash leaves changes that nobody has heard of.
  Later(absl::Microseconds(500), [this, answers = std::move(answers)] {
    busy_ = false;
    for (const auto& answer : answers) {
      if (plan_.scattered_answers) {
        Later(absl::Milliseconds(5), answer);
      } else {
        answer();
      }
    }
    if (busy_ || queue_.empty()) return;
    busy_ = true;
    StartBatch();
  });
}

// Nothing is known of the effect: it may have come to be, or not.
void SimStore::FailBatch(Batch batch) {
  if (!away_ && random_.Chance(0.5)) {
    for (Call& call : batch) {
      if (!call.again) continue;
      call.again(*tables_);
      MakeDurable(call);
    }
  }
  stage_->trace->Line("store: a batch of ", batch.size(), " fails");
  busy_ = false;
  const absl::Status status =
      error::Make(error::ErrorDetail::REASON_STORE_AWAY, "the simulated store is away",
                  {.retry_delay = absl::Milliseconds(200)});
  for (const Call& call : batch) call.fail(status);
  if (busy_ || queue_.empty()) return;
  busy_ = true;
  Later(plan_.max_commit, [this] { StartBatch(); });
}

std::unique_ptr<SimStore::Tables> SimStore::Replay() const {
  auto tables = std::make_unique<Tables>();
  for (const Work& work : durable_) work(*tables);
  return tables;
}

void SimStore::Crash() {
  ++process_;
  busy_ = false;
  queue_.clear();
  if (stage_->flaws.forgotten_commit) durable_.resize(std::min(last_batch_, durable_.size()));
  tables_ = Replay();
  durable_tables_ = Replay();
}

void SimStore::Forget() {
  durable_.clear();
  Crash();
}

bool SimStore::IsDurableMember(const std::string& app_id, const std::string& side) const {
  return durable_tables_->FindSide(app_id, side).has_value();
}

std::string SimStore::PeerOf(const std::string& app_id, const std::string& side) const {
  const std::optional<uint32_t> id = durable_tables_->FindSide(app_id, side);
  const auto channel = id ? durable_tables_->Load({app_id, *id}) : std::nullopt;
  if (!channel) return "";
  for (Role role : relay::kRoles) {
    if (channel->record.member(role).side == side) return channel->record.member(Other(role)).side;
  }
  return "";
}

bool SimStore::HasChannels() const {
  bool any = false;
  tables_->ForEach([&any](const ChannelKey&, relay::IdState) { any = true; });
  return any;
}

absl::Status SimStore::Start(relay::StoreListener* listener) {
  tables_->ForEach(
      [listener](const ChannelKey& key, relay::IdState state) { listener->OnId(key, state); });
  return absl::OkStatus();
}

void SimStore::Load(const ChannelKey& key, Done<std::optional<relay::ChannelSnapshot>> done) {
  Add<std::optional<relay::ChannelSnapshot>>(
      [key](Tables& tables) -> absl::StatusOr<std::optional<relay::ChannelSnapshot>> {
        return tables.Load(key);
      },
      std::move(done), false);
}

void SimStore::FindSide(std::string_view app_id, std::string_view side,
                        Done<std::optional<uint32_t>> done) {
  Add<std::optional<uint32_t>>(
      [app_id = std::string(app_id), side = std::string(side)](Tables& tables)
          -> absl::StatusOr<std::optional<uint32_t>> { return tables.FindSide(app_id, side); },
      std::move(done), false);
}

void SimStore::Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
                   const relay::PutOptions& options, Done<relay::PutOutcome> done) {
  Add<relay::PutOutcome>(
      [this, key, expected, record, options](Tables& tables) -> absl::StatusOr<relay::PutOutcome> {
        return PutFlawed(tables, key, expected, record, options);
      },
      std::move(done), true, stage_->flaws.opened_before_commit);
}

relay::PutOutcome SimStore::PutFlawed(Tables& tables, const ChannelKey& key, uint64_t expected,
                                      const ChannelRecord& record,
                                      const relay::PutOptions& options) {
  const std::optional<relay::ChannelSnapshot> before = tables.Load(key);
  const bool follows = before.has_value() && before->record.ended() && expected > 0 &&
                       before->record.version == expected;
  if (follows && stage_->flaws.sides_let_go) {
    // The same version as else, without a memory of who was there.
    (void)tables.Erase(key, expected);
    for (uint64_t version = 0; version < expected; ++version) {
      (void)tables.Put(key, version, record);
    }
  }
  const relay::PutOutcome outcome = tables.Put(key, expected, record, options);
  if (outcome == relay::PutOutcome::kDone && BreaksRest(before, record)) ++broken_rests_;
  if (!stage_->flaws.inherited_cursor || outcome != relay::PutOutcome::kDone) return outcome;
  for (Role author : relay::kRoles) {
    uint64_t& cursor = inheritance_[key][author];
    if (record.ended() && before.has_value()) cursor = before->log(author).accepted;
    if (follows && cursor > 0) (void)tables.Accept(key, author, cursor);
  }
  return outcome;
}

void SimStore::Erase(const ChannelKey& key, uint64_t expected, Done<relay::PutOutcome> done) {
  Add<relay::PutOutcome>(
      [key, expected](Tables& tables) -> absl::StatusOr<relay::PutOutcome> {
        return tables.Erase(key, expected);
      },
      std::move(done), true);
}

void SimStore::Append(const ChannelRef& channel, uint64_t version, Role author, uint64_t number,
                      std::string frame, Done<relay::AppendResult> done) {
  Add<relay::AppendResult>(
      [channel, version, author, number,
       frame = std::move(frame)](Tables& tables) -> absl::StatusOr<relay::AppendResult> {
        return tables.Append(channel, version, author, number, frame);
      },
      std::move(done), true, stage_->flaws.posted_before_commit);
}

void SimStore::Accept(const ChannelRef& channel, Role author, uint64_t cursor,
                      Done<relay::LogState> done) {
  if (stage_->flaws.early_forget) ++cursor;
  Add<relay::LogState>(
      [channel, author, cursor](Tables& tables) { return tables.Accept(channel, author, cursor); },
      std::move(done), true);
}

void SimStore::Read(const ChannelRef& channel, Role author, uint64_t after, size_t max_bytes,
                    Done<std::vector<relay::StoredFrame>> done) {
  using Frames = std::vector<relay::StoredFrame>;
  Add<Frames>(
      [channel, author, after, max_bytes](Tables& tables) -> absl::StatusOr<Frames> {
        return tables.Read(channel, author, after, max_bytes);
      },
      std::move(done), false);
}

void SimStore::Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) {
  using Keys = std::vector<ChannelKey>;
  // A change: it forgets sides.
  Add<Keys>([now, limit](Tables& tables) -> absl::StatusOr<Keys> { return tables.Due(now, limit); },
            std::move(done), true);
}

}  // namespace wormhole::simulation
