// What a service author writes first: both sides of an exchange in one process, through the relay
// that $WORMHOLE_RENDEZVOUS names. All consumers compile it, each in its own way, with C++17, with
// or without exceptions.
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wormhole/wormhole.h"

namespace {

absl::Status Expect(const std::string& wanted, const absl::StatusOr<std::string>& got) {
  if (!got.ok()) return got.status();
  if (*got != wanted) return absl::DataLossError("got '" + *got + "' in place of '" + wanted + "'");
  return absl::OkStatus();
}

// With a code whose words are other ones; a receiver that failed so must say why.
absl::Status GuessWrong(const wormhole::Options& options) {
  absl::StatusOr<wormhole::Initiator> initiator = wormhole::Initiator::Create(options, "secret");
  if (!initiator.ok()) return initiator.status();
  absl::StatusOr<std::string> code = initiator->GetCode();
  if (!code.ok()) return code.status();

  const std::string number = code->substr(0, code->find('-'));
  const bool is_zoo = *code == number + "-zoo-zoo";
  absl::StatusOr<wormhole::Receiver> guesser =
      wormhole::Receiver::Create(options, number + (is_zoo ? "-able-able" : "-zoo-zoo"), "guess");
  if (!guesser.ok()) return guesser.status();
  const absl::Status status = guesser->GetData().status();
  if (wormhole::ReasonOf(status) != wormhole::Reason::kWrongCode) {
    return absl::DataLossError("a wrong code ended with " + status.ToString());
  }
  if (status.ToString().find("WRONG_CODE") == std::string::npos) {
    return absl::DataLossError("this names no reason: " + status.ToString());
  }
  return absl::OkStatus();
}

absl::Status Exchange(const wormhole::Options& options) {
  absl::StatusOr<wormhole::Initiator> initiator =
      wormhole::Initiator::Create(options, "hello from the initiator");
  if (!initiator.ok()) return initiator.status();
  absl::StatusOr<std::string> code = initiator->GetCode();
  if (!code.ok()) return code.status();

  absl::StatusOr<wormhole::Receiver> receiver =
      wormhole::Receiver::Create(options, *code, "hello from the receiver");
  if (!receiver.ok()) return receiver.status();
  absl::Status status = Expect("hello from the initiator", receiver->GetData());
  if (status.ok()) status = Expect("hello from the receiver", initiator->GetData());
  if (status.ok()) status = initiator->Finish(absl::Seconds(10));
  if (status.ok()) status = receiver->Finish(absl::Seconds(10));
  return status;
}

}  // namespace

int main() {
  wormhole::Options options;
  options.app_id = "example.com/consumer";
  options.timeout = absl::Seconds(30);

  absl::Status status = Exchange(options);
  if (status.ok()) status = GuessWrong(options);
  std::cout << (status.ok() ? "exchanged" : status.ToString()) << std::endl;
  return status.ok() ? 0 : 1;
}
