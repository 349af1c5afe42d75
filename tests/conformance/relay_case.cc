#include "tests/conformance/relay_case.h"

#include <algorithm>
#include <utility>

namespace wormhole::conformance {
namespace {

namespace v1 = rendezvous::v1;

constexpr std::chrono::seconds kPatience(15);

std::string Hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    for (const int shift : {4, 0}) out += "0123456789abcdef"[(c >> shift) & 15];
  }
  return out;
}

}  // namespace

// --- The world.

World::World(std::string address)
    : app_id_("conformance.example/" + Hex(RandomBytes(8))), channel_(ConnectTo(address)) {}

AttachRequest World::Open(const std::string& token, uint64_t cursor) const {
  return OpenOf(app_id_, token, cursor);
}

Talk World::Say(AttachRequest open) { return Talk(this, channel_, open); }

Talk World::Allocate(const std::string& token, uint32_t id) {
  return Say(conformance::Allocate(app_id_, token, id));
}

Talk World::Claim(const std::string& token, uint32_t id, bool wait) {
  return Say(conformance::Claim(app_id_, token, id, wait));
}

Talk World::Resume(const std::string& token, uint32_t id, uint64_t cursor) {
  return Say(conformance::Resume(app_id_, token, id, cursor));
}

void World::Wrong(const std::string& what) {
  if (wrong_.empty()) wrong_ = what;
}

void World::Check(bool right, const std::string& otherwise) {
  if (!right) Wrong(otherwise);
}

Verdict World::verdict() const {
  Verdict verdict;
  if (!wrong_.empty()) verdict.wrongs.push_back(wrong_);
  if (wrong_.empty()) verdict.skipped = skipped_;
  return verdict;
}

// --- A stream.

Talk::Talk(World* world, const std::shared_ptr<grpc::Channel>& channel, const AttachRequest& open)
    : world_(world), stream_(std::make_unique<RawStream>(channel, kPatience)) {
  Send(open);
}

void Talk::Send(const AttachRequest& request) {
  if (world_->ok()) stream_->Send(request);
}

void Talk::Post(uint64_t number, const std::string& frame) {
  Send(conformance::Post(number, frame));
}

void Talk::Ack(uint64_t number) { Send(conformance::Ack(number)); }

void Talk::Beat() {
  AttachRequest request;
  request.mutable_heartbeat();
  Send(request);
}

void Talk::Close(v1::Mood mood) { Send(CloseIn(mood)); }

void Talk::Note(const AttachResponse& response) {
  if (response.has_posted()) posted_ = std::max(posted_, response.posted().number());
  if (response.has_opened()) {
    presence_ = response.opened().peer();
    peer_cursor_ = response.opened().peer_cursor();
  }
  if (!response.has_peer_status()) return;
  presence_ = response.peer_status().presence();
  peer_cursor_ = response.peer_status().peer_cursor();
  third_parties_ = response.peer_status().third_parties();
}

std::optional<AttachResponse> Talk::Next(bool beats) {
  while (world_->ok()) {
    std::optional<AttachResponse> response = stream_->Receive();
    if (!response) break;
    Note(*response);
    if (response->has_peer_status() || (response->has_heartbeat() && !beats)) continue;
    return response;
  }
  return std::nullopt;
}

v1::Opened Talk::Opened() {
  const auto response = Next();
  if (response && response->has_opened()) return response->opened();
  if (world_->ok()) {
    world_->Wrong(response ? "`opened` is due, and comes " + response->ShortDebugString()
                           : "`opened` is due, and the stream ends: " + Describe(End()));
  }
  return {};
}

v1::Opened Talk::Attached() {
  v1::Opened opened = Opened();
  if (world_->ok()) {
    world_->Check(opened.state() == v1::Opened::STATE_ATTACHED, "`opened` is not ATTACHED");
  }
  return opened;
}

void Talk::NotOpened(const std::string& otherwise) {
  const auto response = Next();
  world_->Check(!response || !response->has_opened(), otherwise);
}

void Talk::Posted(uint64_t number) {
  while (world_->ok() && posted_ < number) {
    const auto response = Next();
    if (response && response->has_posted()) continue;
    world_->Wrong("`posted` is due, and comes " +
                  (response ? response->ShortDebugString().substr(0, 100) : Describe(End())));
  }
  world_->Check(posted_ == number,
                "posted{" + std::to_string(posted_) + "}, not " + std::to_string(number));
}

void Talk::Message(uint64_t number, const std::string& frame) {
  if (!world_->ok()) return;
  const auto response = Next();
  if (!response || !response->has_message()) {
    return world_->Wrong(
        "message " + std::to_string(number) + " is due, and comes " +
        (response ? response->ShortDebugString().substr(0, 100) : Describe(End())));
  }
  world_->Check(response->message().number() == number,
                "message " + std::to_string(response->message().number()) + ", not " +
                    std::to_string(number));
  world_->Check(response->message().frame() == frame, "a message with other bytes");
}

void Talk::Peer(v1::Presence presence) {
  while (world_->ok() && presence_ != presence) {
    const auto response = stream_->Receive();
    if (!response) {
      return world_->Wrong("the peer never is " + v1::Presence_Name(presence) + ": " +
                           Describe(End()));
    }
    Note(*response);
  }
}

void Talk::PeerCursor(uint64_t number) {
  while (world_->ok() && peer_cursor_ != number) {
    const auto response = stream_->Receive();
    if (!response) {
      return world_->Wrong("peer_cursor never is " + std::to_string(number) + ": " +
                           Describe(End()));
    }
    Note(*response);
  }
}

void Talk::ThirdParties(uint32_t count) {
  while (world_->ok() && third_parties_ < count) {
    const auto response = stream_->Receive();
    if (!response) return world_->Wrong("third parties are not told: " + Describe(End()));
    Note(*response);
  }
  if (world_->ok()) world_->Check(third_parties_ == count, "too many third parties are told");
}

void Talk::Quiet() {
  Beat();
  if (!world_->ok()) return;
  const auto response = Next(/*beats=*/true);
  world_->Check(response && response->has_heartbeat(),
                "a heartbeat is due, and comes " +
                    (response ? response->ShortDebugString().substr(0, 100) : Describe(End())));
}

grpc::Status Talk::End() { return stream_->Finish(); }

void Talk::Refused(ErrorDetail::Reason reason, const std::string& field) {
  if (!world_->ok()) return;
  const grpc::Status end = End();
  const auto detail = DetailOf(end);
  const bool right = detail && detail->reason() == reason && detail->field() == field &&
                     end.error_code() == CodeOf(reason);
  world_->Check(right, ErrorDetail::Reason_Name(reason) + (field.empty() ? "" : " of " + field) +
                           " is due, and comes " + Describe(end));
  const bool delays = reason == ErrorDetail::REASON_BUSY;
  world_->Check(!delays || (detail && detail->has_retry_delay()), "a delay is missing");
}

void Talk::ClosedIn(v1::Mood mood) {
  if (!world_->ok()) return;
  const grpc::Status end = End();
  const auto detail = DetailOf(end);
  world_->Check(detail && detail->reason() == ErrorDetail::REASON_CLOSED &&
                    detail->mood() == mood && end.error_code() == grpc::NOT_FOUND,
                "CLOSED as " + v1::Mood_Name(mood) + " is due, and comes " + Describe(end));
}

void Talk::Over() {
  if (!world_->ok()) return;
  const grpc::Status end = End();
  world_->Check(end.ok(), "OK is due, and comes " + Describe(end));
}

// --- The table.

std::vector<Case> RelayCases(const std::string& address) {
  std::vector<RelayCase> rows;
  AddOpenCases(rows);
  AddSeatCases(rows);
  AddLogCases(rows);
  AddLifeCases(rows);
  AddRestedCases(rows);
  std::vector<Case> cases;
  for (RelayCase& row : rows) {
    const std::string name = "relay/" + row.name, section = row.section, shows = row.shows;
    cases.push_back({name, section, shows, [row = std::move(row), address] {
                       World world(address);
                       row.script(world);
                       return world.verdict();
                     }});
  }
  return cases;
}

}  // namespace wormhole::conformance
