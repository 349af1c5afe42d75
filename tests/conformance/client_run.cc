#include "tests/conformance/client_run.h"

#include <csignal>
#include <utility>

namespace wormhole::conformance {
namespace {

std::string Filled(std::string command, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string place = "{" + name + "}";
    for (size_t at = 0; (at = command.find(place, at)) != std::string::npos; at += value.size()) {
      command.replace(at, place.size(), value);
    }
  }
  return command;
}

}  // namespace

// `exec`, so that the client itself is what is ended with the suite.
ClientRun::ClientRun(const ClientCommands& commands, std::string command,
                     const std::map<std::string, std::string>& values, const std::string& data)
    : commands_(commands),
      process_({.arguments = {"/bin/sh", "-c", "exec " + Filled(std::move(command), values)},
                .input = data}) {}

std::string ClientRun::WaitForCode() {
  std::string code = process_.WaitForLine(testing::ChildProcess::kErr, commands_.code_prefix);
  return code.substr(0, code.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"));
}

void ClientRun::Kill() {
  process_.Signal(SIGKILL);
  process_.WaitForExit();
}

ClientEnd ClientRun::Wait() {
  const int exit_code = process_.WaitForExit();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  return {.ended = exit_code >= 0,
          .exit_code = exit_code,
          .outcome = commands_.exit_codes.Of(exit_code),
          .seconds = passed.count(),
          .out = process_.out(),
          .err = process_.err()};
}

}  // namespace wormhole::conformance
