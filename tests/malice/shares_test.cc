// Shares and associated data that no honest side sends.
#include <functional>
#include <string>
#include <vector>

#include "client/pake/associated_data.h"
#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"
#include "proto/wire/side.h"
#include "tests/malice/evil_run.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::malice {
namespace {

using exchange::v1::ExchangeFrame;
using pake::Role;

// All points that CPace has to refuse, the identity among them, and what is no point at all.
std::vector<std::string> BadShares() {
  const nlohmann::json vectors = pake::vectors::Load("cpace_ristr255_sha512_vectors.json");
  std::vector<std::string> shares = {"", std::string(31, 'a'), std::string(33, '\0'),
                                     std::string(64, '\0')};
  for (const auto& point : vectors["official"]["scalar_mult_vfy_invalid"]["points"]) {
    shares.push_back(pake::vectors::Unhex(point["Y"]));
  }
  for (const auto& group : vectors["supplementary"]["rfc9496_invalid_encodings"]) {
    for (const auto& point : group) shares.push_back(pake::vectors::Unhex(point));
  }
  for (const auto& point : vectors["supplementary"]["high_bit"]) {
    shares.push_back(pake::vectors::Unhex(point["Y"]));
  }
  return shares;
}

// The receiver reads the initiator's opening, the initiator the receiver's answer.
EvilOutcome RunWith(Role reader,
                    const std::function<void(std::string& share, std::string& ad)>& change) {
  Evil evil;
  evil.on_frame = [&](Role to, uint64_t& number, std::string& bytes) {
    if (to != reader || number != 1) return;
    ExchangeFrame frame;
    ASSERT_TRUE(frame.ParseFromString(bytes));
    if (reader == Role::kReceiver) {
      change(*frame.mutable_pake_initiator()->mutable_share(),
             *frame.mutable_pake_initiator()->mutable_associated_data());
    } else {
      change(*frame.mutable_pake_receiver()->mutable_share(),
             *frame.mutable_pake_receiver()->mutable_associated_data());
    }
    bytes = frame.SerializeAsString();
  };
  return RunEvil(evil);
}

void ExpectNoData(const EvilOutcome& outcome, Role reader, Reason reason) {
  EXPECT_EQ(Judge(outcome), "");
  EXPECT_FALSE(outcome.GotData(Role::kInitiator) || outcome.GotData(Role::kReceiver));
  EXPECT_EQ(outcome.reason(reader), reason);
}

class BadShare : public testing::TestWithParam<Role> {};
INSTANTIATE_TEST_SUITE_P(Roles, BadShare, testing::Values(Role::kInitiator, Role::kReceiver));

TEST_P(BadShare, PointsThatAreNone) {
  const std::vector<std::string> shares = BadShares();
  EXPECT_GT(shares.size(), 30u);
  for (const std::string& bad : shares) {
    SCOPED_TRACE(pake::vectors::Hex(bad));
    ExpectNoData(RunWith(GetParam(), [&](std::string& share, std::string&) { share = bad; }),
                 GetParam(), Reason::kWrongCode);
  }
}

TEST_P(BadShare, TheHighBit) {
  ExpectNoData(
      RunWith(GetParam(), [](std::string& share,
                             std::string&) { share[31] = static_cast<char>(share[31] | '\x80'); }),
      GetParam(), Reason::kWrongCode);
}

TEST(OwnShare, IsRefused) {
  std::string initiators;
  Evil evil;
  evil.on_frame = [&](Role to, uint64_t& number, std::string& bytes) {
    ExchangeFrame frame;
    ASSERT_TRUE(frame.ParseFromString(bytes));
    if (number != 1) return;
    if (to == Role::kReceiver) {
      initiators = frame.pake_initiator().share();
      return;
    }
    frame.mutable_pake_receiver()->set_share(initiators);
    bytes = frame.SerializeAsString();
  };
  ExpectNoData(RunEvil(evil), Role::kInitiator, Reason::kWrongCode);
}

TEST(BadAssociatedData, UnknownVersions) {
  const wire::Side side(wire::kSideBytes, 's');
  for (const std::string& versions :
       {std::string("\x02"), std::string("\xff"), std::string(1, '\0')}) {
    const EvilOutcome outcome = RunWith(Role::kReceiver, [&](std::string&, std::string& ad) {
      ad = pake::InitiatorAd(versions, side);
    });
    EXPECT_EQ(Judge(outcome), "");
    EXPECT_FALSE(outcome.GotData(Role::kInitiator) || outcome.GotData(Role::kReceiver));
  }
  for (const uint8_t version : {0, 2, 255}) {
    ExpectNoData(
        RunWith(Role::kInitiator,
                [&](std::string&, std::string& ad) { ad = pake::ReceiverAd(version, side); }),
        Role::kInitiator, Reason::kWrongCode);
  }
}

// More versions than the initiator offers: a downgrade, or an upgrade, is seen by the tags.
TEST(BadAssociatedData, VersionsThatWereNotOffered) {
  const EvilOutcome outcome = RunWith(Role::kReceiver, [](std::string&, std::string& ad) {
    const auto fields = pake::ParseInitiatorAd(ad, wire::Side(wire::kSideBytes, 'x'));
    ASSERT_TRUE(fields.ok());
    ad = pake::InitiatorAd("\x01\x02", fields->side);
  });
  ExpectNoData(outcome, Role::kInitiator, Reason::kWrongCode);
}

TEST(BadAssociatedData, RolesAndSidesSwapped) {
  for (const Role reader : {Role::kInitiator, Role::kReceiver}) {
    ExpectNoData(RunWith(reader,
                         [&](std::string&, std::string& ad) {
                           const wire::Side side(wire::kSideBytes, 's');
                           ad = reader == Role::kInitiator ? pake::InitiatorAd("\x01", side)
                                                           : pake::ReceiverAd(1, side);
                         }),
                 reader, Reason::kWrongCode);
    for (const char* ad : {"", "x", "wormhole-sync/1"}) {
      ExpectNoData(RunWith(reader, [&](std::string&, std::string& given) { given = ad; }), reader,
                   Reason::kWrongCode);
    }
  }
}

TEST(BadAssociatedData, TheReadersOwnSide) {
  std::string initiators;
  Evil evil;
  evil.on_frame = [&](Role to, uint64_t& number, std::string& bytes) {
    ExchangeFrame frame;
    ASSERT_TRUE(frame.ParseFromString(bytes));
    if (number != 1) return;
    if (to == Role::kReceiver) {
      initiators =
          pake::ParseInitiatorAd(frame.pake_initiator().associated_data(), wire::Side(16, 'x'))
              ->side;
      return;
    }
    frame.mutable_pake_receiver()->set_associated_data(pake::ReceiverAd(1, initiators));
    bytes = frame.SerializeAsString();
  };
  ExpectNoData(RunEvil(evil), Role::kInitiator, Reason::kWrongCode);
}

}  // namespace
}  // namespace wormhole::malice
