// Cases in which a relay is tried out by raw clients: the row of the table, and how such a client
// speaks and what it expects.
#ifndef WORMHOLE_TESTS_CONFORMANCE_RELAY_CASE_H_
#define WORMHOLE_TESTS_CONFORMANCE_RELAY_CASE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/conformance/case.h"
#include "tests/conformance/crypto.h"
#include "tests/conformance/raw_stream.h"
#include "tests/conformance/refusal.h"

namespace wormhole::conformance {

class Talk;

// One case's place at a relay: an app-id that nobody else has. The first thing that goes wrong is
// kept; what is expected after it is not looked at any more.
class World {
 public:
  explicit World(std::string address);

  // A new stream with this as its first request.
  Talk Say(AttachRequest open);
  Talk Allocate(const std::string& token, uint32_t id = 0);
  Talk Claim(const std::string& token, uint32_t id, bool wait = false);
  Talk Resume(const std::string& token, uint32_t id, uint64_t cursor = 0);
  AttachRequest Open(const std::string& token, uint64_t cursor = 0) const;

  const std::string& app_id() const { return app_id_; }
  void Wrong(const std::string& what);
  void Check(bool right, const std::string& otherwise);
  void Skip(const std::string& why) { skipped_ = why; }
  bool ok() const { return wrong_.empty(); }
  Verdict verdict() const;

 private:
  const std::string app_id_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::string wrong_, skipped_;
};

// One stream of a case. Each wait is bounded.
class Talk {
 public:
  Talk(World* world, const std::shared_ptr<grpc::Channel>& channel, const AttachRequest& open);

  void Send(const AttachRequest& request);
  void Post(uint64_t number, const std::string& frame);
  void Ack(uint64_t number);
  void Beat();
  void Close(rendezvous::v1::Mood mood);
  void HalfClose() { stream_->HalfClose(); }
  void Cancel() { stream_->Cancel(); }

  // Reads on to the next response of the kind; peer statuses and heartbeats may come before it.
  rendezvous::v1::Opened Opened();
  rendezvous::v1::Opened Attached();
  void NotOpened(const std::string& otherwise);
  void Posted(uint64_t number);
  void Message(uint64_t number, const std::string& frame);
  // Reads on until the peer is like this; messages may come before it.
  void Peer(rendezvous::v1::Presence presence);
  void PeerCursor(uint64_t number);
  void ThirdParties(uint32_t count);
  // A heartbeat is answered, and nothing but peer statuses comes before the answer.
  void Quiet();
  // The last presence that was told.
  rendezvous::v1::Presence presence() const { return presence_; }

  // Reads to the end, which must be this.
  void Refused(ErrorDetail::Reason reason, const std::string& field = "");
  void ClosedIn(rendezvous::v1::Mood mood);
  void Over();
  grpc::Status End();

 private:
  // The next response that is no peer status and, unless asked for, no heartbeat.
  std::optional<AttachResponse> Next(bool beats = false);
  void Note(const AttachResponse& response);

  World* world_;
  std::unique_ptr<RawStream> stream_;
  rendezvous::v1::Presence presence_ = rendezvous::v1::PRESENCE_UNSPECIFIED;
  uint64_t peer_cursor_ = 0, posted_ = 0;
  uint32_t third_parties_ = 0;
};

struct RelayCase {
  std::string name, section, shows;
  std::function<void(World&)> script;
};

std::vector<Case> RelayCases(const std::string& address);

// The tables, by what they are about.
void AddOpenCases(std::vector<RelayCase>& cases);
void AddSeatCases(std::vector<RelayCase>& cases);
void AddLogCases(std::vector<RelayCase>& cases);
void AddLifeCases(std::vector<RelayCase>& cases);
void AddRestedCases(std::vector<RelayCase>& cases);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_RELAY_CASE_H_
