// Frames that were changed, cut, repeated, reflected, exchanged or made up on their way.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/malice/evil_run.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::malice {
namespace {

using exchange::v1::ExchangeFrame;
using pake::Role;

struct Place {
  Role reader;
  uint64_t number;
};

constexpr Place kPlaces[] = {{Role::kReceiver, 1},
                             {Role::kInitiator, 1},
                             {Role::kReceiver, 2},
                             {Role::kReceiver, 3},
                             {Role::kInitiator, 2}};

bool IsBeforeKey(const Place& place) {
  return place.number == 1 || (place.reader == Role::kReceiver && place.number == 2);
}

std::string Name(const Place& place) {
  return std::string(pake::RoleName(place.reader)) + " reads frame " + std::to_string(place.number);
}

using Change = std::function<void(std::string& frame)>;

EvilOutcome RunChanged(const Place& place, const Change& change) {
  Evil evil;
  evil.on_frame = [&](Role reader, uint64_t& number, std::string& frame) {
    if (reader == place.reader && number == place.number) change(frame);
  };
  return RunEvil(evil);
}

// The reader has no data and says why; before the key, it is the wrong code for both.
void ExpectRefused(const Place& place, const EvilOutcome& outcome, const std::string& what) {
  ASSERT_EQ(Judge(outcome), "") << Name(place) << ", " << what;
  ASSERT_FALSE(outcome.GotData(place.reader)) << Name(place) << ", " << what;
  const Reason reason = outcome.reason(place.reader);
  if (IsBeforeKey(place)) {
    ASSERT_FALSE(outcome.GotData(Role::kInitiator) && outcome.GotData(Role::kReceiver));
    // The byte that lists the versions may say that there is no common one.
    ASSERT_TRUE(reason == Reason::kWrongCode ||
                (place.number == 1 && reason == Reason::kNoCommonVersion))
        << Name(place) << ", " << what << ": " << outcome.report(place.reader).failures.front();
  } else {
    ASSERT_EQ(reason, Reason::kForged) << Name(place) << ", " << what;
  }
}

// The frames of an exchange that nobody disturbs.
EvilOutcome Undisturbed(uint64_t seed = 1) { return RunEvil(Evil(), seed); }

const std::string& FrameAt(const EvilOutcome& outcome, const Place& place) {
  return place.reader == Role::kInitiator ? outcome.receiver_frames.at(place.number - 1)
                                          : outcome.initiator_frames.at(place.number - 1);
}

// Whether the two say the same, apart from unknown fields, which are ignored.
bool SaySame(const std::string& one, const std::string& other) {
  ExchangeFrame first, second;
  if (!first.ParseFromString(one) || !second.ParseFromString(other)) return false;
  first.DiscardUnknownFields();
  second.DiscardUnknownFields();
  return first.SerializeAsString() == second.SerializeAsString();
}

TEST(Malice, AnHonestRelayIsServed) {
  const EvilOutcome outcome = Undisturbed();
  EXPECT_EQ(Judge(outcome), "");
  EXPECT_TRUE(outcome.GotData(Role::kInitiator));
  EXPECT_TRUE(outcome.GotData(Role::kReceiver));
  EXPECT_EQ(outcome.initiator_frames.size(), 3u);
  EXPECT_EQ(outcome.receiver_frames.size(), 2u);
}

class Places : public testing::TestWithParam<Place> {};
INSTANTIATE_TEST_SUITE_P(All, Places, testing::ValuesIn(kPlaces));

// How many bits of each byte: where the code is slow, one, another for each byte.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr size_t kBitStep = 8;
#else
constexpr size_t kBitStep = 1;
#endif

TEST_P(Places, EachByteFlipped) {
  const std::string frame = FrameAt(Undisturbed(), GetParam());
  for (size_t bit = 0; bit < 8 * frame.size(); bit += kBitStep) {
    const size_t which = (bit + bit / 8) % 8;
    std::string changed = frame;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << which));
    if (SaySame(frame, changed)) continue;
    const EvilOutcome outcome = RunChanged(GetParam(), [&](std::string& f) { f = changed; });
    ExpectRefused(GetParam(), outcome,
                  "byte " + std::to_string(bit / 8) + " bit " + std::to_string(which));
    if (HasFatalFailure()) return;
  }
}

TEST_P(Places, CutAnywhere) {
  const std::string frame = FrameAt(Undisturbed(), GetParam());
  for (size_t size = 0; size < frame.size(); ++size) {
    const EvilOutcome outcome = RunChanged(GetParam(), [&](std::string& f) { f.resize(size); });
    ExpectRefused(GetParam(), outcome, "cut to " + std::to_string(size));
    if (HasFatalFailure()) return;
  }
}

TEST_P(Places, LongerByBytesThatAreNoField) {
  for (const std::string& tail : {std::string(1, '\0'), std::string("\x01"),
                                  std::string("\x0a\x05"), std::string(100, '\xff')}) {
    const EvilOutcome outcome = RunChanged(GetParam(), [&](std::string& f) { f += tail; });
    ExpectRefused(GetParam(), outcome, "with a tail");
  }
}

TEST_P(Places, UnknownFieldsAreIgnored) {
  const EvilOutcome outcome = RunChanged(GetParam(), [](std::string& f) {
    f += std::string(
        "\x7a\x03"
        "abc",
        5);  // field 15, three bytes
  });
  EXPECT_EQ(Judge(outcome), "");
  EXPECT_TRUE(outcome.GotData(Role::kInitiator) && outcome.GotData(Role::kReceiver));
}

TEST_P(Places, Oversized) {
  for (const size_t size : {size_t{66'000}, size_t{1} << 20, size_t{8} << 20}) {
    for (const char fill : {'\0', '\x0a', '\xff'}) {
      const EvilOutcome outcome =
          RunChanged(GetParam(), [&](std::string& f) { f = std::string(size, fill); });
      ExpectRefused(GetParam(), outcome, std::to_string(size) + " bytes");
    }
  }
}

// Each frame of this exchange, and of another one with the same code, in each place.
TEST_P(Places, FramesOfOtherPlacesAndOtherExchanges) {
  const EvilOutcome own = Undisturbed();
  const EvilOutcome other = Undisturbed(2);
  for (const EvilOutcome* source : {&own, &other}) {
    for (const Place& place : kPlaces) {
      const std::string& wrong = FrameAt(*source, place);
      if (wrong == FrameAt(own, GetParam())) continue;
      const EvilOutcome outcome = RunChanged(GetParam(), [&](std::string& f) { f = wrong; });
      // Another's opening is one with another code, as far as its reader can see: it is the answer
      // that gives it away, to the other side.
      const bool opening = GetParam().reader == Role::kReceiver && GetParam().number == 1 &&
                           place.reader == Role::kReceiver && place.number == 1;
      ASSERT_EQ(Judge(outcome), "");
      ASSERT_FALSE(outcome.GotData(GetParam().reader));
      if (!opening) ExpectRefused(GetParam(), outcome, "instead: " + Name(place));
      if (HasFatalFailure()) return;
    }
  }
}

// A whole earlier exchange with the same code is played back to one side.
TEST(Malice, AnEarlierExchangeIsReplayed) {
  const EvilOutcome earlier = Undisturbed(2);
  for (const Role victim : {Role::kInitiator, Role::kReceiver}) {
    Evil evil;
    evil.on_frame = [&](Role reader, uint64_t& number, std::string& frame) {
      if (reader == victim) frame = FrameAt(earlier, {reader, number});
    };
    const EvilOutcome outcome = RunEvil(evil);
    EXPECT_EQ(Judge(outcome), "");
    EXPECT_FALSE(outcome.GotData(Role::kInitiator) || outcome.GotData(Role::kReceiver));
    EXPECT_EQ(outcome.reason(Role::kInitiator), Reason::kWrongCode);
  }
}

// The initiator talks to itself, and so does the receiver.
TEST(Malice, OwnFramesAreReflected) {
  const EvilOutcome own = Undisturbed();
  for (const Role victim : {Role::kInitiator, Role::kReceiver}) {
    Evil evil;
    evil.on_frame = [&](Role reader, uint64_t& number, std::string& frame) {
      if (reader != victim) return;
      const auto& frames = reader == Role::kInitiator ? own.initiator_frames : own.receiver_frames;
      frame = frames[(number - 1) % frames.size()];
    };
    const EvilOutcome outcome = RunEvil(evil);
    EXPECT_EQ(Judge(outcome), "");
    EXPECT_FALSE(outcome.GotData(Role::kInitiator) || outcome.GotData(Role::kReceiver));
    EXPECT_EQ(outcome.reason(victim), Reason::kWrongCode);
  }
}

// The receiver's own tag comes back as the initiator's.
TEST(Malice, ATagIsReflected) {
  ExchangeFrame answer;
  Evil evil;
  evil.on_frame = [&](Role reader, uint64_t& number, std::string& frame) {
    if (reader == Role::kInitiator && number == 1) answer.ParseFromString(frame);
    if (reader != Role::kReceiver || number != 2) return;
    ExchangeFrame confirm;
    confirm.mutable_confirm()->set_tag(answer.pake_receiver().tag());
    frame = confirm.SerializeAsString();
  };
  ExpectRefused({Role::kReceiver, 2}, RunEvil(evil), "own tag");
}

// Every frame under the number of every other, at its own place in time.
TEST(Malice, NumbersAreSwapped) {
  for (const Role victim : {Role::kInitiator, Role::kReceiver}) {
    for (const uint64_t from : {1, 2, 3}) {
      for (const uint64_t to : {uint64_t{0}, uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{4},
                                uint64_t{1} << 32, ~uint64_t{0}}) {
        if (from == to) continue;
        Evil evil;
        evil.on_response = [&](Role reader, std::vector<AttachResponse>& responses) {
          if (reader != victim || !responses[0].has_message()) return;
          if (responses[0].message().number() != from) return;
          responses[0].mutable_message()->set_number(to);
        };
        EXPECT_EQ(Judge(RunEvil(evil)), "") << from << " as " << to;
      }
    }
  }
}

// Each message twice, and all earlier ones again with each new one: each counts once.
TEST(Malice, MessagesAreRepeated) {
  std::vector<AttachResponse> heard;
  Evil evil;
  evil.on_response = [&](Role reader, std::vector<AttachResponse>& responses) {
    if (reader != Role::kReceiver || !responses[0].has_message()) return;
    heard.push_back(responses[0]);
    responses = heard;
    responses.push_back(heard.back());
  };
  const EvilOutcome outcome = RunEvil(evil);
  EXPECT_EQ(Judge(outcome), "");
  EXPECT_TRUE(outcome.GotData(Role::kInitiator) && outcome.GotData(Role::kReceiver));
}

}  // namespace
}  // namespace wormhole::malice
