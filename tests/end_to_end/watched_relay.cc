#include "tests/end_to_end/watched_relay.h"

#include <future>
#include <utility>

#include "absl/strings/str_join.h"
#include "tests/support/attach_client.h"
#include "tests/support/http_client.h"
#include "tests/support/reflection_client.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"

namespace wormhole::testing {
namespace {

std::vector<std::string> FlagsOf(const std::string& folder, const std::string& app_id,
                                 const std::vector<std::string>& others) {
  std::vector<std::string> flags = {"--listen=127.0.0.1:0",
                                    "--admin-listen=127.0.0.1:0",
                                    "--metrics-listen=127.0.0.1:0",
                                    "--metrics-apps=" + app_id,
                                    "--store=sqlite:" + folder + "/relay.db",
                                    "--log-level=debug"};
  flags.insert(flags.end(), others.begin(), others.end());
  return flags;
}

Output PrintedConfig(std::vector<std::string> flags) {
  flags.push_back("--print-config");
  RelayProcess process(std::move(flags));
  process.AwaitExit();
  return {"print-config", process.output() + process.error()};
}

}  // namespace

WatchedRelay::WatchedRelay(const std::string& folder, const std::string& app_id,
                           const std::vector<std::string>& flags)
    : flags_(FlagsOf(folder, app_id, flags)), process_(flags_) {
  address_ = process_.AwaitListening();
  admin_ = process_.AwaitLine("admin on ");
  metrics_ = process_.AwaitLine("metrics on ");
  WatchEvents();
}

WatchedRelay::~WatchedRelay() {
  if (!watcher_.joinable()) return;
  watching_.TryCancel();
  watcher_.join();
}

void WatchedRelay::WatchEvents() {
  std::promise<void> told;
  watcher_ = std::thread([this, &told] {
    const auto stub = rendezvous::v1::InspectionService::NewStub(service_test::Connect(admin_));
    const auto events = stub->WatchEvents(&watching_, rendezvous::v1::WatchEventsRequest());
    rendezvous::v1::WatchEventsResponse response;
    if (events->Read(&response)) events_ += response.ShortDebugString() + "\n";
    told.set_value();
    while (events->Read(&response)) events_ += response.ShortDebugString() + "\n";
    events_ += events->Finish().error_message();
  });
  told.get_future().wait();
}

std::vector<Output> WatchedRelay::Look() {
  const service_test::HttpResponse page = service_test::HttpGet(metrics_);
  std::vector<Output> outputs = {PrintedConfig(flags_), {"metrics", page.head + page.body}};
  service_test::ReflectionClient admin(admin_);
  for (const char* method : {"GetRelay", "ListApps", "ListChannels"}) {
    const auto answers = admin.Call("wormhole.rendezvous.v1.InspectionService", method, "{}");
    outputs.push_back({method, answers.ok() ? absl::StrJoin(*answers, "\n") : ""});
  }
  return outputs;
}

int WatchedRelay::End(int signal) {
  process_.Signal(signal);
  const int status = process_.AwaitExit();
  watcher_.join();
  return status;
}

std::vector<Output> WatchedRelay::Written() const {
  return {{"events", events_},
          {"standard output", process_.output()},
          {"standard error", process_.error()}};
}

}  // namespace wormhole::testing
