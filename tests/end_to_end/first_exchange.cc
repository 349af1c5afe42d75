// main.cc: `first` shows a code and waits, `first CODE` uses it.
#include <iostream>
#include <string>

#include "wormhole/wormhole.h"

absl::Status Talk(wormhole::Party& party) {
  absl::StatusOr<std::string> theirs = party.GetData();
  if (!theirs.ok()) return theirs.status();
  std::cout << "they say: " << *theirs << std::endl;
  return party.Finish();  // waits until the relay knows, too
}

absl::Status Show(const wormhole::Options& options) {
  absl::StatusOr<wormhole::Initiator> initiator =
      wormhole::Initiator::Create(options, "hello from the initiator");
  if (!initiator.ok()) return initiator.status();
  absl::StatusOr<std::string> code = initiator->GetCode();
  if (!code.ok()) return code.status();
  std::cout << "tell the other side: " << *code << std::endl;
  return Talk(*initiator);
}

absl::Status Use(const wormhole::Options& options, const std::string& code) {
  absl::StatusOr<wormhole::Receiver> receiver =
      wormhole::Receiver::Create(options, code, "hello from the receiver");
  if (!receiver.ok()) return receiver.status();
  return Talk(*receiver);
}

int main(int argc, char** argv) {
  wormhole::Options options;
  options.app_id = "example.com/first";  // both sides name the same one
  const absl::Status status = argc > 1 ? Use(options, argv[1]) : Show(options);
  if (!status.ok()) std::cerr << status << std::endl;
  return status.ok() ? 0 : 1;
}
