#include "tests/conformance/bad_relay_case.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <utility>

#include "tests/conformance/scripted_relay.h"
#include "tests/support/temp_folder.h"

namespace wormhole::conformance {
namespace {

constexpr char kWords[] = "able-zebra";
constexpr char kAppId[] = "conformance.example/relay";

std::string OneLine(const Entry& entry) {
  static constexpr const char* kKinds[] = {"began", "<-", "->", "relay ends it", "client ends it"};
  char front[64];
  snprintf(front, sizeof(front), "    %7.3f stream %zu %s ", entry.seconds, entry.stream,
           kKinds[static_cast<int>(entry.kind)]);
  std::string text = entry.kind == Entry::Kind::kRequest    ? entry.request.ShortDebugString()
                     : entry.kind == Entry::Kind::kResponse ? entry.response.ShortDebugString()
                                                            : "";
  if (text.size() > 160) text = text.substr(0, 160) + "...";
  return front + text + "\n";
}

std::string Details(const Transcript& transcript, const ClientEnd& end) {
  std::string text = "    exit code " + std::to_string(end.exit_code) + "\n";
  size_t lines = 0;
  for (const Entry& entry : transcript.entries) {
    if (++lines > 60) break;
    text += OneLine(entry);
  }
  return text + "    standard error: " + end.err.substr(0, 2000) + "\n";
}

Verdict Judge(const BadRelayCase& row, const Transcript& transcript, const ClientEnd& end,
              const std::optional<std::string>& peer_data) {
  Verdict verdict;
  verdict.wrongs = Violations(transcript);
  const auto wrong = [&](const std::string& what) { verdict.wrongs.push_back(what); };
  if (!end.ended) wrong("it does not end");
  if (end.ended && !Meets(end.outcome, row.outcomes)) {
    wrong("it ends with " + std::string(NameOf(end.outcome)) + ", not with " +
          NamesOf(row.outcomes));
  }
  if (end.outcome == Outcome::kDone) {
    if (end.out != row.peer_data) wrong("its standard output is not the other side's data");
    if (peer_data != row.client_data) wrong("the other side does not have its data");
  } else if (!end.out.empty()) {
    wrong("it has failed and written data");
  }
  if (end.ended && end.seconds > row.within_seconds) {
    wrong("it takes " + std::to_string(end.seconds) + " s");
  }
  if (row.check) {
    if (const std::string what = row.check(transcript, end); !what.empty()) wrong(what);
  }
  verdict.details = Details(transcript, end);
  return verdict;
}

bool Restarts(const BadRelayCase& row) {
  return std::any_of(row.steps.begin(), row.steps.end(),
                     [](const Step& step) { return step.then == Step::Then::kRestart; });
}

// Why a client with these commands cannot be asked; empty when it can.
std::string WhyNot(const BadRelayCase& row, const ClientCommands& commands) {
  const bool initiator = row.client == Role::kInitiator;
  if (row.outcomes.count(Outcome::kTimedOut) != 0 && !commands.takes_timeout()) {
    return "needs a client whose timeout can be set";
  }
  const std::string& command = row.waits   ? commands.receive_waiting
                               : initiator ? commands.initiate
                                           : commands.receive;
  if (command.empty()) return "no command for such a client is given";
  if (Restarts(row) && (commands.saving.empty() || commands.resume.empty())) {
    return "needs a client that saves and resumes";
  }
  if (row.checks_in && commands.check_in.empty()) return "needs a client with check-in mode";
  if (row.tls != RelayTls::kNotAsked && commands.tls.empty()) {
    return "needs a client that can be told an authority";
  }
  return "";
}

// One row's run.
class BadRelayRun {
 public:
  BadRelayRun(const BadRelayCase& row, const ClientCommands& commands,
              const RelayCertificates& certificates)
      : row_(row),
        commands_(commands),
        steps_(row.steps),
        relay_(row.client, kAppId, row.peer_data, steps_.Watched(row.script),
               certificates.Of(row.tls)) {
    std::ofstream(folder_.File("authority.pem")) << certificates.authority();
  }

  Verdict Run() {
    Start(FirstCommand(), row_.client_data);
    std::string missed;
    for (const Step& step : row_.steps) {
      if (missed = Take(step); !missed.empty()) break;
    }
    if (missed.empty()) LetPeerCome();
    const ClientEnd end = client_->Wait();
    const Transcript transcript = relay_.Stop();
    Verdict verdict = Judge(row_, transcript, end, relay_.PeerData());
    if (!missed.empty()) verdict.wrongs.push_back(missed);
    return verdict;
  }

 private:
  std::string FirstCommand() const {
    std::string command = row_.waits                        ? commands_.receive_waiting
                          : row_.client == Role::kInitiator ? commands_.initiate
                                                            : commands_.receive;
    if (Restarts(row_)) command += " " + commands_.saving;
    if (row_.tls != RelayTls::kNotAsked) command += " " + commands_.tls;
    if (row_.checks_in) command += " " + commands_.check_in;
    return command;
  }

  void Start(const std::string& command, const std::string& data) {
    client_ = std::make_unique<ClientRun>(
        commands_, command,
        std::map<std::string, std::string>{
            {"rendezvous", relay_.address()},
            {"app_id", kAppId},
            {"code", std::to_string(ScriptedChannel::kId) + "-" + kWords},
            {"timeout", std::to_string(row_.timeout_seconds)},
            {"state", folder_.File("state")},
            {"tls_ca", folder_.File("authority.pem")}},
        data);
  }

  // What did not come about; empty when all is well.
  std::string Take(const Step& step) {
    if (step.at != Arm::kOpen) ReadCode();
    const bool comes = step.then == Step::Then::kPeerComes;
    if (!comes && step.at != Arm::kOpen && step.at != Arm::REQUEST_NOT_SET) LetPeerCome();
    if (step.at != Arm::REQUEST_NOT_SET && !steps_.AwaitNext(row_.timeout_seconds)) {
      return "it does not come so far as to be started again, or met";
    }
    if (comes) {
      LetPeerCome();
    } else {
      client_->Kill();
      Start(commands_.resume, "");
    }
    return "";
  }

  void ReadCode() {
    if (row_.client != Role::kInitiator) words_ = kWords;
    if (!words_.empty()) return;
    const std::string shown = client_->WaitForCode();
    if (const size_t hyphen = shown.find('-'); hyphen != std::string::npos) {
      words_ = shown.substr(hyphen + 1);
    }
  }

  // The other side is told the code.
  void LetPeerCome() {
    ReadCode();
    if (!std::exchange(peer_came_, true) && !words_.empty()) relay_.Learn(words_);
  }

  const BadRelayCase& row_;
  const ClientCommands& commands_;
  const testing::TempFolder folder_;  // for the client's files
  Steps steps_;
  ScriptedRelay relay_;
  std::unique_ptr<ClientRun> client_;
  std::string words_;  // of the code, once they are known
  bool peer_came_ = false;
};

Verdict Run(const BadRelayCase& row, const ClientCommands& commands,
            const RelayCertificates& certificates) {
  if (const std::string why = WhyNot(row, commands); !why.empty()) return {.skipped = why};
  return BadRelayRun(row, commands, certificates).Run();
}

}  // namespace

std::string ComesBack(const Transcript& transcript, const ClientEnd&) {
  return transcript.streams() >= 2 ? "" : "it does not take the stream for lost";
}

std::vector<Case> BadRelayCases(const ClientCommands& commands) {
  std::vector<BadRelayCase> rows;
  AddHonestCases(rows);
  AddOpenedCases(rows);
  AddMessageCases(rows);
  AddPostedCases(rows);
  AddEndingCases(rows);
  AddProvedCases(rows);
  AddLimitCases(rows);
  AddWaitingCases(rows);
  AddRestartCases(rows);
  AddCheckInCases(rows);
  AddTlsCases(rows);
  const auto certificates = std::make_shared<const RelayCertificates>();
  std::vector<Case> cases;
  for (BadRelayCase& row : rows) {
    const std::string name = "bad-relay/" + row.name + "/" + NameOf(row.client);
    const std::string section = row.section, shows = row.shows;
    cases.push_back({name, section, shows, [row = std::move(row), commands, certificates] {
                       return Run(row, commands, *certificates);
                     }});
  }
  return cases;
}

}  // namespace wormhole::conformance
