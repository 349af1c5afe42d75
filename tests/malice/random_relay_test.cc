// A relay that changes, repeats, withholds, delays and makes up whatever comes into its mind, one
// mind a seed; and clients that crash meanwhile and go on from what they have saved. However it
// goes, both come to an end that they can tell the reason of, nobody has data that is not the
// peer's, and no key stream is used twice.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/malice/evil_run.h"
#include "tests/simulation/random.h"
#include "tests/support/nightly.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::malice {
namespace {

using error::ErrorDetail;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using pake::Role;
using simulation::SimRandom;

#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kSeeds = 1'000;
#else
constexpr uint64_t kSeeds = 10'000;
#endif
constexpr uint64_t kNightlySeeds = 300'000;

class RandomRelay {
 public:
  explicit RandomRelay(uint64_t seed)
      : random_(seed), malice_(0.4 * random_.Unit() * random_.Unit()) {}

  Evil Make() {
    Evil evil;
    evil.on_frame = [this](Role, uint64_t& number, std::string& frame) {
      seen_.push_back(frame);
      if (!random_.Chance(malice_)) return;
      random_.Chance(0.3) ? Change(number) : Change(frame);
    };
    evil.on_response = [this](Role reader, std::vector<AttachResponse>& responses) {
      Disturb(kept_[reader], responses);
    };
    evil.on_request = [this](Role author, const AttachRequest& request) {
      if (request.has_post()) Look(author, request.post());
      return random_.Chance(0.2 * malice_) ? std::optional(AnyStatus()) : std::nullopt;
    };
    return evil;
  }

  // What a client has done that none may do, whatever it hears.
  const std::string& wrong() const { return wrong_; }

 private:
  void Look(Role author, const rendezvous::v1::Post& post) {
    const auto [sent, is_new] = sent_.try_emplace({author, post.number()}, post.frame());
    if (!is_new && sent->second != post.frame()) wrong_ += "a number is used for two frames; ";
    exchange::v1::ExchangeFrame frame;
    if (!frame.ParseFromString(post.frame()) || !frame.has_sealed()) return;
    const std::string& box = frame.sealed().box();
    const auto [known, is_first] = boxes_.try_emplace(box.substr(0, 24), box);
    if (!is_first && known->second != box) wrong_ += "a nonce is used for two plaintexts; ";
  }

  void Disturb(std::vector<AttachResponse>& kept, std::vector<AttachResponse>& responses) {
    for (AttachResponse& response : responses) {
      if (random_.Chance(malice_)) ChangeField(response);
    }
    if (random_.Chance(malice_ / 4)) {
      kept.insert(kept.end(), responses.begin(), responses.end());
      responses.clear();
    } else if (random_.Chance(malice_) && !kept.empty()) {
      responses.insert(random_.Chance(0.5) ? responses.begin() : responses.end(), kept.begin(),
                       kept.end());
      if (random_.Chance(0.7)) kept.clear();
    } else if (random_.Chance(malice_) && !responses.empty()) {
      responses.push_back(responses.front());
    }
  }

  // Some field of it, or of what it has in it.
  void ChangeField(Message& message) {
    const auto& descriptor = *message.GetDescriptor();
    const auto& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    if (fields.empty() || (&descriptor != AttachResponse::descriptor() && random_.Chance(0.4))) {
      for (int i = 0; i < descriptor.field_count(); ++i) fields.push_back(descriptor.field(i));
    }
    if (fields.empty()) return;
    const FieldDescriptor* const field =
        fields[random_.Below(static_cast<uint32_t>(fields.size()))];
    uint64_t number = 0;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return ChangeField(*reflection.MutableMessage(&message, field));
      case FieldDescriptor::CPPTYPE_UINT64:
        number = reflection.GetUInt64(message, field);
        Change(number);
        return reflection.SetUInt64(&message, field, number);
      case FieldDescriptor::CPPTYPE_UINT32:
        number = reflection.GetUInt32(message, field);
        Change(number);
        return reflection.SetUInt32(&message, field, static_cast<uint32_t>(number));
      case FieldDescriptor::CPPTYPE_INT64:
        number = static_cast<uint64_t>(reflection.GetInt64(message, field));
        Change(number);
        return reflection.SetInt64(&message, field, static_cast<int64_t>(number));
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(&message, field, static_cast<int32_t>(random_.Next() >> 32));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(&message, field, !reflection.GetBool(message, field));
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(&message, field, static_cast<int>(random_.Below(8)));
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string bytes = reflection.GetString(message, field);
        if (field->type() == FieldDescriptor::TYPE_BYTES) Change(bytes);
        return reflection.SetString(&message, field, bytes);
      }
      default:
        return;
    }
  }

  void Change(uint64_t& number) {
    switch (random_.Below(5)) {
      case 0:
        ++number;
        break;
      case 1:
        --number;
        break;
      case 2:
        number = random_.Next();
        break;
      default:
        number = random_.Below(6);
        break;
    }
  }

  // Into another one that was there, or into nonsense.
  void Change(std::string& frame) {
    const uint32_t kind = random_.Below(4);
    if (kind == 0 && !seen_.empty()) {
      frame = seen_[random_.Below(static_cast<uint32_t>(seen_.size()))];
    } else if (kind == 1) {
      frame.resize(random_.Below(static_cast<uint32_t>(frame.size()) + 1));
    } else if (!frame.empty()) {
      frame[random_.Below(static_cast<uint32_t>(frame.size()))] ^=
          static_cast<char>(1u << random_.Below(8));
    }
  }

  absl::Status AnyStatus() {
    if (random_.Chance(0.3)) return absl::Status(absl::StatusCode(random_.Below(18)), "made up");
    error::DetailFields fields;
    if (random_.Chance(0.5)) fields.retry_delay = absl::Milliseconds(random_.Below(20'000));
    fields.mood = rendezvous::v1::Mood(random_.Below(6));
    return error::Make(ErrorDetail::Reason(random_.Below(20)), "made up", fields);
  }

  SimRandom random_;
  const double malice_;
  std::vector<std::string> seen_;                     // frames
  std::map<Role, std::vector<AttachResponse>> kept_;  // back, by reader
  std::map<std::pair<Role, uint64_t>, std::string> sent_;
  std::map<std::string, std::string> boxes_;  // by nonce
  std::string wrong_;
};

// By night other ones each day.
uint64_t FirstSeed() {
  if (!IsNightly()) return 1;
  return 1 + kNightlySeeds * static_cast<uint64_t>(absl::ToUnixSeconds(absl::Now()) / 86'400);
}

TEST(RandomRelay, GetsNobodyToDoWrong) {
  const char* const first = std::getenv("WORMHOLE_SIMULATION_SEED");
  const uint64_t begin = first != nullptr ? std::strtoull(first, nullptr, 10) : FirstSeed();
  const uint64_t seeds = first != nullptr ? 1 : IsNightly() ? kNightlySeeds : kSeeds;
  uint64_t met = 0;
  uint64_t failed = 0;
  for (uint64_t seed = begin; seed < begin + seeds; ++seed) {
    RandomRelay relay(seed);
    const EvilOutcome outcome = RunEvil(relay.Make(), seed, /*crashes=*/seed % 2 == 0);
    ASSERT_EQ(relay.wrong() + Judge(outcome), "") << "seed " << seed;
    met += outcome.GotData(Role::kInitiator) && outcome.GotData(Role::kReceiver);
    failed += !outcome.GotData(Role::kInitiator) && !outcome.GotData(Role::kReceiver);
  }
  // One that spoils everything at once, or nothing, shows little.
  EXPECT_TRUE(seeds < 100 || (met > seeds / 10 && failed > seeds / 10))
      << met << " met, " << failed << " failed";
}

}  // namespace
}  // namespace wormhole::malice
