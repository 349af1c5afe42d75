// One side of an exchange as a program that kills itself where it is told to, for clients_killed:
//
//   crashing_side initiate NAME RELAY STATES LOG TIMEOUT POINT
//   crashing_side receive  NAME RELAY STATES LOG TIMEOUT POINT CODE
//   crashing_side resume-initiator|resume-receiver NAME RELAY STATES LOG TIMEOUT POINT FILE
//
// POINT is KIND:N, its N-th step of that kind, from 1: before-save and after-save (the state is in
// its file then), before-send and after-send (a request has been given to gRPC), before-response
// (the relay has said something, and the library has not heard it). N = 0: it lives. State number K
// goes to STATES.K. TIMEOUT is in seconds. Prints `code CODE` and `saved K`, and exits with 0 when
// the exchange ended in one way or the other.
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "client/client_access.h"
#include "tests/faults/event_log.h"
#include "tests/faults/recording_transport.h"
#include "wormhole/wormhole.h"

namespace wormhole::faults {
namespace {

struct Arguments {
  std::string command, name, relay, states, log;
  int timeout_seconds = 0;
  std::string kind;
  int step = 0;
  std::string last;  // CODE or FILE
};

Arguments Read(char** argv) {
  const std::string point = argv[7];
  const size_t colon = point.find(':');
  return {.command = argv[1],
          .name = argv[2],
          .relay = argv[3],
          .states = argv[4],
          .log = argv[5],
          .timeout_seconds = atoi(argv[6]),
          .kind = point.substr(0, colon),
          .step = atoi(point.c_str() + colon + 1),
          .last = argv[8] == nullptr ? "" : argv[8]};
}

class Side {
 public:
  explicit Side(Arguments arguments)
      : arguments_(std::move(arguments)), log_(std::make_shared<EventLog>(arguments_.log)) {
    while (std::ifstream(StateFile(saved_ + 1))) ++saved_;  // of earlier lives
  }

  int Run() {
    if (arguments_.command == "initiate") {
      Begin("i", "started " + HashOf(Data(false)));
      return Live(Initiator::Create(MakeOptions(), Data(false)));
    }
    if (arguments_.command == "receive") {
      Begin("r", "started " + HashOf(Data(true)));
      return Live(Receiver::Create(MakeOptions(), arguments_.last, Data(true)));
    }
    std::ifstream file(arguments_.last);
    std::stringstream state;
    state << file.rdbuf();
    if (arguments_.command == "resume-initiator") {
      Begin("i", "restored");
      return Live(Initiator::FromSerialized(state.str(), MakeOptions()));
    }
    Begin("r", "restored");
    return Live(Receiver::FromSerialized(state.str(), MakeOptions()));
  }

 private:
  std::string StateFile(int number) const { return absl::StrCat(arguments_.states, ".", number); }
  std::string Data(bool receiver) const {
    return arguments_.name + (receiver ? " from the receiver" : " from the initiator");
  }

  // Dies at the step that was asked for.
  void Step(std::string_view kind, std::atomic<int>& count) {
    if (arguments_.kind == kind && ++count == arguments_.step) raise(SIGKILL);
  }

  Options MakeOptions() {
    Options options;
    options.app_id = "example.com/faults";
    options.rendezvous = arguments_.relay;
    options.timeout = absl::Seconds(arguments_.timeout_seconds);
    options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
    options.on_save = [this](std::string_view state) { return Save(state); };
    options.client = ClientAccess::WithTransport(
                         std::make_shared<RecordingTransport>(
                             log_, StepHooks{[this] { Step("before-send", sends_); },
                                             [this] { Step("after-send", sent_); },
                                             [this] { Step("before-response", heard_); }}))
                         .value();
    return options;
  }

  absl::Status Save(std::string_view state) {
    Step("before-save", saves_);
    const std::string file = StateFile(++saved_);
    std::ofstream(file + ".new", std::ios::trunc) << std::string(state);
    if (rename((file + ".new").c_str(), file.c_str()) != 0) {
      return absl::InternalError("could not rename the state file");
    }
    std::cout << "saved " << saved_ << std::endl;
    Step("after-save", saves_done_);
    return absl::OkStatus();
  }

  // Before there is an exchange: its first save may be the end.
  void Begin(const char* role, const std::string& what) {
    role_ = role;
    Note(what);
  }
  void Note(const std::string& what) {
    log_->Add(absl::StrCat("app ", arguments_.name, " ", role_, " ", what));
  }

  void NoteEnd(const absl::StatusOr<std::string>& data) {
    if (data.ok()) return Note("got " + HashOf(*data));
    std::cerr << data.status() << std::endl;
    Note(absl::StrCat("failed ", static_cast<int>(ReasonOf(data.status()))));
  }

  template <typename Party>
  int Live(absl::StatusOr<Party> party) {
    if (!party.ok()) {
      NoteEnd(party.status());
      return 0;
    }
    if constexpr (std::is_same_v<Party, Initiator>) {
      party->WhenCode([](absl::StatusOr<std::string> code) {
        std::cout << "code " << code.value_or("") << std::endl;
      });
    }
    const absl::StatusOr<std::string> data = party->GetData();
    NoteEnd(data);
    party->Finish(absl::Seconds(10)).IgnoreError();
    return 0;
  }

  const Arguments arguments_;
  const std::shared_ptr<EventLog> log_;
  std::string role_;
  int saved_ = 0;  // states, over all lives
  std::atomic<int> saves_ = 0, saves_done_ = 0, sends_ = 0, sent_ = 0, heard_ = 0;
};

}  // namespace
}  // namespace wormhole::faults

int main(int argc, char** argv) {
  if (argc < 8) return 2;
  // Never destroyed: a hook of it may still be running.
  static auto* const side = new wormhole::faults::Side(wormhole::faults::Read(argv));
  return side->Run();
}
