#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/bench/latch.h"
#include "tests/bench/pair_numbers.h"
#include "tests/bench/ping_pong.h"
#include "tests/bench/sections.h"
#include "tests/bench/statistics.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

// Two calls for one trip: as many messages, and as many times that somebody is woken.
class UnaryTrips {
 public:
  explicit UnaryTrips(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {
    request_.set_service(std::string(PingPong::kFrameBytes, 'f'));
  }

  std::vector<double> Run(uint64_t trips) {
    calls_left_ = 2 * trips;
    samples_.clear();
    started_at_ = NowMicros();
    Call();
    finished_.Wait("unary calls");
    return std::move(samples_);
  }

 private:
  void Call() {
    context_ = std::make_unique<grpc::ClientContext>();
    stub_.async()->Check(context_.get(), &request_, &response_,
                         [this](const grpc::Status&) { OnAnswer(); });
  }
  void OnAnswer() {
    if (--calls_left_ % 2 == 0) {
      const double now = NowMicros();
      samples_.push_back(now - std::exchange(started_at_, now));
    }
    calls_left_ == 0 ? finished_.CountDown() : Call();
  }

  grpc::health::v1::Health::Stub stub_;
  grpc::health::v1::HealthCheckRequest request_;
  grpc::health::v1::HealthCheckResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
  uint64_t calls_left_ = 0;
  double started_at_ = 0;
  std::vector<double> samples_;
  Latch finished_{1};
};

void AddRows(const std::vector<PairSubject>& subjects, const PairNumbers& unary, Report& report) {
  struct Quantity {
    const char* section;
    const char* name;
    const char* unit;
    std::vector<double> PairNumbers::*values;
    bool aimed;
  };
  static constexpr Quantity kQuantities[] = {
      {"round trip, 256 B", "p50", "us", &PairNumbers::p50, true},
      {"round trip, 256 B", "p99", "us", &PairNumbers::p99, true},
      {"server CPU per message", "one pair", "us", &PairNumbers::cpu, false},
      {"server CPU per message", "16 pairs at once", "us", &PairNumbers::busy_cpu, false},
      {"messages, 16 pairs at once", "rate", "per s", &PairNumbers::busy_rate, false}};
  for (const Quantity& q : kQuantities) {
    const std::vector<double>& floor = subjects[0].numbers.*q.values;
    for (const PairSubject& subject : subjects) {
      const Kind kind = subject.server->kind();
      Row row =
          RowOfRounds(q.section, q.name, NameOf(kind), q.unit, subject.numbers.*q.values, floor);
      if (q.aimed && kind != Kind::kFloor) {
        row.aim = Aim{.limit = kind == Kind::kMemory ? 1.2 : 1.3};
      }
      report.Add(std::move(row));
    }
    if (!(unary.*q.values).empty()) {
      report.Add(RowOfRounds(q.section, q.name, "two unary calls", q.unit, unary.*q.values, floor));
    }
  }
}

}  // namespace

void MeasureRoundTrips(const Setting& setting, Report& report) {
  const int rounds = setting.quick ? 3 : 13;
  const uint64_t trips = setting.quick ? 80 : 1600;
  std::vector<PairSubject> subjects;
  for (const Kind kind : {Kind::kFloor, Kind::kMemory, Kind::kSqlite}) {
    subjects.emplace_back(std::make_unique<Server>(kind, setting.folder));
  }
  PairNumbers unary;
  for (int round = 0; round < rounds; ++round) {
    for (PairSubject& subject : subjects) MeasureOnePair(subject, trips);
    UnaryTrips calls(subjects[0].first);
    const std::vector<double> samples = calls.Run(trips);
    unary.p50.push_back(Percentile(samples, 0.5));
    unary.p99.push_back(Percentile(samples, 0.99));
    for (PairSubject& subject : subjects) MeasureSixteenPairs(subject, trips);
  }
  AddRows(subjects, unary, report);
}

}  // namespace wormhole::bench
