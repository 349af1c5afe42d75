#include "tests/conformance/bad_relay_case.h"

#include <cstdio>
#include <utility>

#include "tests/conformance/scripted_relay.h"

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

Verdict Run(const BadRelayCase& row, const ClientCommands& commands) {
  const bool initiator = row.client == Role::kInitiator;
  if (row.outcomes.count(Outcome::kTimedOut) != 0 && !commands.takes_timeout()) {
    return {.skipped = "needs a client whose timeout can be set"};
  }
  const std::string& command = row.waits   ? commands.receive_waiting
                               : initiator ? commands.initiate
                                           : commands.receive;
  if (command.empty()) return {.skipped = "no command for such a client is given"};
  ScriptedRelay relay(row.client, kAppId, row.peer_data, row.script);
  if (!initiator) relay.Learn(kWords);
  const std::string code = std::to_string(ScriptedChannel::kId) + "-" + kWords;
  ClientRun client(commands, command,
                   {{"rendezvous", relay.address()},
                    {"app_id", kAppId},
                    {"code", code},
                    {"timeout", std::to_string(row.timeout_seconds)}},
                   row.client_data);
  if (initiator) {
    const std::string shown = client.WaitForCode();
    if (const size_t hyphen = shown.find('-'); hyphen != std::string::npos) {
      relay.Learn(shown.substr(hyphen + 1));
    }
  }
  const ClientEnd end = client.Wait();
  const Transcript transcript = relay.Stop();
  return Judge(row, transcript, end, relay.PeerData());
}

}  // namespace

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
  std::vector<Case> cases;
  for (BadRelayCase& row : rows) {
    const std::string name = "bad-relay/" + row.name + "/" + NameOf(row.client);
    const std::string section = row.section, shows = row.shows;
    cases.push_back(
        {name, section, shows, [row = std::move(row), commands] { return Run(row, commands); }});
  }
  return cases;
}

}  // namespace wormhole::conformance
