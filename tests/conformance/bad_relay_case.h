// Cases in which a client meets a relay that misbehaves: the row of the table and how it is run.
#ifndef WORMHOLE_TESTS_CONFORMANCE_BAD_RELAY_CASE_H_
#define WORMHOLE_TESTS_CONFORMANCE_BAD_RELAY_CASE_H_

#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/case.h"
#include "tests/conformance/client_run.h"
#include "tests/conformance/relay_tls.h"
#include "tests/conformance/scripted_channel.h"
#include "tests/conformance/steps.h"

namespace wormhole::conformance {

inline const Outcomes kOnlyDone = {Outcome::kDone};
// What ends nobody knows better than by its own timeout.
inline const Outcomes kTimeout = {Outcome::kTimedOut, Outcome::kNoRelay};

struct BadRelayCase {
  std::string name;  // of the group; the role is added
  Role client = Role::kInitiator;
  std::string section, shows;
  Script script;
  Outcomes outcomes = kOnlyDone;
  // Beyond what holds always (transcript.h): what is wrong with the run, empty when nothing is.
  std::function<std::string(const Transcript&, const ClientEnd&)> check = nullptr;
  std::string client_data = "from the client under test";
  std::string peer_data = "from the other side";
  int timeout_seconds = 20;
  double within_seconds = 45;
  bool waits = false;      // a receiver that has come first
  bool checks_in = false;  // a client in check-in mode
  std::vector<Step> steps = {};
  RelayTls tls = RelayTls::kNotAsked;
};

// A check: the client has taken a stream for lost, and come back.
std::string ComesBack(const Transcript& transcript, const ClientEnd& end);

std::vector<Case> BadRelayCases(const ClientCommands& commands);

// The tables, by what they are about.
void AddHonestCases(std::vector<BadRelayCase>& cases);
void AddOpenedCases(std::vector<BadRelayCase>& cases);
void AddMessageCases(std::vector<BadRelayCase>& cases);
void AddPostedCases(std::vector<BadRelayCase>& cases);
void AddEndingCases(std::vector<BadRelayCase>& cases);
void AddProvedCases(std::vector<BadRelayCase>& cases);
void AddLimitCases(std::vector<BadRelayCase>& cases);
void AddWaitingCases(std::vector<BadRelayCase>& cases);
void AddRestartCases(std::vector<BadRelayCase>& cases);
void AddCheckInCases(std::vector<BadRelayCase>& cases);
void AddTlsCases(std::vector<BadRelayCase>& cases);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_BAD_RELAY_CASE_H_
