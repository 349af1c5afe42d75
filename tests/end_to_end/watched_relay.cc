#include "tests/end_to_end/watched_relay.h"

#include <stdlib.h>

#include <future>
#include <utility>

#include "absl/strings/str_join.h"
#include "tests/support/attach_client.h"
#include "tests/support/http_client.h"
#include "tests/support/reflection_client.h"
#include "wormhole/rendezvous/v1/inspection.grpc.pb.h"

namespace wormhole::testing {
namespace {

Output PrintedConfig(std::vector<std::string> arguments) {
  arguments.push_back("--print-config");
  ChildProcess process({.arguments = std::move(arguments)});
  process.WaitForExit();
  return {"print-config", process.out() + process.err()};
}

}  // namespace

WatchedRelay::WatchedRelay(const std::string& folder, const std::string& app_id,
                           const std::vector<std::string>& flags)
    : arguments_({getenv("WORMHOLE_RELAY"), "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
                  "--metrics-listen=127.0.0.1:0", "--metrics-apps=" + app_id,
                  "--store=sqlite:" + folder + "/relay.db", "--log-level=debug"}) {
  arguments_.insert(arguments_.end(), flags.begin(), flags.end());
  process_ = std::make_unique<ChildProcess>(ChildProcess::Options{.arguments = arguments_});
  address_ = process_->WaitForLine(ChildProcess::kOut, "listening on ");
  admin_ = process_->WaitForLine(ChildProcess::kOut, "admin on ");
  metrics_ = process_->WaitForLine(ChildProcess::kOut, "metrics on ");
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
  std::vector<Output> outputs = {PrintedConfig(arguments_), {"metrics", page.head + page.body}};
  service_test::ReflectionClient admin(admin_);
  for (const char* method : {"GetRelay", "ListApps", "ListChannels"}) {
    const auto answers = admin.Call("wormhole.rendezvous.v1.InspectionService", method, "{}");
    outputs.push_back({method, answers.ok() ? absl::StrJoin(*answers, "\n") : ""});
  }
  return outputs;
}

int WatchedRelay::End(int signal) {
  process_->Signal(signal);
  const int status = process_->WaitForExit();
  watcher_.join();
  return status;
}

std::vector<Output> WatchedRelay::Written() const {
  return {{"events", events_},
          {"standard output", process_->out()},
          {"standard error", process_->err()}};
}

}  // namespace wormhole::testing
