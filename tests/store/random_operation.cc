#include "tests/store/random_operation.h"

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/store/blocking_store.h"
#include "tests/store/start_store.h"

namespace wormhole::relay {
namespace {

using Kind = RandomOperation::Kind;

constexpr std::array<const char*, 2> kApps = {"a", "example.com/second"};
constexpr uint32_t kIds = 3;
constexpr uint64_t kSides = 8;
constexpr size_t kMany = 1000;

uint64_t Below(std::mt19937_64& random, uint64_t bound) { return random() % bound; }

std::string NumberedSide(uint64_t number) { return Side(absl::StrCat("side ", number)); }

// Results in words.
std::string Words(PutOutcome outcome) { return absl::StrCat("put ", static_cast<int>(outcome)); }
std::string Words(const LogState& log) {
  return absl::StrCat(log.stored, "/", log.forgotten, "/", log.accepted, "/", log.bytes);
}
std::string Words(const AppendResult& result) {
  return absl::StrCat("append ", static_cast<int>(result.outcome), " ", Words(result.log));
}
std::string Words(const std::optional<uint32_t>& id) {
  return id.has_value() ? absl::StrCat("id ", *id) : "none";
}
std::string Words(const std::vector<StoredFrame>& frames) {
  std::string words;
  for (const StoredFrame& frame : frames) {
    absl::StrAppend(&words, frame.number, ":", frame.frame.size(), ":",
                    absl::CEscape(frame.frame.substr(0, 20)), " ");
  }
  return words;
}
std::string Words(std::vector<ChannelKey> keys) {
  // Those of one time come in any order.
  std::sort(keys.begin(), keys.end());
  std::string words = "due";
  for (const ChannelKey& key : keys) absl::StrAppend(&words, " ", key.app_id, "/", key.id);
  return words;
}
std::string Words(const std::optional<ChannelSnapshot>& channel) {
  if (!channel.has_value()) return "none";
  const ChannelRecord& record = channel->record;
  std::string words = absl::StrCat(
      "v", record.version, record.named ? " named" : "", " life ", static_cast<int>(record.life),
      " mood ", static_cast<int>(record.ended_by), " created ",
      absl::ToUnixMicros(record.created_at), " due ", absl::ToUnixMicros(record.due_at));
  for (const Member& member : record.members) {
    absl::StrAppend(&words, " ", absl::CEscape(member.side), member.left ? " left" : "");
  }
  for (const LogState& log : channel->logs) absl::StrAppend(&words, " ", Words(log));
  return words;
}

ChannelRecord DrawRecord(std::mt19937_64& random) {
  ChannelRecord record = Record("", "", static_cast<int>(Below(random, 1000)));
  record.named = Below(random, 2) == 0;
  record.member(Role::kInitiator).side = NumberedSide(Below(random, kSides));
  return record;
}

// A change that a channel goes through: claim, leave, end.
ChannelRecord ChangeRecord(ChannelRecord record, std::mt19937_64& random) {
  Member& receiver = record.member(Role::kReceiver);
  if (receiver.side.empty()) receiver.side = NumberedSide(kSides / 2 + Below(random, kSides));
  if (Below(random, 3) == 0) receiver.left = true;
  if (Below(random, 4) == 0) {
    record = Closed(record);
    record.due_at += absl::Minutes(10);
  }
  return record;
}

void DrawPut(const std::optional<ChannelSnapshot>& channel, std::mt19937_64& random,
             RandomOperation& operation) {
  const bool anew = !channel.has_value() || channel->record.ended();
  operation.record = anew ? DrawRecord(random) : ChangeRecord(channel->record, random);
  if (Below(random, 20) == 0) ++operation.version;
  if (anew || Below(random, 3) != 0) return;
  for (const Role author : kRoles) {
    operation.accepted[author] = Below(random, channel->log(author).stored + 3);
  }
}

void DrawAppend(const LogState& log, std::mt19937_64& random, RandomOperation& operation) {
  operation.number = log.stored + 1;
  if (Below(random, 8) == 0) operation.number = Below(random, log.stored + 3);
  // The frame of a number is mostly the same one.
  const size_t size = 1 + operation.number * 97 % 700 * (Below(random, 30) == 0 ? 90 : 1);
  operation.bytes = std::string(size, static_cast<char>('a' + operation.number % 26));
}

}  // namespace

RandomOperation DrawOperation(const MemoryChannels& model, std::mt19937_64& random) {
  constexpr std::array<Kind, 13> kKinds = {
      Kind::kPut,      Kind::kPut,    Kind::kPut,    Kind::kErase, Kind::kAppend,
      Kind::kAppend,   Kind::kAppend, Kind::kAccept, Kind::kLoad,  Kind::kRead,
      Kind::kFindSide, Kind::kAppend, Kind::kDue};
  RandomOperation operation;
  operation.kind = kKinds[Below(random, kKinds.size())];
  operation.now = At(static_cast<int>(Below(random, 6000)));
  operation.key = {kApps[Below(random, kApps.size())],
                   static_cast<uint32_t>(1 + Below(random, kIds))};
  operation.author = Below(random, 2) == 0 ? Role::kInitiator : Role::kReceiver;
  const std::optional<ChannelSnapshot> channel = model.Load(operation.key);
  if (channel.has_value()) operation.version = channel->record.version;
  const LogState log = channel.has_value() ? channel->log(operation.author) : LogState();
  // Few are erased, or there would be none.
  if (operation.kind == Kind::kErase && Below(random, 3) != 0) operation.kind = Kind::kAccept;
  if (operation.kind == Kind::kPut) DrawPut(channel, random, operation);
  if (operation.kind == Kind::kAppend) DrawAppend(log, random, operation);
  if (operation.kind == Kind::kAccept) operation.number = Below(random, log.stored + 2);
  if (operation.kind == Kind::kRead) operation.number = Below(random, log.stored + 1);
  if (operation.kind == Kind::kFindSide) operation.bytes = NumberedSide(Below(random, kSides));
  return operation;
}

std::string Carry(const RandomOperation& op, MemoryChannels& model) {
  switch (op.kind) {
    case Kind::kPut:
      return Words(model.Put(op.key, op.version, op.record, {.accepted = op.accepted}));
    case Kind::kErase:
      return Words(model.Erase(op.key, op.version));
    case Kind::kAppend:
      return Words(model.Append(op.key, op.version, op.author, op.number, op.bytes));
    case Kind::kAccept: {
      const absl::StatusOr<LogState> log = model.Accept(op.key, op.author, op.number);
      return log.ok() ? Words(*log) : "gone";
    }
    case Kind::kLoad:
      return Words(model.Load(op.key));
    case Kind::kRead:
      return Words(model.Read(op.key, op.author, op.number, op.max_bytes));
    case Kind::kFindSide:
      return Words(model.FindSide(op.key.app_id, op.bytes));
    case Kind::kDue:
      return Words(model.Due(op.now, kMany));
  }
  return "";
}

void Carry(const RandomOperation& op, Store& store,
           std::function<void(absl::StatusOr<std::string>)> done) {
  const auto in_words = [done = std::move(done)](const auto& result) {
    if (result.ok()) return done(Words(*result));
    absl::IsNotFound(result.status()) ? done("gone") : done(result.status());
  };
  switch (op.kind) {
    case Kind::kPut:
      return store.Put(op.key, op.version, op.record, {.accepted = op.accepted}, in_words);
    case Kind::kErase:
      return store.Erase(op.key, op.version, in_words);
    case Kind::kAppend:
      return store.Append(op.key, op.version, op.author, op.number, op.bytes, in_words);
    case Kind::kAccept:
      return store.Accept(op.key, op.author, op.number, in_words);
    case Kind::kLoad:
      return store.Load(op.key, in_words);
    case Kind::kRead:
      return store.Read(op.key, op.author, op.number, op.max_bytes, in_words);
    case Kind::kFindSide:
      return store.FindSide(op.key.app_id, op.bytes, in_words);
    case Kind::kDue:
      return store.Due(op.now, kMany, in_words);
  }
}

namespace {

// What reads everything that the random operations can have written.
std::vector<RandomOperation> ReadingOperations() {
  std::vector<RandomOperation> all;
  for (const char* app : kApps) {
    for (uint32_t id = 1; id <= kIds; ++id) {
      const ChannelKey key = {app, id};
      all.push_back({.kind = Kind::kLoad, .key = key});
      for (const Role author : {Role::kInitiator, Role::kReceiver}) {
        all.push_back({.kind = Kind::kRead, .key = key, .author = author, .max_bytes = 1 << 30});
      }
    }
    for (uint64_t side = 0; side < 2 * kSides; ++side) {
      all.push_back({.kind = Kind::kFindSide, .key = {app, 1}, .bytes = NumberedSide(side)});
    }
  }
  all.push_back({.kind = Kind::kDue});
  return all;
}

std::function<void(const ChannelKey&, IdState)> NoteIn(std::vector<std::string>& lines) {
  return [&lines](const ChannelKey& key, IdState state) {
    lines.push_back(absl::StrCat(key.app_id, " ", key.id, " ", static_cast<int>(state)));
  };
}

}  // namespace

std::string Describe(const MemoryChannels& model) {
  std::vector<std::string> lines;
  model.ForEach(NoteIn(lines));
  std::sort(lines.begin(), lines.end());
  for (const RandomOperation& operation : ReadingOperations()) {
    if (operation.kind == Kind::kDue) {
      lines.push_back(Words(model.FindDue(absl::InfiniteFuture(), kMany)));
    } else {
      // Only reads.
      lines.push_back(Carry(operation, const_cast<MemoryChannels&>(model)));
    }
  }
  return absl::StrJoin(lines, "\n");
}

std::string Describe(Store& store) {
  std::vector<std::string> lines;
  const absl::Status status = StartStore(store, NoteIn(lines));
  std::sort(lines.begin(), lines.end());
  if (!status.ok()) lines.push_back(status.ToString());
  for (const RandomOperation& operation : ReadingOperations()) {
    const auto line = std::make_shared<std::promise<std::string>>();
    Carry(operation, store, [line](absl::StatusOr<std::string> answer) {
      line->set_value(answer.ok() ? *answer : answer.status().ToString());
    });
    store.Flush();
    lines.push_back(line->get_future().get());
  }
  return absl::StrJoin(lines, "\n");
}

}  // namespace wormhole::relay
