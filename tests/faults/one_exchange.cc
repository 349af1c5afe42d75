#include "tests/faults/one_exchange.h"

#include <chrono>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/client_access.h"
#include "tests/faults/recording_transport.h"
#include "wormhole/wormhole.h"

namespace wormhole::faults {
namespace {

Options OptionsFor(const ExchangePlan& plan, const std::string& relay,
                   const std::shared_ptr<EventLog>& log) {
  Options options;
  options.app_id = "example.com/faults";
  options.rendezvous = relay;
  options.timeout = plan.timeout;
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
  options.client = ClientAccess::WithTransport(std::make_shared<RecordingTransport>(log)).value();
  return options;
}

void NoteEnd(const std::string& side, Party& party, const std::shared_ptr<EventLog>& log) {
  const absl::StatusOr<std::string> data = party.GetData();
  if (!data.ok()) {
    return log->Add(absl::StrCat(side, "failed ", static_cast<int>(ReasonOf(data.status()))));
  }
  log->Add(side + "got " + HashOf(*data));
  if (party.Finish(absl::Seconds(10)).ok()) log->Add(side + "finished");
}

}  // namespace

void RunExchange(const ExchangePlan& plan, const std::shared_ptr<EventLog>& initiators,
                 const std::shared_ptr<EventLog>& receivers) {
  const std::string data[2] = {plan.name + " from the initiator", plan.name + " from the receiver"};
  const std::string side[2] = {"app " + plan.name + " i ", "app " + plan.name + " r "};
  initiators->Add(side[0] + "started " + HashOf(data[0]));
  Initiator initiator =
      Initiator::Create(OptionsFor(plan, plan.initiators_relay, initiators), data[0]).value();
  const absl::StatusOr<std::string> code = initiator.GetCode();
  if (!code.ok()) return NoteEnd(side[0], initiator, initiators);
  std::this_thread::sleep_for(absl::ToChronoNanoseconds(plan.receiver_after));
  receivers->Add(side[1] + "started " + HashOf(data[1]));
  Receiver receiver =
      Receiver::Create(OptionsFor(plan, plan.receivers_relay, receivers), *code, data[1]).value();
  std::jthread other([&] { NoteEnd(side[1], receiver, receivers); });
  NoteEnd(side[0], initiator, initiators);
}

}  // namespace wormhole::faults
