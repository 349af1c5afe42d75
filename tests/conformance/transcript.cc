#include "tests/conformance/transcript.h"

#include <algorithm>
#include <map>
#include <set>

#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::conformance {
namespace {

using Kind = Entry::Kind;

// Apart from unknown fields, which are ignored.
bool SaySame(const std::string& one, const std::string& other) {
  exchange::v1::ExchangeFrame first, second;
  if (!first.ParseFromString(one) || !second.ParseFromString(other)) return false;
  first.DiscardUnknownFields();
  second.DiscardUnknownFields();
  return first.SerializeAsString() == second.SerializeAsString();
}

// Reads the entries in their order with what a client could know at each.
class Judge {
 public:
  explicit Judge(const Transcript& transcript) : t_(transcript) {}

  std::vector<std::string> Run() {
    for (const Entry& entry : t_.entries) {
      if (entry.kind == Kind::kRequest) Request(entry.stream, entry.request);
      if (entry.kind == Kind::kResponse) Response(entry.response);
    }
    if (!t_.wrong_frame.empty() && !altered_) Wrong("the other side says: " + t_.wrong_frame);
    if (t_.streams() > 260) Wrong(std::to_string(t_.streams()) + " streams, in less than a minute");
    return {wrongs_.begin(), wrongs_.end()};
  }

 private:
  void Wrong(const std::string& what) { wrongs_.insert(what); }

  void Request(size_t stream, const AttachRequest& request) {
    const bool first = streams_.insert(stream).second;
    if (first != request.has_open())
      Wrong("`open` is not the first request of a stream, and no other");
    if (closed_.count(stream) != 0) Wrong("a request follows `close`");
    if (!t_.words.empty() && request.SerializeAsString().find(t_.words) != std::string::npos) {
      Wrong("the words are in a request");
    }
    if (request.has_open()) Open(request.open());
    if (request.has_post()) Post(stream, request.post());
    if (request.has_ack()) Cursor(request.ack().number());
    if (request.has_close()) Close(stream, request.close().mood());
  }

  void Open(const rendezvous::v1::Open& open) {
    if (open.app_id() != t_.app_id) Wrong("another app-id");
    if (open.token().size() != 32) Wrong("the token does not have 32 bytes");
    if (!token_.empty() && open.token() != token_) Wrong("a second token in one exchange");
    token_ = open.token();
    Cursor(open.cursor());
    const bool initiator = t_.client == Role::kInitiator;
    if (open.has_allocate() != (initiator && !open.has_resume()) ||
        open.has_claim() != (!initiator && !open.has_resume())) {
      Wrong("a purpose that is not its role's");
    }
    if (spoke_ && !open.has_resume()) Wrong("it has seen ATTACHED and does not resume");
    if (open.has_resume() && open.resume().channel_id() != t_.channel_id) {
      Wrong("it resumes another channel");
    }
  }

  void Post(size_t stream, const rendezvous::v1::Post& post) {
    spoke_ = true;
    const uint64_t n = post.number();
    if (post.frame().size() > 66'000) Wrong("a frame above the least limit of a relay");
    const auto [it, fresh] = frames_.emplace(n, post.frame());
    if (!fresh && it->second != post.frame()) Wrong("other bytes under the same number");
    uint64_t& last = last_post_[stream];
    if (last != 0 && n != last + 1) Wrong("numbers on a stream do not follow each other");
    last = n;
    if (n == 0) Wrong("a frame numbered 0");
    if (t_.client == Role::kInitiator ? n > 1 && !Has(1) : n > 1 && (!Has(1) || !Has(2))) {
      Wrong("frame " + std::to_string(n) + " is sent before the other side has proved the key");
    }
    if (t_.client == Role::kReceiver && n == 1 && !delivered_.count(1)) {
      Wrong("an answer to no PakeInitiator");
    }
  }

  void Cursor(uint64_t number) {
    if (number < cursor_) Wrong("the cursor goes back");
    cursor_ = std::max(cursor_, number);
    for (uint64_t n = 1; n <= number && n <= 8; ++n) {
      if (delivered_.count(n) == 0) Wrong("the cursor is beyond what was delivered");
    }
  }

  void Close(size_t stream, rendezvous::v1::Mood mood) {
    spoke_ = true;
    closed_.insert(stream);
    const uint64_t last = t_.client == Role::kInitiator ? 2 : 3;
    const uint64_t own = t_.client == Role::kInitiator ? 3 : 2;
    if (mood == rendezvous::v1::MOOD_UNSPECIFIED || !rendezvous::v1::Mood_IsValid(mood)) {
      Wrong("a close without a mood of the enum");
    }
    if (mood == rendezvous::v1::MOOD_HAPPY && (!Has(last) || posted_ < own)) {
      Wrong("it closes happy and has not finished");
    }
  }

  void Response(const AttachResponse& response) {
    if (response.has_opened()) posted_ = std::max(posted_, response.opened().stored());
    if (response.has_posted()) posted_ = std::max(posted_, response.posted().number());
    if (!response.has_message()) return;
    const rendezvous::v1::Message& message = response.message();
    delivered_.insert(message.number());
    if (message.number() >= 1 && message.number() <= t_.genuine.size() &&
        SaySame(message.frame(), t_.genuine[message.number() - 1])) {
      has_.insert(message.number());
    } else {
      altered_ = true;
    }
  }

  // The genuine frame was delivered.
  bool Has(uint64_t number) const { return has_.count(number) != 0; }

  const Transcript& t_;
  std::set<std::string> wrongs_;
  std::set<size_t> streams_, closed_;
  std::map<size_t, uint64_t> last_post_;
  std::map<uint64_t, std::string> frames_;
  std::set<uint64_t> delivered_, has_;
  std::string token_;
  uint64_t cursor_ = 0, posted_ = 0;
  bool spoke_ = false, altered_ = false;
};

}  // namespace

size_t Transcript::streams() const { return Begins().size(); }

std::vector<double> Transcript::Begins() const {
  std::vector<double> begins;
  for (const Entry& entry : entries) {
    if (entry.kind == Kind::kBegan) begins.push_back(entry.seconds);
  }
  return begins;
}

size_t Transcript::CountRequests(AttachRequest::RequestCase what) const {
  return std::count_if(entries.begin(), entries.end(), [what](const Entry& entry) {
    return entry.kind == Kind::kRequest && entry.request.request_case() == what;
  });
}

size_t Transcript::CountCloses(rendezvous::v1::Mood mood) const {
  return std::count_if(entries.begin(), entries.end(), [mood](const Entry& entry) {
    return entry.kind == Kind::kRequest && entry.request.has_close() &&
           entry.request.close().mood() == mood;
  });
}

std::vector<std::string> Violations(const Transcript& transcript) {
  return Judge(transcript).Run();
}

}  // namespace wormhole::conformance
