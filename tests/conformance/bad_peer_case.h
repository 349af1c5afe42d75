// Cases in which a client meets another side that misbehaves, over an honest relay.
#ifndef WORMHOLE_TESTS_CONFORMANCE_BAD_PEER_CASE_H_
#define WORMHOLE_TESTS_CONFORMANCE_BAD_PEER_CASE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/conformance/case.h"
#include "tests/conformance/client_run.h"
#include "tests/conformance/peer.h"

namespace wormhole::conformance {

struct BadPeerCase {
  std::string name;
  Role client = Role::kInitiator;
  std::string section, shows;
  Bends bends = {};
  Manners manners = {};
  Outcomes outcomes = {Outcome::kDone};
  // The most frames that the client may have sent.
  uint64_t most_frames = 3;
  // How the client must have closed, if the other side is told.
  rendezvous::v1::Mood closes = rendezvous::v1::MOOD_UNSPECIFIED;
  std::string client_data = "from the client under test";
  std::string peer_data = "from the other side";
  int timeout_seconds = 60;
  double within_seconds = 45;
};

std::vector<Case> BadPeerCases(const ClientCommands& commands, const std::string& relay);

// The tables, by what they are about.
void AddShareCases(std::vector<BadPeerCase>& cases);
void AddProofCases(std::vector<BadPeerCase>& cases);
void AddFrameCases(std::vector<BadPeerCase>& cases);
void AddForgedCases(std::vector<BadPeerCase>& cases);
void AddMannersCases(std::vector<BadPeerCase>& cases);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_BAD_PEER_CASE_H_
