// Writes to the SQLite store FILE until it is killed, and tells each number once it is stored.
// The child of sqlite_kill_test.
//
//   kill_writer FILE
#include "tests/store/kill_writer.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "relay/store/sqlite/sqlite_store.h"

namespace wormhole::relay {
namespace {

// Keeps one append more in flight for each call; each answer makes the next.
class Writer {
 public:
  explicit Writer(Store& store) : store_(store) {}

  void Start(uint64_t stored) {
    next_ = stored + 1;
    for (int i = 0; i < 16; ++i) Next();
  }

 private:
  void Next() {
    const uint64_t number = next_++;
    store_.Append(KilledChannel(), 1, Role::kInitiator, number, KilledFrame(number),
                  [this, number](absl::StatusOr<AppendResult> result) {
                    if (!result.ok() || result->outcome != AppendOutcome::kDone) std::abort();
                    char line[32];
                    const int size =
                        std::snprintf(line, sizeof(line), "%ju\n", static_cast<uintmax_t>(number));
                    if (::write(STDOUT_FILENO, line, static_cast<size_t>(size)) != size)
                      std::abort();
                    Next();
                  });
  }

  Store& store_;
  uint64_t next_ = 0;
};

int Run(const std::string& file) {
  auto store = SqliteStore::Open(file);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
    return 2;
  }
  Writer writer(**store);
  ChannelRecord record;
  record.member(Role::kInitiator).side = std::string(16, 'i');
  (*store)->Put(KilledChannel(), 0, record, {}, [](auto) {});
  (*store)->Load(KilledChannel(), [&](absl::StatusOr<std::optional<ChannelSnapshot>> channel) {
    // On the store's thread, as all that follows: numbers are given and handed over in order.
    writer.Start((*channel)->log(Role::kInitiator).stored);
  });
  (*store)->Flush();
  ::pause();
  return 0;
}

}  // namespace
}  // namespace wormhole::relay

int main(int argc, char** argv) { return argc == 2 ? wormhole::relay::Run(argv[1]) : 2; }
