// One side of an exchange as a program that kills itself at its N-th save, for phases_test:
//
//   mortal_side initiate|receive|resume RELAY STATE_FILE N before|after [CODE]
//
// `before` dies instead of saving, `after` once the state is in the file. N = 0: it lives. Prints
// `code CODE` and `data DATA`.
#include <signal.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "client/wormhole.h"

namespace {

using wormhole::Initiator;
using wormhole::Options;
using wormhole::Receiver;

struct Mortality {
  std::string path;
  int last_save = 0;
  bool after = false;
  int saves = 0;

  absl::Status Save(std::string_view state) {
    const bool dies = ++saves == last_save;
    if (dies && !after) raise(SIGKILL);
    {
      std::ofstream file(path + ".new", std::ios::trunc);
      file << std::string(state);
    }
    if (rename((path + ".new").c_str(), path.c_str()) != 0) {
      return absl::InternalError("could not rename the state file");
    }
    if (dies) raise(SIGKILL);
    return absl::OkStatus();
  }
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

template <typename Side>
int Finish(absl::StatusOr<Side> side) {
  if (!side.ok()) {
    std::cerr << side.status() << std::endl;
    return 1;
  }
  if constexpr (std::is_same_v<Side, Initiator>) {
    side->WhenCode([](absl::StatusOr<std::string> code) {
      if (code.ok()) std::cout << "code " << *code << std::endl;
    });
  }
  const absl::StatusOr<std::string> data = side->GetData();
  if (!data.ok()) {
    std::cerr << data.status() << std::endl;
    return 1;
  }
  std::cout << "data " << *data << std::endl;
  return side->Finish(absl::Seconds(30)).ok() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  const std::string_view command = argv[1];
  Mortality mortality{
      .path = argv[3], .last_save = atoi(argv[4]), .after = std::string_view(argv[5]) == "after"};
  Options options;
  options.app_id = "example.com/phases";
  options.rendezvous = argv[2];
  options.timeout = absl::Minutes(2);
  options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
  options.on_save = [&mortality](std::string_view state) { return mortality.Save(state); };
  if (command == "initiate") return Finish(Initiator::Create(options, "from the initiator"));
  if (command == "receive") return Finish(Receiver::Create(options, argv[6], "from the receiver"));
  const std::string state = ReadFile(mortality.path);
  return wormhole::RoleOf(state).value() == wormhole::SavedRole::kInitiator
             ? Finish(Initiator::FromSerialized(state, options))
             : Finish(Receiver::FromSerialized(state, options));
}
