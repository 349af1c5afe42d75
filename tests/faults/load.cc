#include "tests/faults/load.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/client_access.h"
#include "tests/faults/recording_transport.h"

namespace wormhole::faults {
namespace {

using Clock = std::chrono::steady_clock;

// Enough that those at the front have said goodbye long ago.
constexpr size_t kMostClosing = 200;
// Of a fault that lasts: what has not ended by the timeout and this is lost.
constexpr absl::Duration kGrace = absl::Seconds(30);

}  // namespace

struct Load::Events {
  std::mutex mutex;
  std::condition_variable changed;
  std::multimap<Clock::time_point, Event> due;

  void Put(Event event, absl::Duration after = absl::ZeroDuration()) {
    const std::scoped_lock lock(mutex);
    due.emplace(Clock::now() + absl::ToChronoNanoseconds(after), std::move(event));
    changed.notify_all();
  }
  // The next event when its time has come; nothing when `end` comes first.
  std::optional<Event> Next(Clock::time_point end) {
    std::unique_lock lock(mutex);
    while (due.empty() || due.begin()->first > Clock::now()) {
      if (Clock::now() >= end) return std::nullopt;
      changed.wait_until(lock, due.empty() ? end : std::min(end, due.begin()->first));
    }
    return std::move(due.extract(due.begin()).mapped());
  }
};

Load::Load(LoadPlan plan, const std::shared_ptr<EventLog>& initiators,
           const std::shared_ptr<EventLog>& receivers)
    : plan_(std::move(plan)),
      logs_{initiators, receivers},
      events_(std::make_shared<Events>()),
      random_(plan_.seed) {
  for (int end = 0; end < 2; ++end) {
    for (int i = 0; i < plan_.connections; ++i) {
      clients_[end].push_back(
          ClientAccess::WithTransport(std::make_shared<RecordingTransport>(logs_[end])).value());
    }
  }
}

Load::~Load() = default;

void Load::Run() {
  std::uniform_real_distribution<double> share(0, 1);
  for (int i = 0; i < plan_.exchanges; ++i) {
    events_->Put({.what = What::kBegin, .exchange = i}, plan_.spread * share(random_));
  }
  open_ = plan_.exchanges;
  const auto end =
      Clock::now() + absl::ToChronoNanoseconds(plan_.spread + 2 * plan_.timeout + kGrace);
  while (open_ > 0) {
    std::optional<Event> event = events_->Next(end);
    if (!event.has_value()) break;
    Handle(*std::move(event));
  }
  while (!closing_.empty()) Goodbye();
  done_ = true;
}

void Load::Handle(Event event) {
  switch (event.what) {
    case What::kBegin:
      return Begin(event.exchange);
    case What::kCode: {
      if (!event.value.ok()) return;  // WhenData tells of it too
      Exchange& own = exchanges_[event.exchange];
      own.code = *event.value;
      ++own.open_ends;
      std::uniform_real_distribution<double> share(0, 1);
      return events_->Put({.what = What::kReceive, .exchange = event.exchange},
                          plan_.receiver_after * share(random_));
    }
    case What::kReceive:
      return Receive(event.exchange);
    case What::kData:
      return OnData(event);
  }
}

template <typename Side>
void Load::Expect(int exchange, bool receiver, Side& side) {
  Note(exchange, receiver, "started " + HashOf(DataOf(exchange, receiver)));
  side.WhenData([events = events_, exchange, receiver](absl::StatusOr<std::string> data) {
    events->Put({What::kData, exchange, receiver, std::move(data)});
  });
}

void Load::Begin(int exchange) {
  Exchange& own = exchanges_[exchange];
  own.initiator = Initiator::Create(OptionsOf(exchange, false), DataOf(exchange, false)).value();
  Expect(exchange, false, *own.initiator);
  own.initiator->WhenCode([events = events_, exchange](absl::StatusOr<std::string> code) {
    events->Put({What::kCode, exchange, false, std::move(code)});
  });
}

void Load::Receive(int exchange) {
  Exchange& own = exchanges_[exchange];
  own.receiver =
      Receiver::Create(OptionsOf(exchange, true), own.code, DataOf(exchange, true)).value();
  Expect(exchange, true, *own.receiver);
}

void Load::OnData(const Event& event) {
  if (event.value.ok()) {
    Note(event.exchange, event.receiver, "got " + HashOf(*event.value));
  } else {
    Note(event.exchange, event.receiver,
         absl::StrCat("failed ", static_cast<int>(ReasonOf(event.value.status()))));
  }
  const auto own = exchanges_.find(event.exchange);
  // A second delivery is in the log, for the checker.
  if (own == exchanges_.end() || --own->second.open_ends != 0) return;
  --open_;
  closing_.push_back(event.exchange);
  if (closing_.size() > kMostClosing) Goodbye();
}

void Load::Goodbye() {
  const int exchange = closing_.front();
  closing_.pop_front();
  Exchange& own = exchanges_[exchange];
  constexpr absl::Duration kLimit = absl::Seconds(10);
  if (own.initiator && own.initiator->Finish(kLimit).ok()) Note(exchange, false, "finished");
  if (own.receiver && own.receiver->Finish(kLimit).ok()) Note(exchange, true, "finished");
  exchanges_.erase(exchange);
}

Options Load::OptionsOf(int exchange, bool receiver) const {
  Options options;
  options.app_id = "example.com/faults";
  options.rendezvous = plan_.relay;
  options.security = Security::kPlaintext;  // also where an address is no loopback's
  options.timeout = plan_.timeout;
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(200)}};
  options.client = clients_[receiver ? 1 : 0][exchange % plan_.connections];
  if (exchange % 2 == 1) options.on_save = [](std::string_view) { return absl::OkStatus(); };
  return options;
}

std::string Load::DataOf(int exchange, bool receiver) const {
  const std::string name = absl::StrCat(exchange, receiver ? "r" : "i");
  return name + std::string((exchange * 37) % 4000, receiver ? 'r' : 'i');
}

void Load::Note(int exchange, bool receiver, const std::string& what) {
  logs_[receiver ? 1 : 0]->Add(absl::StrCat("app ", exchange, receiver ? " r " : " i ", what));
}

}  // namespace wormhole::faults
