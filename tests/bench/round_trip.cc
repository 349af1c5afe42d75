#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/bench/latch.h"
#include "tests/bench/ping_pong.h"
#include "tests/bench/raw_side.h"
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

// What is collected of one subject over the rounds.
struct Numbers {
  std::vector<double> p50, p99, cpu, busy_rate, busy_cpu;
};

struct Subject {
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> first, second;
  Numbers numbers;
};

void MeasureOnePair(Subject& subject, uint64_t trips) {
  PingPong pair(subject.server->kind(), subject.first, subject.second);
  pair.Start(trips / 10);
  pair.Wait();
  const double cpu = CpuMicros(subject.server->pid());
  pair.Start(trips);
  const std::vector<double> samples = pair.Wait();
  const double used = CpuMicros(subject.server->pid()) - cpu;
  subject.numbers.p50.push_back(Percentile(samples, 0.5));
  subject.numbers.p99.push_back(Percentile(samples, 0.99));
  subject.numbers.cpu.push_back(used / static_cast<double>(2 * trips));
}

void MeasureSixteenPairs(Subject& subject, uint64_t trips) {
  std::vector<std::unique_ptr<PingPong>> pairs;
  for (int i = 0; i < 16; ++i) {
    pairs.push_back(
        std::make_unique<PingPong>(subject.server->kind(), subject.first, subject.second));
  }
  const double cpu = CpuMicros(subject.server->pid());
  const double began = NowMicros();
  for (auto& pair : pairs) pair->Start(trips / 8);
  for (auto& pair : pairs) pair->Wait();
  const double seconds = (NowMicros() - began) / 1e6;
  const double messages = static_cast<double>(16 * (trips / 8) * 2);
  subject.numbers.busy_rate.push_back(messages / seconds);
  subject.numbers.busy_cpu.push_back((CpuMicros(subject.server->pid()) - cpu) / messages);
}

void AddRows(const std::array<Subject, 3>& subjects, const Numbers& unary, Report& report) {
  struct Quantity {
    const char* section;
    const char* name;
    const char* unit;
    std::vector<double> Numbers::*values;
    bool aimed;
  };
  static constexpr Quantity kQuantities[] = {
      {"round trip, 256 B", "p50", "us", &Numbers::p50, true},
      {"round trip, 256 B", "p99", "us", &Numbers::p99, true},
      {"server CPU per message", "one pair", "us", &Numbers::cpu, false},
      {"server CPU per message", "16 pairs at once", "us", &Numbers::busy_cpu, false},
      {"messages, 16 pairs at once", "rate", "per s", &Numbers::busy_rate, false}};
  for (const Quantity& q : kQuantities) {
    const double floor = Median(subjects[0].numbers.*q.values);
    for (const Subject& subject : subjects) {
      const Kind kind = subject.server->kind();
      const double value = Median(subject.numbers.*q.values);
      Row row = {q.section, q.name, NameOf(kind), value, q.unit, value / floor, std::nullopt};
      if (q.aimed && kind != Kind::kFloor)
        row.aim = Aim{.limit = kind == Kind::kMemory ? 1.2 : 1.3};
      report.Add(std::move(row));
    }
    if (!(unary.*q.values).empty()) {
      const double value = Median(unary.*q.values);
      report.Add({q.section, q.name, "two unary calls", value, q.unit, value / floor, {}});
    }
  }
}

}  // namespace

void MeasureRoundTrips(const Setting& setting, Report& report) {
  const int rounds = setting.quick ? 1 : 9;
  const uint64_t trips = setting.quick ? 160 : 2000;
  std::array<Subject, 3> subjects;
  for (size_t i = 0; i < subjects.size(); ++i) {
    Subject& subject = subjects[i];
    subject.server = std::make_unique<Server>(static_cast<Kind>(i), setting.folder);
    subject.first = Connect(subject.server->address());
    subject.second = Connect(subject.server->address());
  }
  Numbers unary;
  for (int round = 0; round < rounds; ++round) {
    for (Subject& subject : subjects) MeasureOnePair(subject, trips);
    UnaryTrips calls(subjects[0].first);
    const std::vector<double> samples = calls.Run(trips);
    unary.p50.push_back(Percentile(samples, 0.5));
    unary.p99.push_back(Percentile(samples, 0.99));
    for (Subject& subject : subjects) MeasureSixteenPairs(subject, trips);
  }
  AddRows(subjects, unary, report);
}

}  // namespace wormhole::bench
