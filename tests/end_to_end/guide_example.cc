// The examples of client/README.md, as a program for the relay that $WORMHOLE_RENDEZVOUS names.
// `tests/lint/run readme` checks that the page shows these very lines.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "wormhole/wormhole.h"

namespace {

// --- Errors

std::string WhatNext(const absl::Status& status) {
  switch (wormhole::ReasonOf(status)) {
    case wormhole::Reason::kWrongCode:
    case wormhole::Reason::kUnproven:
    case wormhole::Reason::kNoSuchCode:
      return "that was not the right code, or it is used up: ask for a new one";
    case wormhole::Reason::kTimeout:
    case wormhole::Reason::kPeerGaveUp:
      return "the other side did not come in time";
    case wormhole::Reason::kUnreachable:
      std::clog << wormhole::DetailsOf(status) << std::endl;  // what gRPC said
      return "the relay cannot be reached";
    default:
      return std::string(status.message());  // says what happened, and what to do
  }
}

// --- Callbacks

class Invitation : public std::enable_shared_from_this<Invitation> {
 public:
  // `done` runs once, on a thread of the library.
  static absl::StatusOr<std::shared_ptr<Invitation>> Start(
      const wormhole::Options& options, std::string data,
      std::function<void(absl::StatusOr<std::string>)> done) {
    absl::StatusOr<wormhole::Initiator> side =
        wormhole::Initiator::Create(options, std::move(data));
    if (!side.ok()) return side.status();
    std::shared_ptr<Invitation> made(new Invitation(*std::move(side)));
    made->side_.WhenCode([weak = made->weak_from_this()](absl::StatusOr<std::string> code) {
      if (auto self = weak.lock(); self != nullptr && code.ok()) self->Show(*code);
    });
    made->side_.WhenData(std::move(done));
    return made;
  }

 private:
  explicit Invitation(wormhole::Initiator side) : side_(std::move(side)) {}
  void Show(const std::string& code) { std::cout << "code: " << code << std::endl; }

  wormhole::Initiator side_;  // destroying it ends the callbacks
};

// --- End of the process

absl::Status LeaveNothing(wormhole::Client& client) {
  const absl::Status status = client.Shutdown(absl::Seconds(5));  // a Client of your own
  if (!status.ok()) return status;  // says what is left, as a callback that has not returned
  return wormhole::ShutdownCommonClient(absl::Seconds(5));  // that of exchanges without one
}

// --- Saved state

// When it returns OK, the state is on the disk, whole, whatever happens next.
absl::Status SaveTo(const std::string& path, std::string_view state) {
  const std::string next = path + ".next";
  const int file = open(next.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, "cannot write " + next);
  const bool written =
      write(file, state.data(), state.size()) == static_cast<ssize_t>(state.size()) &&
      fsync(file) == 0;
  const int error = errno;
  close(file);
  if (!written) return absl::ErrnoToStatus(error, "cannot write " + next);
  if (rename(next.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, "cannot rename to " + path);
  }
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  const int entry = open(folder.empty() ? "." : folder.c_str(), O_DIRECTORY | O_CLOEXEC);
  const bool synced = entry >= 0 && fsync(entry) == 0;
  if (entry >= 0) close(entry);
  return synced ? absl::OkStatus() : absl::UnavailableError("cannot sync the folder of " + path);
}

absl::StatusOr<wormhole::Initiator> BeginOrGoOn(wormhole::Options options,
                                                const std::string& path) {
  options.on_save = [path](std::string_view state) { return SaveTo(path, state); };
  std::ifstream saved(path);
  if (!saved) return wormhole::Initiator::Create(options, "from the initiator");
  std::stringstream state;
  state << saved.rdbuf();
  return wormhole::Initiator::FromSerialized(state.str(), options);
}

absl::StatusOr<std::string> Seal(const wormhole::Initiator& initiator,
                                 const unsigned char (&key)[32]) {
  return initiator.SerializeSealed(key, sizeof(key));
}

// --- Timeouts and schedules

wormhole::Options ForDays(wormhole::Options options) {
  options.timeout = absl::Hours(72);
  options.schedule = {{absl::ZeroDuration(), absl::Minutes(1)},  // the first five minutes
                      {absl::Minutes(5), absl::Hours(1)}};       // then hourly
  options.check_in = true;  // no stream between the tries; the sides need not meet
  return options;
}

// --- TLS and tokens

wormhole::Options Private(wormhole::Options options, std::string roots, std::string token) {
  options.rendezvous = "relay.example.com:443";      // not loopback: TLS
  options.tls.root_certificates = std::move(roots);  // PEM; empty: the system's
  options.bearer_token = std::move(token);
  return options;
}

// --- Many exchanges

absl::Status Many(wormhole::Options options) {
  absl::StatusOr<std::shared_ptr<wormhole::Client>> client = wormhole::Client::Create();
  if (!client.ok()) return client.status();
  options.client = *client;  // in the options of all exchanges
  std::vector<wormhole::Initiator> waiting;
  for (int i = 0; i < 100; ++i) {
    absl::StatusOr<wormhole::Initiator> initiator = wormhole::Initiator::Create(options, "hello");
    if (!initiator.ok()) return initiator.status();
    waiting.push_back(*std::move(initiator));
  }
  for (wormhole::Initiator& initiator : waiting) {
    if (absl::StatusOr<std::string> code = initiator.GetCode(); !code.ok()) return code.status();
  }
  return LeaveNothing(**client);
}

// --- What a test does with them.

absl::StatusOr<std::string> Answer(const wormhole::Options& options, const std::string& code) {
  absl::StatusOr<wormhole::Receiver> receiver =
      wormhole::Receiver::Create(options, code, "from the receiver");
  if (!receiver.ok()) return receiver.status();
  return receiver->GetData();
}

absl::Status GoOnFromAFile(const wormhole::Options& options, const std::string& path) {
  std::string code;
  for (int process = 0; process < 2; ++process) {
    absl::StatusOr<wormhole::Initiator> initiator = BeginOrGoOn(options, path);
    if (!initiator.ok()) return initiator.status();
    absl::StatusOr<std::string> shown = initiator->GetCode();
    if (!shown.ok()) return shown.status();
    if (process > 0 && *shown != code) return absl::InternalError("another code: " + *shown);
    code = *shown;
    const unsigned char key[32] = {1};
    if (absl::StatusOr<std::string> sealed = Seal(*initiator, key); !sealed.ok()) {
      return sealed.status();
    }
  }
  absl::StatusOr<wormhole::Initiator> initiator = BeginOrGoOn(options, path);
  if (!initiator.ok()) return initiator.status();
  if (auto data = Answer(options, code); !data.ok()) return data.status();
  return initiator->GetData().status();
}

absl::Status WithCallbacks(const wormhole::Options& options) {
  std::promise<absl::StatusOr<std::string>> data;
  auto invitation = Invitation::Start(
      options, "hello",
      [&data](absl::StatusOr<std::string> theirs) { data.set_value(std::move(theirs)); });
  if (!invitation.ok()) return invitation.status();
  std::string code;
  if (!std::getline(std::cin, code)) return absl::CancelledError("no code");
  if (auto theirs = Answer(options, code); !theirs.ok()) return theirs.status();
  return data.get_future().get().status();
}

absl::Status RefusedOnes(const wormhole::Options& options) {
  // Each of these finds out at once, or is cut off by the end of the process.
  auto patient = wormhole::Initiator::Create(ForDays(options), "hello");
  if (!patient.ok()) return patient.status();
  const auto secret = wormhole::Initiator::Create(Private(options, "", "two words"), "hello");
  std::cout << WhatNext(secret.status()) << std::endl;
  const auto nobody = Answer(options, "999999999-able-zoo");
  std::cout << WhatNext(nobody.status()) << std::endl;
  return absl::OkStatus();
}

}  // namespace

// guide_example callbacks (the code on standard input) | saved FILE | many | refused
int main(int argc, char** argv) {
  wormhole::Options options;
  options.app_id = "example.com/guide";
  const std::string command = argc > 1 ? argv[1] : "";
  const absl::Status status = command == "callbacks"           ? WithCallbacks(options)
                              : command == "saved" && argc > 2 ? GoOnFromAFile(options, argv[2])
                              : command == "many"              ? Many(options)
                                                               : RefusedOnes(options);
  if (!status.ok()) std::cerr << status << std::endl;
  return status.ok() ? 0 : 1;
}
