// Drives the switchboard through the channel's table of PROTOCOL.md, section 11: every event in
// every state. The page is the law: a cell that is not as the code does is a fault of one of them.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "proto/page/tables.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;

constexpr uint32_t kId = 4;

// A switchboard of its own for each cell. Anna is the initiator, Bert the receiver.
class Cell : public SwitchboardTest {
 public:
  // Not a test of its own: a value that is made for one cell after the other.
  void TestBody() override {}

  void Reach(const std::string& state) {
    options_.limits.window_frames = 4;
    Restart();
    if (state == "free") return;
    Allocate("anna");
    if (state == "alone") return;
    if (state == "expired") {
      Pair();
      Pass(options_.limits.ttl_default);
      return Tick();
    }
    Pair();
    if (state == "left") AsMember("anna", [](TestStream& s) { s.Close(MOOD_HAPPY); });
    if (state == "closed") AsMember("anna", [](TestStream& s) { s.Close(MOOD_LONELY); });
  }

  // What the stream of `who` hears that opens so, and then asks for so much.
  std::string Open(const std::string& who, const std::function<void(TestStream&)>& open) {
    streams_.push_back(Stream(who));
    open(*streams_.back());
    Settle();
    return Answer(*streams_.back());
  }
  std::string Allocate(const std::string& who) {
    return Open(who, [](TestStream& s) { s.Allocate(kId); });
  }
  void Pair() {
    Open("bert", [](TestStream& s) { s.Claim(kId); });
  }
  // As a member that resumes and then does something; what comes of that, or of the resuming.
  std::string AsMember(const std::string& who, const std::function<void(TestStream&)>& act) {
    const std::string opened = Open(who, [](TestStream& s) { s.Resume(kId); });
    if (opened != "opened") return opened;
    TestStream& stream = *streams_.back();
    stream.Heard();
    act(stream);
    Settle();
    return Answer(stream);
  }
  // The same after one frame is stored.
  std::string AfterAFrame(const std::string& who, const std::function<void(TestStream&)>& act) {
    AsMember(who, [](TestStream& s) { s.Post(1, "frame"); });
    return AsMember(who, act);
  }

  // How a stream of its own ends that says this.
  std::string EndAfter(const std::vector<rendezvous::v1::AttachRequest>& requests) {
    const auto sink = std::make_shared<FakeSink>();
    const auto attachment = switchboard_->Attach(sink, {});
    for (const auto& request : requests) {
      sink->reads_ = 0;
      attachment->Receive(request);
      Settle();
    }
    attachment->Detach();
    return sink->ended_ ? Describe(*sink->ended_) : "no end";
  }

  std::string State() {
    const auto stored = Stored(kId);
    if (!stored) return "free";
    const ChannelRecord& record = stored->record;
    if (record.life == Life::kExpired) return "expired";
    if (record.life == Life::kClosed) return "closed";
    if (record.member(Role::kInitiator).left) return "left";
    return record.member(Role::kReceiver).side.empty() ? "alone" : "paired";
  }

  void TimePasses(absl::Duration time) {
    for (const auto& stream : streams_) {
      if (stream->Ended().empty()) stream->Detach();
    }
    Pass(time);
    Tick();
  }
  const ChannelLimits& limits() const { return options_.limits; }
  using SwitchboardTest::Pass;
  using SwitchboardTest::Tick;

 private:
  // "opened", "waiting", "posted", a reason, "OK"; "go on" when nothing was said.
  static std::string Answer(TestStream& stream) {
    const std::string ended = stream.Ended();
    if (!ended.empty()) {
      const std::vector<std::string> words = absl::StrSplit(ended, ' ');
      return words.size() > 1 ? words[1] : words[0];
    }
    const std::string heard = stream.Heard();
    for (const char* word : {"waiting(", "opened(", "posted("}) {
      if (heard.find(word) != std::string::npos) {
        return std::string(word, std::string(word).size() - 1);
      }
    }
    return "go on";
  }

  std::vector<std::unique_ptr<TestStream>> streams_;
};

using Occur = std::function<std::string(Cell&)>;

void AddOpens(std::map<std::string, Occur>& events) {
  const auto opens = [&events](const std::string& name, const std::string& who,
                               void (*open)(TestStream&)) {
    events[name] = [who, open](Cell& cell) { return cell.Open(who, open); };
  };
  const auto allocate = [](TestStream& s) { s.Allocate(kId); };
  const auto claim = [](TestStream& s) { s.Claim(kId); };
  const auto resume = [](TestStream& s) { s.Resume(kId); };
  opens("allocate by name, a new side", "cora", allocate);
  opens("allocate again, the initiator", "anna", allocate);
  opens("claim, a new side", "cora", claim);
  opens("claim, the receiver", "bert", claim);
  opens("claim, the initiator", "anna", claim);
  opens("claim and wait, a new side", "cora", [](TestStream& s) { s.Wait(kId); });
  opens("resume, the initiator", "anna", resume);
  opens("resume, the receiver", "bert", resume);
  opens("resume, another", "cora", resume);
}

void AddPosts(std::map<std::string, Occur>& events) {
  const auto posts = [&events](const std::string& name,
                               const std::function<void(TestStream&)>& act) {
    events["post, " + name] = [act](Cell& cell) { return cell.AfterAFrame("anna", act); };
  };
  posts("the initiator's next", [](TestStream& s) { s.Post(2, "next"); });
  posts("the same again", [](TestStream& s) { s.Post(1, "frame"); });
  posts("other bytes", [](TestStream& s) { s.Post(1, "other"); });
  posts("a gap", [](TestStream& s) { s.Post(3, "gap"); });
  posts("too long", [](TestStream& s) { s.Post(2, std::string(66'001, 'x')); });
  events["post, the receiver's next"] = [](Cell& cell) {
    return cell.AsMember("bert", [](TestStream& s) { s.Post(1, "next"); });
  };
  events["post, past the window"] = [](Cell& cell) {
    for (uint64_t n = 1; n <= cell.limits().window_frames; ++n) {
      cell.AsMember("anna", [n](TestStream& s) { s.Post(n, "frame"); });
    }
    return cell.AsMember(
        "anna", [&cell](TestStream& s) { s.Post(cell.limits().window_frames + 1, "past"); });
  };
  events["ack beyond what is stored"] = [](Cell& cell) {
    return cell.AsMember("anna", [](TestStream& s) { s.Ack(9); });
  };
}

void AddCloses(std::map<std::string, Occur>& events) {
  const auto closes = [&events](const std::string& name, const std::string& who,
                                rendezvous::v1::Mood mood) {
    events[name] = [who, mood](Cell& cell) {
      return cell.AsMember(who, [mood](TestStream& s) { s.Close(mood); });
    };
  };
  closes("close happy, the initiator", "anna", MOOD_HAPPY);
  closes("close happy, the receiver", "bert", MOOD_HAPPY);
  closes("close lonely, the initiator", "anna", MOOD_LONELY);
  closes("close scary, the receiver", "bert", MOOD_SCARY);
  closes("close, an unknown mood", "anna", static_cast<rendezvous::v1::Mood>(77));
}

std::map<std::string, Occur> Events() {
  std::map<std::string, Occur> events;
  AddOpens(events);
  AddPosts(events);
  AddCloses(events);
  events["its time is over"] = [](Cell& cell) {
    cell.TimePasses(cell.limits().ttl_default);
    return cell.Open("anna", [](TestStream& s) { s.Resume(kId); });
  };
  events["the quarantine is over"] = [](Cell& cell) -> std::string {
    cell.TimePasses(cell.limits().quarantine);
    return "";
  };
  return events;
}

TEST(ProtocolPageTest, EveryCellOfTheChannelsTable) {
  const std::map<std::string, Occur> events = Events();
  int driven = 0;
  for (const auto& [event, state, outcome] : page::StateTableWith(
           "event | free | alone | paired | left | closed | expired", page::NamesOf(events))) {
    const std::vector<std::string> parts = absl::StrSplit(outcome, "->");
    const std::string next(parts.size() > 1 ? absl::StripAsciiWhitespace(parts[1]) : state);
    Cell cell;
    cell.Reach(state);
    ASSERT_EQ(cell.State(), state) << event;
    EXPECT_EQ(events.at(event)(cell), absl::StripAsciiWhitespace(parts[0]))
        << event << ", " << state;
    EXPECT_EQ(cell.State(), next) << event << ", " << state;
    ++driven;
  }
  EXPECT_GT(driven, 100);
}

// --- The fields of MALFORMED, section 10.

using rendezvous::v1::AttachRequest;

// A good Open, as far as `change` leaves it one.
AttachRequest OpenWith(const std::function<void(rendezvous::v1::Open&)>& change) {
  AttachRequest request;
  request.mutable_open()->set_app_id(kApp);
  request.mutable_open()->set_token(std::string(32, 't'));
  request.mutable_open()->mutable_allocate();
  change(*request.mutable_open());
  return request;
}

AttachRequest PostOf(uint64_t number, const std::string& frame) {
  AttachRequest request;
  request.mutable_post()->set_number(number);
  request.mutable_post()->set_frame(frame);
  return request;
}

AttachRequest AckOf(uint64_t number) {
  AttachRequest request;
  request.mutable_ack()->set_number(number);
  return request;
}

// What is said on a stream of its own, and ends it.
std::map<std::string, std::vector<AttachRequest>> Malformations() {
  using rendezvous::v1::Open;
  const AttachRequest good = OpenWith([](Open&) {});
  const AttachRequest waits = OpenWith([](Open& open) {
    open.mutable_claim()->set_channel_id(kId);
    open.mutable_claim()->set_wait(true);
  });
  AttachRequest no_mood;
  no_mood.mutable_close();
  std::map<std::string, std::vector<AttachRequest>> all = {
      {"request", {good, AttachRequest()}},
      {"open", {good, good}},
      {"post", {waits, PostOf(1, "frame")}},
      {"ack", {waits, AckOf(1)}},
      {"post.number", {good, PostOf(0, "frame")}},
      {"post.frame", {good, PostOf(1, std::string(66'001, 'x'))}},
      {"ack.number", {good, AckOf(uint64_t{1} << 63)}},
      {"close.mood", {good, no_mood}},
  };
  const auto opens = [&all](const std::string& field, const std::function<void(Open&)>& change) {
    all["open." + field] = {OpenWith(change)};
  };
  opens("token", [](Open& open) { open.set_token("short"); });
  opens("app_id", [](Open& open) { open.set_app_id("a\nb"); });
  opens("cursor", [](Open& open) { open.set_cursor(uint64_t{1} << 63); });
  opens("purpose", [](Open& open) { open.clear_purpose(); });
  opens("allocate.ttl", [](Open& open) { open.mutable_allocate()->mutable_ttl()->set_nanos(-1); });
  opens("allocate.min_digits", [](Open& open) { open.mutable_allocate()->set_min_digits(10); });
  opens("allocate.channel_id",
        [](Open& open) { open.mutable_allocate()->set_channel_id(kMaxChannelId + 1); });
  opens("claim.channel_id", [](Open& open) { open.mutable_claim(); });
  opens("resume.channel_id", [](Open& open) { open.mutable_resume(); });
  return all;
}

TEST(ProtocolPageTest, EveryFieldOfMalformed) {
  auto malformations = Malformations();
  for (const page::Row& row : page::TableWith("field | when")) {
    const auto found = malformations.find(row[0]);
    ASSERT_NE(found, malformations.end()) << "a field that the test does not know: " << row[0];
    Cell cell;
    EXPECT_EQ(cell.EndAfter(found->second), "INVALID_ARGUMENT MALFORMED " + row[0]);
    malformations.erase(found);
  }
  EXPECT_TRUE(malformations.empty()) << malformations.begin()->first << " is not on the page";
}

}  // namespace
}  // namespace wormhole::relay
