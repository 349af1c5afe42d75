// What a client under test and a scripted relay have said to each other, and what a client may
// never do whatever the relay says.
#ifndef WORMHOLE_TESTS_CONFORMANCE_TRANSCRIPT_H_
#define WORMHOLE_TESTS_CONFORMANCE_TRANSCRIPT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/conformance/crypto.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::conformance {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

struct Entry {
  enum class Kind { kBegan, kRequest, kResponse, kRelayEnded, kClientEnded };
  double seconds = 0;  // since the relay started
  size_t stream = 0;   // 0, 1, 2, ... in the order in which they came
  Kind kind = Kind::kBegan;
  AttachRequest request;
  AttachResponse response;
};

struct Transcript {
  Role client = Role::kInitiator;
  std::string app_id, words;
  uint32_t channel_id = 0;
  std::vector<Entry> entries;  // in their order
  // The frames of the other side as it made them.
  std::vector<std::string> genuine;
  // What the other side found wrong with the client's frames.
  std::string wrong_frame;

  size_t streams() const;
  size_t CountRequests(AttachRequest::RequestCase what) const;
  size_t CountCloses(rendezvous::v1::Mood mood) const;
  // When each stream began, seconds.
  std::vector<double> Begins() const;
};

// The rules that hold in every case, broken ones in words; empty when all are kept.
std::vector<std::string> Violations(const Transcript& transcript);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_TRANSCRIPT_H_
