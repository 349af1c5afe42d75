// Bearer tokens: who is let in, and that nothing of a channel changes for those who are not.
#include <optional>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "relay/admission/admission.h"
#include "relay/admission/token_list.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

// Who presents `alice` may allocate, who presents `bob` may claim, in kApp.
class Tokens final : public TokenJudge {
 public:
  TokenVerdict Judge(const std::optional<TokenHash>& presented, TokenUse use,
                     std::string_view app_id) const override {
    return list_.Judge(presented, use, app_id);
  }

 private:
  const TokenList list_ =
      TokenList::Parse(TokenList::Write(HashToken("alice"), "allocate", kApp).value() + "\n" +
                       TokenList::Write(HashToken("bob"), "claim", kApp).value())
          .value();
};

class BearerTokens : public SwitchboardTest {
 protected:
  BearerTokens() {
    token_judge_ = &tokens_;
    Restart();
  }

  // A stream of `name` that presents `token`.
  std::unique_ptr<TestStream> With(const std::string& token, const std::string& name) {
    return std::make_unique<TestStream>(*switchboard_, name,
                                        StreamOrigin{.token = HashToken(token)});
  }

  const Tokens tokens_;
};

TEST_F(BearerTokens, TheHolderAllocatesAndClaims) {
  auto anna = With("alice", "anna");
  anna->Allocate();
  Settle();
  ASSERT_EQ(anna->Ended(), "");
  auto bert = With("bob", "bert");
  bert->Claim(anna->id());
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  EXPECT_EQ(bert->id(), anna->id());
}

TEST_F(BearerTokens, NobodyElseDoes) {
  auto none = Stream("anna");
  none->Allocate();
  EXPECT_EQ(none->Ended(), "UNAUTHENTICATED NOT_ALLOWED");
  auto wrong = With("mallory", "anna");
  wrong->Allocate();
  EXPECT_EQ(wrong->Ended(), "UNAUTHENTICATED NOT_ALLOWED");
  auto other_use = With("bob", "anna");
  other_use->Allocate();
  EXPECT_EQ(other_use->Ended(), "PERMISSION_DENIED NOT_ALLOWED");
  auto other_app = With("alice", "anna");
  other_app->InApp("example.com/app2").Allocate();
  EXPECT_EQ(other_app->Ended(), "PERMISSION_DENIED NOT_ALLOWED");
  EXPECT_EQ(store_.pending(), "") << "the store was not asked";
}

TEST_F(BearerTokens, ARefusalSaysWhatToDo) {
  auto none = Stream("anna");
  none->Allocate();
  EXPECT_EQ(none->status().message(),
            "a bearer token is needed to allocate in this app-id; ask who runs the relay for one");
  auto wrong = With("mallory", "bert");
  wrong->Wait(4);
  EXPECT_EQ(wrong->status().message(),
            "the relay does not know this bearer token, and one is needed to claim in this app-id; "
            "ask who runs the relay for one");
}

// Nobody learns without a token which channels there are, nor disturbs them.
TEST_F(BearerTokens, ARefusedClaimIsNoThirdParty) {
  auto anna = With("alice", "anna");
  anna->Allocate();
  Settle();
  anna->Heard();
  for (const uint32_t id : {anna->id(), anna->id() + 1}) {
    auto stranger = Stream("stranger");
    stranger->Claim(id);
    Settle();
    EXPECT_EQ(stranger->Ended(), "UNAUTHENTICATED NOT_ALLOWED");
  }
  EXPECT_EQ(anna->Heard(), "");
}

// A token has more bits than anybody guesses, but to look at one costs the relay something.
TEST_F(BearerTokens, TryingThemIsLimitedByAddress) {
  AdmissionRules rules;
  rules.acts[Act::kAllocate] = 5;
  rules.acts[Act::kFailClaim] = 3;
  admission_ = std::make_unique<Admission>(rules);
  Restart();
  const auto try_one = [this](const char* address, const char* token, bool allocate) {
    TestStream stream(*switchboard_, "mallory",
                      {.address = net::Address::Parse(address), .token = HashToken(token)});
    allocate ? stream.Allocate() : stream.Claim(7);
    Settle();
    return stream.Ended();
  };
  const std::string wrong = "UNAUTHENTICATED NOT_ALLOWED";
  const std::string busy = "RESOURCE_EXHAUSTED BUSY";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(try_one("192.0.2.7", "wrong", /*allocate=*/true), wrong);
  EXPECT_EQ(try_one("192.0.2.7", "wrong", /*allocate=*/true), busy);
  EXPECT_EQ(try_one("192.0.2.7", "bob", /*allocate=*/false), busy) << "it may be guessing";
  EXPECT_EQ(try_one("192.0.2.8", "bob", /*allocate=*/false), "NOT_FOUND NEVER_ALLOCATED");
  // Who has another's token guesses nothing.
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(try_one("192.0.2.9", "bob", /*allocate=*/true), "PERMISSION_DENIED NOT_ALLOWED");
  }
  EXPECT_EQ(try_one("192.0.2.9", "bob", /*allocate=*/false), "NOT_FOUND NEVER_ALLOCATED");
}

TEST_F(BearerTokens, ToResumeTakesNone) {
  auto anna = With("alice", "anna");
  anna->Allocate();
  Settle();
  auto again = Stream("anna");
  again->Resume(anna->id());
  Settle();
  EXPECT_EQ(again->Ended(), "");
  EXPECT_EQ(again->id(), anna->id());
}

TEST_F(BearerTokens, WhatIsMalformedIsSoWithoutATokenToo) {
  auto stream = Stream("anna");
  stream->Claim(0);
  EXPECT_EQ(stream->Ended(), "INVALID_ARGUMENT MALFORMED open.claim.channel_id");
}

}  // namespace
}  // namespace wormhole::relay
