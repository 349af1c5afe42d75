// A program that ends while it uses the library: ends SITUATION END RELAY.
// tests/client/ends_test.cc runs it. As many services are, without exceptions and without RTTI, in
// C++17.
#include <semaphore.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "wormhole/wormhole.h"

namespace {

// Of static storage: their destructors run at the end of the process, if it has them run.
std::unique_ptr<wormhole::Initiator> static_initiator;
std::unique_ptr<wormhole::Receiver> static_receiver;
std::shared_ptr<wormhole::Client> static_client;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  _exit(70);
}

template <typename T>
T Take(absl::StatusOr<T> result) {
  if (!result.ok()) Fail(result.status().ToString());
  return *std::move(result);
}

struct Handles {
  std::unique_ptr<wormhole::Initiator> initiator;
  std::unique_ptr<wormhole::Receiver> receiver;
};

wormhole::Options OptionsFor(const std::string& relay) {
  wormhole::Options options;
  options.app_id = "example.com/ends";
  options.rendezvous = relay;
  options.security = wormhole::Security::kPlaintext;
  return options;
}

// Nobody has the code.
Handles UnderWay(const wormhole::Options& options) {
  Handles handles;
  handles.initiator =
      std::make_unique<wormhole::Initiator>(Take(wormhole::Initiator::Create(options, "a")));
  Take(handles.initiator->GetCode());
  return handles;
}

Handles Done(const wormhole::Options& options) {
  Handles handles = UnderWay(options);
  handles.receiver = std::make_unique<wormhole::Receiver>(
      Take(wormhole::Receiver::Create(options, Take(handles.initiator->GetCode()), "b")));
  if (Take(handles.initiator->GetData()) != "b") Fail("other data");
  if (Take(handles.receiver->GetData()) != "a") Fail("other data");
  return handles;
}

// A callback is running, and does not return.
Handles InACallback(const wormhole::Options& options) {
  static sem_t begun;
  static sem_t never;
  sem_init(&begun, 0, 0);
  sem_init(&never, 0, 0);
  Handles handles = UnderWay(options);
  handles.initiator->WhenCode([](const absl::StatusOr<std::string>&) {
    sem_post(&begun);
    sem_wait(&never);
  });
  sem_wait(&begun);
  return handles;
}

// The relay says nothing, or is not there: a first try is under way, or a look at why it failed.
Handles Unanswered(const wormhole::Options& options) {
  Handles handles;
  handles.initiator =
      std::make_unique<wormhole::Initiator>(Take(wormhole::Initiator::Create(options, "a")));
  return handles;
}

Handles Begin(const std::string& situation, const std::string& relay) {
  wormhole::Options options = OptionsFor(relay);
  if (situation == "static") {
    static_client = Take(wormhole::Client::Create());
    options.client = static_client;
    Handles handles = Done(options);
    static_receiver = std::move(handles.receiver);
    static_initiator = std::move(UnderWay(options).initiator);
    return {};
  }
  if (situation == "done") return Done(options);
  if (situation == "under_way") return UnderWay(options);
  if (situation == "callback") return InACallback(options);
  if (situation == "unanswered") return Unanswered(options);
  Fail("no such situation: " + situation);
}

void ShutDown(Handles handles) {
  handles = Handles();
  static_initiator.reset();
  static_receiver.reset();
  absl::Status status = wormhole::ShutdownCommonClient(absl::Minutes(1));
  if (status.ok() && static_client != nullptr) status = static_client->Shutdown(absl::Minutes(1));
  static_client.reset();
  if (!status.ok()) Fail(status.ToString());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) Fail("ends SITUATION END RELAY");
  Handles handles = Begin(argv[1], argv[3]);
  const std::string end = argv[2];
  if (end == "exit") exit(0);
  if (end == "exit_elsewhere") {
    std::thread([] { exit(0); }).detach();
    while (true) pause();
  }
  if (end == "quick_exit") quick_exit(0);
  if (end == "_exit") _exit(0);
  if (end == "shutdown") ShutDown(std::move(handles));
  return 0;
}
