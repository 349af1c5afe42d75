// Operations per second of a store, under the operations of whole exchanges.
//
//   bazel run -c opt //tests/store:throughput -- memory
//   bazel run -c opt //tests/store:throughput -- sqlite:/var/tmp/wormhole-throughput.db
//
// 16 callers run one exchange after the other, each with one operation at a time.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "relay/channel/record.h"
#include "relay/store/memory/memory_store.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/start_store.h"

namespace wormhole::relay {
namespace {

constexpr int kCallers = 16;
constexpr int kExchangesPerCaller = 2000;

// Steps of one caller; each runs when the one before it is done.
class Caller {
 public:
  Caller(Store& store, int number, std::atomic<int64_t>& operations, std::function<void()> finished)
      : store_(store), number_(number), operations_(operations), finished_(std::move(finished)) {}

  void StartExchange() {
    if (exchange_ == kExchangesPerCaller) return finished_();
    key_ = {"example.com/app", static_cast<uint32_t>(1 + number_ + exchange_ * kCallers)};
    record_ = ChannelRecord();
    record_.created_at = absl::FromUnixSeconds(1'700'000'000 + exchange_);
    record_.due_at = record_.created_at + absl::Hours(1);
    record_.member(Role::kInitiator).side = Side('i');
    ++exchange_;
    step_ = 0;
    Next();
  }

 private:
  template <typename T>
  Store::Done<T> Then() {
    return [this](absl::StatusOr<T> result) {
      if (!result.ok()) {
        std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
        std::abort();
      }
      operations_.fetch_add(1, std::memory_order_relaxed);
      Next();
    };
  }

  std::string Side(char role) const {
    char side[17];
    std::snprintf(side, sizeof(side), "%c%04d-%010d", role, number_, exchange_ * 7919 % 2003);
    return std::string(side, 16);
  }

  void Put(uint64_t expected) { store_.Put(key_, expected, record_, {}, Then<PutOutcome>()); }
  void Append(Role author, uint64_t number) {
    store_.Append(key_, 2, author, number, std::string(200, 'f'), Then<AppendResult>());
  }
  void Accept(Role author, uint64_t number) {
    store_.Accept(key_, author, number, Then<LogState>());
  }
  void FindSide(Role role) {
    store_.FindSide(key_.app_id, record_.member(role).side, Then<std::optional<uint32_t>>());
  }

  void Next() {
    switch (step_++) {
      case 0:
        return FindSide(Role::kInitiator);
      case 1:
        return Put(0);
      case 2:
        return store_.Load(key_, Then<std::optional<ChannelSnapshot>>());
      case 3:
        record_.member(Role::kReceiver).side = Side('r');
        return FindSide(Role::kReceiver);
      case 4:
        return Put(1);
      case 5:
        return Append(Role::kInitiator, 1);
      case 6:
        return Append(Role::kReceiver, 1);
      case 7:
        return Accept(Role::kInitiator, 1);
      case 8:
        return Append(Role::kInitiator, 2);
      case 9:
        return Accept(Role::kReceiver, 1);
      case 10:
        return Append(Role::kReceiver, 2);
      case 11:
        return Append(Role::kInitiator, 3);
      case 12:
        return Append(Role::kReceiver, 3);
      case 13:
        return Accept(Role::kInitiator, 3);
      case 14:
        return Accept(Role::kReceiver, 3);
      case 15:
        record_.member(Role::kInitiator).left = true;
        return Put(2);
      case 16:
        record_.member(Role::kReceiver).left = true;
        record_.life = Life::kClosed;
        record_.due_at += absl::Minutes(10);
        return Put(3);
      case 17:
        return store_.Erase(key_, 4, Then<PutOutcome>());
      default:
        return StartExchange();
    }
  }

  Store& store_;
  const int number_;
  std::atomic<int64_t>& operations_;
  const std::function<void()> finished_;
  ChannelKey key_;
  ChannelRecord record_;
  int exchange_ = 0;
  int step_ = 0;
};

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void MeasureStart(Store& store) {
  int64_t channels = 0;
  const auto begin = std::chrono::steady_clock::now();
  const absl::Status status = StartStore(store, [&](const ChannelKey&, IdState) { ++channels; });
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  std::printf("%jd channels at the start in %.2f s %s\n", static_cast<intmax_t>(channels),
              wall.count(), status.ok() ? "" : status.ToString().c_str());
}

void Measure(Store& store) {
  std::atomic<int64_t> operations = 0;
  std::mutex mutex;
  std::condition_variable changed;
  int running = kCallers;
  std::vector<std::unique_ptr<Caller>> callers;
  callers.reserve(kCallers);
  for (int i = 0; i < kCallers; ++i) {
    callers.push_back(std::make_unique<Caller>(store, i, operations, [&] {
      const std::lock_guard<std::mutex> lock(mutex);
      --running;
      changed.notify_one();
    }));
  }
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = CpuSeconds();
  for (auto& caller : callers) caller->StartExchange();
  store.Flush();
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return running == 0; });
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double total = static_cast<double>(operations.load());
  std::printf("%.0f operations in %.2f s: %.0f/s, %.1f us of CPU each, %.0f exchanges/s\n", total,
              wall.count(), total / wall.count(), (CpuSeconds() - cpu) * 1e6 / total,
              kCallers * kExchangesPerCaller / wall.count());
}

std::unique_ptr<Store> Open(std::string_view name) {
  if (name == "memory") return std::make_unique<MemoryStore>();
  constexpr std::string_view kSqlite = "sqlite:";
  if (name.substr(0, kSqlite.size()) != kSqlite) {
    std::fprintf(stderr, "name a store: memory or sqlite:FILE\n");
    return nullptr;
  }
  auto store = SqliteStore::Open(std::string(name.substr(kSqlite.size())));
  if (store.ok()) return *std::move(store);
  std::fprintf(stderr, "%s\n", store.status().ToString().c_str());
  return nullptr;
}

}  // namespace
}  // namespace wormhole::relay

int main(int argc, char** argv) {
  const auto store = wormhole::relay::Open(argc > 1 ? argv[1] : "memory");
  if (store == nullptr) return 2;
  wormhole::relay::MeasureStart(*store);
  wormhole::relay::Measure(*store);
  return 0;
}
