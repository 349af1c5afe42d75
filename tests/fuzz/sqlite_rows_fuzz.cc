// The rows of a relay's SQLite file, in which anything may stand: another program has written
// there, or a disk was at fault. Every operation ends with a value or an error.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/sqlite/file_watch.h"
#include "relay/store/sqlite/sqlite_channels.h"
#include "relay/store/sqlite/sqlite_db.h"
#include "relay/store/sqlite/sqlite_schema.h"
#include "sqlite_batch.pb.h"
#include "tests/fuzz/check.h"
#include "tests/support/temp_folder.h"

namespace {

using wormhole::fuzz::Check;
using wormhole::relay::ChannelKey;
using wormhole::relay::ChannelRef;
using wormhole::relay::FileWatch;
using wormhole::relay::IdState;
using wormhole::relay::kRoles;
using wormhole::relay::Role;
using wormhole::relay::SqliteChannels;
using wormhole::relay::SqliteDb;

constexpr char kApp[] = "an.app";

// What follows in the input, until it is at its end: then zeros.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // A small number more often than a large one.
  int64_t Integer() {
    const uint8_t kind = Byte();
    if (kind < 200) return kind % 16;
    uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | Byte();
    return static_cast<int64_t>(number);
  }
  std::string Blob() {
    std::string bytes(Byte() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(Byte());
    return absl::StrCat("x'", absl::BytesToHexString(bytes), "'");
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// One file for all inputs, which is emptied before each.
SqliteDb& File() {
  static const wormhole::testing::TempFolder folder;
  static const std::unique_ptr<SqliteDb> db = [] {
    auto opened = SqliteDb::Open(folder.File("relay.db"), "");
    Check(opened.ok() && wormhole::relay::PrepareSqliteFile(**opened, 4096).ok());
    Check((*opened)->Exec("PRAGMA synchronous = OFF").ok());
    return *std::move(opened);
  }();
  return *db;
}

// As many numbers and blobs as `columns` has letters, in its order: n, b. With a comma before each.
std::string Columns(Input& input, std::string_view columns) {
  std::string values;
  for (const char column : columns) {
    values += ',';
    values += column == 'n' ? std::to_string(input.Integer()) : input.Blob();
  }
  return values;
}

void Fill(wormhole::relay::store::StoredLog& log, Input& input) {
  log.set_stored(static_cast<uint64_t>(input.Integer()));
  log.set_forgotten(static_cast<uint64_t>(input.Integer()));
  log.set_accepted(static_cast<uint64_t>(input.Integer()));
  for (uint8_t left = input.Byte() % 4; left > 0; --left) log.add_frames("a frame");
}

// A batch that can be read, mostly of channels that are there.
std::string Batch(Input& input) {
  wormhole::relay::store::StoredBatch batch;
  for (uint8_t left = 1 + input.Byte() % 3; left > 0; --left) {
    wormhole::relay::store::StoredChange& change = *batch.add_channels();
    change.set_app_id(kApp);
    change.set_id(static_cast<uint32_t>(input.Integer()));
    const uint8_t kinds = input.Byte();
    change.set_erased(kinds % 8 == 0);
    change.set_fresh(kinds % 4 == 1);
    if (kinds % 4 != 2) {
      auto& record = *change.mutable_record();
      record.set_version(static_cast<uint64_t>(input.Integer()));
      record.set_life(static_cast<uint32_t>(input.Integer()));
      record.set_ended_by(static_cast<uint32_t>(input.Integer()));
      record.set_due_at(input.Integer());
      record.set_initiator(std::string(1, static_cast<char>(input.Byte())));
    }
    if (kinds & 16) Fill(*change.mutable_initiator(), input);
    if (kinds & 32) Fill(*change.mutable_receiver(), input);
  }
  if (input.Byte() % 2 == 0) {
    auto& rest = *batch.add_rests();
    rest.set_app_id(kApp);
    rest.set_side(std::string(1, static_cast<char>(input.Byte())));
    rest.set_id(static_cast<uint32_t>(input.Integer()));
    rest.set_until(input.Integer());
  }
  return absl::StrCat("x'", absl::BytesToHexString(batch.SerializeAsString()), "'");
}

// A row of a channel whose id is 1 to 3 more often than anything else; or of one of its logs.
uint64_t ChannelRow(Input& input, uint64_t row) {
  const bool any = input.Byte() % 8 == 0;
  return (any ? static_cast<uint64_t>(input.Integer()) : (uint64_t{1} << 30) + 1) + row % 3;
}

// A few rows of each table, where the schema lets them stand.
void Fill(SqliteDb& db, Input& input) {
  for (const char* table : {"apps", "channels", "frames", "rests", "batches"}) {
    Check(db.Exec(absl::StrCat("DELETE FROM ", table)).ok());
  }
  Check(db.Exec(absl::StrCat("INSERT INTO apps VALUES (1, '", kApp, "')")).ok());
  const auto insert = [&db](const char* table, uint64_t key, const std::string& columns) {
    db.Exec(absl::StrCat("INSERT OR IGNORE INTO ", table, " VALUES (", static_cast<int64_t>(key),
                         columns, ")"))
        .IgnoreError();
  };
  for (uint64_t row = 0; row < 12 && !input.empty(); ++row) {
    const uint64_t channel = ChannelRow(input, row);
    switch (input.Byte() % 4) {
      case 0:
        insert("channels", channel, Columns(input, "nnnnnnbnbnnnnnn"));
        break;
      case 1:
        insert("rests", static_cast<uint64_t>(input.Integer()), Columns(input, "bnn"));
        break;
      case 2: {
        const uint64_t log = channel * 2 + input.Byte() % 2;
        insert("frames", log, Columns(input, "nb"));
        break;
      }
      default:
        insert("batches", row,
               absl::StrCat(",", input.Byte() % 4 == 0 ? input.Blob() : Batch(input)));
    }
  }
}

void UseChannel(SqliteChannels& channels, const ChannelKey& key) {
  const auto loaded = channels.Load(key);
  const uint64_t version = loaded ? loaded->record.version : 0;
  const ChannelRef channel(key);
  for (const Role author : kRoles) {
    const uint64_t stored = loaded ? loaded->log(author).stored : 0;
    channels.Append(channel, version, author, stored + 1, "a frame");
    channels.Read(channel, author, 0, 1000);
    channels.Accept(channel, author, stored).IgnoreError();
  }
  if (!loaded) return;
  wormhole::relay::ChannelRecord record = loaded->record;
  record.member(Role::kReceiver).side = "another";
  ++record.version;
  channels.Put(key, version, record);
  if (key.id % 2 == 0) channels.Erase(key, record.version);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SqliteDb& db = File();
  Input input(data, size);
  Fill(db, input);
  SqliteChannels channels(&db, FileWatch(), {.fold_after = 0});
  if (!channels.Read().ok()) return 0;
  channels.ForEach([](const ChannelKey&, IdState) {});
  for (int batch = 0; batch < 2; ++batch) {
    channels.Due(absl::FromUnixSeconds(1'790'000'000), 100).IgnoreError();
    for (uint32_t id = 0; id <= 3; ++id) UseChannel(channels, {.app_id = kApp, .id = id});
    Check(channels.Commit(1).ok());
  }
  SqliteChannels again(&db, FileWatch(), {});
  Check(again.Read().ok());
  Check(again.stored_bytes() == channels.stored_bytes());
  return 0;
}
