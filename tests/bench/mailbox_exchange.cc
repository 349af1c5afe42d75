#include "tests/bench/mailbox_exchange.h"

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "nlohmann/json.hpp"
#include "tests/bench/raw_exchange.h"
#include "tests/bench/raw_side.h"
#include "tests/bench/usage.h"
#include "tests/bench/web_socket.h"

namespace wormhole::bench {
namespace {

using nlohmann::json;

// Once something has failed, the rest does nothing.
class MailboxSide {
 public:
  MailboxSide(uint16_t port, std::string name) : socket_(port, "/v1"), name_(std::move(name)) {
    Say({{"type", "bind"}, {"appid", kAppId}, {"side", name_}});
  }

  std::string Allocate() {
    Say({{"type", "allocate"}});
    return Await("allocated").value("nameplate", "");
  }
  void Enter(const std::string& nameplate) {
    Say({{"type", "claim"}, {"nameplate", nameplate}});
    Say({{"type", "open"}, {"mailbox", Await("claimed").value("mailbox", "")}});
  }
  // Of so many bytes, which are sent in hexadecimal.
  void Add(const char* phase, size_t bytes) {
    Say({{"type", "add"}, {"phase", phase}, {"body", std::string(2 * bytes, 'f')}});
  }
  // The other side's; the server sends one's own, too.
  void AwaitPhase(const char* phase) {
    while (ok()) {
      const json message = Await("message");
      if (message.value("side", name_) != name_ && message.value("phase", "") == phase) return;
    }
  }
  void SayGoodbye() {
    Say({{"type", "release"}});
    Say({{"type", "close"}, {"mood", "happy"}});
  }
  void Leave() {
    Await("released");
    Await("closed");
    if (ok() && !socket_.Close()) Fail("the server does not close the connection");
  }

  bool ok() const { return failure_.empty(); }
  const std::string& failure() const { return failure_; }
  const Traffic& traffic() const { return traffic_; }

 private:
  void Say(const json& command) {
    if (!ok()) return;
    ++traffic_.requests;
    if (!socket_.Send(command.dump())) Fail("the connection is broken");
  }

  // The next answer of this type. The others are acknowledgements of commands, and what somebody
  // else waits for.
  json Await(const std::string& type) {
    while (ok()) {
      const std::optional<std::string> text = socket_.Receive();
      if (!text) return Fail("nothing comes where \"" + type + "\" should");
      ++traffic_.responses;
      json answer = json::parse(*text, nullptr, false);
      if (!answer.is_object()) return Fail("it says what is not JSON");
      const std::string its_type = answer.value("type", "");
      if (its_type == type) return answer;
      if (its_type == "error") return Fail("it says \"" + answer.value("error", "") + "\"");
    }
    return json::object();
  }

  json Fail(const std::string& why) {
    if (ok()) failure_ = why;
    return json::object();
  }

  WebSocket socket_;
  const std::string name_;
  Traffic traffic_;
  std::string failure_;
};

}  // namespace

ExchangeOutcome RunMailboxExchange(uint16_t port) {
  MailboxSide initiator(port, "initiator");
  MailboxSide receiver(port, "receiver");
  const std::string nameplate = initiator.Allocate();
  initiator.Enter(nameplate);
  initiator.Add("pake", kPakeInitiatorBytes);

  const double claimed_at = NowMicros();
  receiver.Enter(nameplate);
  receiver.AwaitPhase("pake");
  receiver.Add("pake", kPakeReceiverBytes);
  initiator.AwaitPhase("pake");
  initiator.Add("confirm", kConfirmBytes);
  initiator.Add("data", kSealedBytes);
  receiver.AwaitPhase("confirm");
  receiver.Add("data", kSealedBytes);
  receiver.AwaitPhase("data");
  ExchangeOutcome outcome = {.claim_to_data = NowMicros() - claimed_at};
  receiver.SayGoodbye();
  initiator.AwaitPhase("data");
  initiator.SayGoodbye();

  for (MailboxSide* const side : {&receiver, &initiator}) {
    side->Leave();
    outcome.traffic += side->traffic();
    if (side->ok()) continue;
    outcome.claim_to_data = -1;
    std::fprintf(stderr, "bench: an exchange with the mailbox server failed: %s\n",
                 side->failure().c_str());
  }
  return outcome;
}

}  // namespace wormhole::bench
