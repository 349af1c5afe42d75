// The examples of README.md, as a program for the relay that $WORMHOLE_RENDEZVOUS names.
// `tests/lint/run readme` checks that README.md shows these very lines.
#include <future>
#include <iostream>
#include <string>

#include "wormhole/wormhole.h"

namespace {

absl::Status ShowInvitation(const wormhole::Options& options) {
  absl::StatusOr<wormhole::Initiator> initiator =
      wormhole::Initiator::Create(options, "hello from the initiator");
  if (!initiator.ok()) return initiator.status();

  absl::StatusOr<std::string> code = initiator->GetCode();  // "4-purple-sausages"
  if (!code.ok()) return code.status();
  std::cout << "tell the other side: " << *code << std::endl;

  absl::StatusOr<std::string> theirs = initiator->GetData();
  if (!theirs.ok()) return theirs.status();
  std::cout << "they say: " << *theirs << std::endl;
  return initiator->Finish();  // the relay knows that this is over: nothing is left behind
}

absl::Status UseInvitation(const wormhole::Options& options, const std::string& code) {
  absl::StatusOr<wormhole::Receiver> receiver =
      wormhole::Receiver::Create(options, code, "hello from the receiver");
  if (!receiver.ok()) return receiver.status();

  absl::StatusOr<std::string> theirs = receiver->GetData();
  if (wormhole::ReasonOf(theirs.status()) == wormhole::Reason::kWrongCode) {
    std::cout << "that was not the right code; ask for a new one" << std::endl;
  }
  if (!theirs.ok()) return theirs.status();
  std::cout << "they say: " << *theirs << std::endl;
  return receiver->Finish();
}

absl::Status WithCallbacks(wormhole::Options options) {
  std::string saved;
  options.on_save = [&saved](std::string_view state) {
    saved = std::string(state);  // a real program writes it to disk and syncs
    return absl::OkStatus();
  };
  absl::StatusOr<wormhole::Initiator> initiator = wormhole::Initiator::Create(options, "first");
  if (!initiator.ok()) return initiator.status();
  std::promise<std::string> code;
  initiator->WhenCode([&](absl::StatusOr<std::string> value) { code.set_value(*value); });
  const std::string invitation = code.get_future().get();

  // The program is gone here, and comes back: another process would do the same.
  initiator = wormhole::Initiator::FromSerialized(saved, options);
  if (!initiator.ok()) return initiator.status();
  std::promise<absl::StatusOr<std::string>> data;
  initiator->WhenData([&](absl::StatusOr<std::string> value) { data.set_value(value); });

  options.on_save = nullptr;
  absl::Status received = UseInvitation(options, invitation);
  if (!received.ok()) return received;
  return data.get_future().get().status();
}

}  // namespace

// readme_example show | use CODE | callbacks
int main(int argc, char** argv) {
  wormhole::Options options;
  options.app_id = "example.com/app1";  // scopes the codes; both sides name the same one
  options.timeout = absl::Minutes(3);

  const std::string command = argc > 1 ? argv[1] : "";
  const absl::Status status = command == "show"  ? ShowInvitation(options)
                              : command == "use" ? UseInvitation(options, argc > 2 ? argv[2] : "")
                                                 : WithCallbacks(options);
  if (!status.ok()) std::cerr << status << std::endl;
  return status.ok() ? 0 : 1;
}
