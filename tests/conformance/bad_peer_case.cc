#include "tests/conformance/bad_peer_case.h"

#include <cstdlib>
#include <utility>

#include "tests/conformance/refusal.h"

namespace wormhole::conformance {
namespace {

constexpr char kWords[] = "able-zebra";

Verdict Judge(const BadPeerCase& row, const Peer& peer, const ClientEnd& end) {
  Verdict verdict;
  const auto wrong = [&](const std::string& what) { verdict.wrongs.push_back(what); };
  if (!end.ended) wrong("it does not end");
  if (end.ended && !Meets(end.outcome, row.outcomes)) {
    wrong("it ends with " + std::string(NameOf(end.outcome)) + ", not with " +
          NamesOf(row.outcomes));
  }
  if (end.outcome == Outcome::kDone && end.out != row.peer_data) {
    wrong("its standard output is not the other side's data");
  }
  if (end.outcome != Outcome::kDone && !end.out.empty()) wrong("it has failed and written data");
  if (end.ended && end.seconds > row.within_seconds) {
    wrong("it takes " + std::to_string(end.seconds) + " s");
  }
  const bool honest = row.outcomes.count(Outcome::kDone) != 0;
  if (honest && !peer.wrong().empty()) wrong("the other side says: " + peer.wrong());
  if (honest && peer.client_data() != row.client_data) wrong("the other side lacks its data");
  if (peer.taken() > row.most_frames) {
    wrong("it has sent " + std::to_string(peer.taken()) + " frames");
  }
  if (row.closes != rendezvous::v1::MOOD_UNSPECIFIED && peer.closed_in() != row.closes) {
    wrong("it closes as " + rendezvous::v1::Mood_Name(peer.closed_in()));
  }
  verdict.details = peer.log() + "    exit code " + std::to_string(end.exit_code) +
                    "\n    the other side's stream: " + Describe(peer.end()) +
                    "\n    standard error: " + end.err.substr(0, 2000) + "\n";
  return verdict;
}

Verdict Run(const BadPeerCase& row, const ClientCommands& commands, const std::string& relay,
            const std::string& app_id) {
  if (row.outcomes.count(Outcome::kTimedOut) != 0 && !commands.takes_timeout()) {
    return {.skipped = "needs a client whose timeout can be set"};
  }
  const bool initiator = row.client == Role::kInitiator;
  const std::string& command = initiator ? commands.initiate : commands.receive;
  if (command.empty()) return {.skipped = "no command for such a client is given"};
  Peer peer(relay, app_id, Other(row.client), row.peer_data, row.bends, row.manners);
  if (!initiator && !peer.Allocate()) return {.wrongs = {"the relay gives no channel"}};
  ClientRun client(commands, command,
                   {{"rendezvous", relay},
                    {"app_id", app_id},
                    {"code", std::to_string(peer.channel_id()) + "-" + kWords},
                    {"timeout", std::to_string(row.timeout_seconds)}},
                   row.client_data);
  if (initiator) {
    const std::string code = client.WaitForCode();
    const size_t hyphen = code.find('-');
    if (hyphen == std::string::npos) return {.wrongs = {"it shows no code"}};
    peer.Play(static_cast<uint32_t>(strtoul(code.c_str(), nullptr, 10)), code.substr(hyphen + 1));
  } else {
    peer.Play(peer.channel_id(), kWords);
  }
  const ClientEnd end = client.Wait();
  return Judge(row, peer, end);
}

}  // namespace

std::vector<Case> BadPeerCases(const ClientCommands& commands, const std::string& relay) {
  std::vector<BadPeerCase> rows;
  AddShareCases(rows);
  AddProofCases(rows);
  AddFrameCases(rows);
  AddForgedCases(rows);
  AddMannersCases(rows);
  std::vector<Case> cases;
  for (BadPeerCase& row : rows) {
    const std::string name = "bad-peer/" + row.name + "/" + NameOf(row.client);
    const std::string section = row.section, shows = row.shows;
    // An app-id for each case, so that none sees another's channels.
    const std::string app_id = "conformance.example/" + std::to_string(cases.size());
    cases.push_back({name, section, shows, [row = std::move(row), commands, relay, app_id] {
                       return Run(row, commands, relay, app_id);
                     }});
  }
  return cases;
}

}  // namespace wormhole::conformance
