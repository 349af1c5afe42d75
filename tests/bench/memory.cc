#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/latch.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/sections.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

// Sides that have allocated a channel and wait for somebody to come.
class Waiters {
 public:
  explicit Waiters(const Server& server) : server_(server) {}

  ~Waiters() {
    for (const auto& side : sides_) side->Cancel();
    for (const auto& over : over_) over->Wait("the end of the streams");
  }

  // Some at a time: listeners have a backlog of 4,096 at best.
  void Add(int count, bool own_connections) {
    constexpr int kAtOnce = 100;
    for (int done = 0; done < count; done += kAtOnce) {
      AddSome(std::min(kAtOnce, count - done), own_connections);
    }
  }

 private:
  void AddSome(int count, bool own_connections) {
    Latch opened(count);
    over_.push_back(std::make_unique<Latch>(count));
    Latch* const over = over_.back().get();
    for (int i = 0; i < count; ++i) {
      if (own_connections || shared_ == nullptr) shared_ = Connect(server_.address());
      const uint32_t id = server_.kind() == Kind::kFloor ? ++ids_ : 0;
      sides_.push_back(RawSide::Start(
          shared_, OpenAllocate(id),
          [&opened](RawSide&, const AttachResponse& response) {
            if (response.has_opened()) opened.CountDown();
          },
          [over](const grpc::Status&, const Traffic&) { over->CountDown(); }));
    }
    opened.Wait("waiting sides");
  }

  const Server& server_;
  std::shared_ptr<grpc::Channel> shared_;
  uint32_t ids_ = 0;
  std::vector<std::shared_ptr<RawSide>> sides_;
  std::vector<std::unique_ptr<Latch>> over_;
};

// KiB for each side. A fresh server each time: what a process once had it seldom gives back.
double MeasureOnce(Kind kind, bool own_connections, int count, const Setting& setting) {
  const Server server(kind, setting.folder);
  Waiters waiters(server);
  waiters.Add(count / 10, own_connections);
  const double before = ResidentKib(server.pid());
  waiters.Add(count, own_connections);
  return (ResidentKib(server.pid()) - before) / count;
}

}  // namespace

void MeasureMemory(const Setting& setting, Report& report) {
  constexpr int kSpareDescriptors = 200;
  const int count =
      std::min(setting.quick ? 100 : 2000, (RaiseDescriptorLimit() - kSpareDescriptors) * 10 / 11);
  const int rounds = setting.quick ? 1 : 3;
  static constexpr Kind kKinds[] = {Kind::kFloor, Kind::kMemory, Kind::kSqlite};
  for (const bool own : {true, false}) {
    std::array<std::vector<double>, 3> numbers;
    for (int round = 0; round < rounds; ++round) {
      for (size_t i = 0; i < 3; ++i) {
        numbers[i].push_back(MeasureOnce(kKinds[i], own, count, setting));
      }
    }
    for (size_t i = 0; i < 3; ++i) {
      Row row = RowOfRounds("memory per waiting side", own ? "own connection" : "shared connection",
                            NameOf(kKinds[i]), "KiB", numbers[i], numbers[0]);
      if (i != 0) row.aim = Aim{.limit = 1.2};
      report.Add(std::move(row));
    }
  }
}

}  // namespace wormhole::bench
