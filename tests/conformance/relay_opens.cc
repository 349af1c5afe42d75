// What a relay makes of the first request, and of what is no request at all.
#include <functional>
#include <string>
#include <utility>

#include "tests/conformance/relay_case.h"

namespace wormhole::conformance {
namespace {

namespace v1 = rendezvous::v1;
using Cases = std::vector<RelayCase>;

constexpr auto kMalformed = ErrorDetail::REASON_MALFORMED;

std::string Token() { return RandomBytes(32); }

void AddMalformed(Cases& cases) {
  const auto malformed = [&cases](const char* name, const char* field, const char* shows,
                                  std::function<void(AttachRequest&)> change) {
    cases.push_back({name, "2 Open", shows, [=](World& world) {
                       AttachRequest request = conformance::Allocate(world.app_id(), Token());
                       change(request);
                       world.Say(request).Refused(kMalformed, field);
                     }});
  };
  malformed("first-request-a-post", "open", "the first request is `open`",
            [](AttachRequest& r) { r.mutable_post()->set_number(1); });
  malformed("open-without-purpose", "open.purpose", "a purpose is missing",
            [](AttachRequest& r) { r.mutable_open()->clear_purpose(); });
  for (const auto& [name, size] :
       {std::pair{"token-of-31-bytes", 31}, {"token-of-33-bytes", 33}, {"token-empty", 0}}) {
    malformed(name, "open.token", "a token has 32 bytes", [size = size](AttachRequest& r) {
      r.mutable_open()->set_token(std::string(size, 't'));
    });
  }
  malformed("app-id-empty", "open.app_id", "an app-id has at least a byte",
            [](AttachRequest& r) { r.mutable_open()->clear_app_id(); });
  malformed("app-id-of-256-bytes", "open.app_id", "an app-id has at most 255 bytes",
            [](AttachRequest& r) { r.mutable_open()->set_app_id(std::string(256, 'a')); });
  malformed("app-id-with-a-line-feed", "open.app_id", "U+000A is no part of an app-id",
            [](AttachRequest& r) { r.mutable_open()->set_app_id("a\nb"); });
  malformed("app-id-with-del", "open.app_id", "U+007F is no part of an app-id",
            [](AttachRequest& r) { r.mutable_open()->set_app_id("a\x7f"); });
  malformed("app-id-with-c1", "open.app_id", "U+0085 is no part of an app-id",
            [](AttachRequest& r) { r.mutable_open()->set_app_id("a\xc2\x85"); });
  malformed("ttl-negative", "open.allocate.ttl", "a negative ttl", [](AttachRequest& r) {
    r.mutable_open()->mutable_allocate()->mutable_ttl()->set_seconds(-1);
  });
  malformed("ttl-no-duration", "open.allocate.ttl", "10^9 nanoseconds in a Duration",
            [](AttachRequest& r) {
              r.mutable_open()->mutable_allocate()->mutable_ttl()->set_nanos(1'000'000'000);
            });
  malformed("ten-digits-at-least", "open.allocate.min_digits", "min_digits is 0 to 9",
            [](AttachRequest& r) { r.mutable_open()->mutable_allocate()->set_min_digits(10); });
  malformed("allocate-id-of-ten-digits", "open.allocate.channel_id",
            "an id has at most nine digits", [](AttachRequest& r) {
              r.mutable_open()->mutable_allocate()->set_channel_id(1'000'000'000);
            });
  malformed("claim-of-nothing", "open.claim.channel_id", "a claim names an id",
            [](AttachRequest& r) { r.mutable_open()->mutable_claim(); });
  malformed("resume-of-nothing", "open.resume.channel_id", "a resume names an id",
            [](AttachRequest& r) { r.mutable_open()->mutable_resume(); });
  malformed("cursor-of-2-to-the-63", "open.cursor", "a cursor is at most 2^63 - 1",
            [](AttachRequest& r) { r.mutable_open()->set_cursor(uint64_t{1} << 63); });
}

void AddLater(Cases& cases) {
  const auto later = [&cases](const char* name, const char* field, const char* shows,
                              std::function<AttachRequest(World&)> request) {
    cases.push_back({name, "2 The relay", shows, [=](World& world) {
                       Talk talk = world.Allocate(Token());
                       talk.Attached();
                       talk.Send(request(world));
                       talk.Refused(kMalformed, field);
                     }});
  };
  later("opened-twice", "open", "a stream is opened once",
        [](World& world) { return conformance::Allocate(world.app_id(), Token()); });
  later("request-without-an-arm", "request", "a request that says nothing",
        [](World&) { return AttachRequest(); });
  later("ack-of-2-to-the-63", "ack.number", "a cursor is at most 2^63 - 1",
        [](World&) { return conformance::Ack(uint64_t{1} << 63); });
  later("close-in-no-mood", "close.mood", "a close has a mood",
        [](World&) { return CloseIn(v1::MOOD_UNSPECIFIED); });
  later("close-in-an-unknown-mood", "close.mood", "a mood that is not in the enum",
        [](World&) { return CloseIn(static_cast<v1::Mood>(9)); });
}

void AddGood(Cases& cases) {
  cases.push_back({"app-id-of-255-bytes", "1 Terms", "the longest app-id", [](World& world) {
                     AttachRequest request = conformance::Allocate(world.app_id(), Token());
                     std::string app_id = world.app_id();
                     app_id.resize(255, 'x');
                     request.mutable_open()->set_app_id(app_id);
                     world.Say(request).Attached();
                   }});
  cases.push_back(
      {"app-id-of-other-scripts", "1 Terms", "any UTF-8 is an app-id", [](World& world) {
         AttachRequest request = conformance::Allocate(world.app_id(), Token());
         request.mutable_open()->set_app_id(world.app_id() + "/\xf0\x9f\x8c\x80\xe2\x82\xac");
         world.Say(request).Attached();
       }});
  cases.push_back({"unknown-fields", "9 Versions", "unknown fields in any request are ignored",
                   [](World& world) {
                     AttachRequest request = conformance::Allocate(world.app_id(), Token());
                     v1::Open& open = *request.mutable_open();
                     open.GetReflection()->MutableUnknownFields(&open)->AddVarint(99, 1);
                     open.GetReflection()->MutableUnknownFields(&open)->AddLengthDelimited(98, "x");
                     world.Say(request).Attached();
                   }});
  cases.push_back(
      {"opened-has-its-fields", "2 Opened", "limits, interval, presence and expiry",
       [](World& world) {
         const v1::Opened opened = world.Allocate(Token()).Attached();
         if (!world.ok()) return;
         const v1::Limits& limits = opened.limits();
         world.Check(limits.max_frame_bytes() >= 66'000 && limits.max_frame_bytes() <= 1'048'576 &&
                         limits.window_frames() >= 4 && limits.window_bytes() >= 262'144,
                     "limits below the least: " + limits.ShortDebugString());
         world.Check(opened.has_heartbeat_interval(), "no interval");
         world.Check(opened.peer() == v1::PRESENCE_ABSENT, "the peer is not ABSENT");
         world.Check(opened.has_expires_at(), "no expiry");
         world.Check(opened.stored() == 0 && opened.peer_stored() == 0 &&
                         opened.peer_cursor() == 0 && !opened.left(),
                     "a new channel is not empty");
       }});
  cases.push_back(
      {"ttl-above-the-maximum", "2 Open", "a ttl of 9,999 years is cut", [](World& world) {
         AttachRequest request = conformance::Allocate(world.app_id(), Token());
         request.mutable_open()->mutable_allocate()->mutable_ttl()->set_seconds(315'000'000'000);
         const v1::Opened opened = world.Say(request).Attached();
         world.Check(opened.expires_at().seconds() < 10'000'000'000, "it is not cut");
       }});
  cases.push_back(
      {"heartbeats-are-answered", "2 Heartbeats", "each one, at once", [](World& world) {
         Talk talk = world.Allocate(Token());
         talk.Attached();
         for (int i = 0; i < 5; ++i) talk.Quiet();
       }});
}

}  // namespace

void AddOpenCases(Cases& cases) {
  AddMalformed(cases);
  AddLater(cases);
  AddGood(cases);
}

}  // namespace wormhole::conformance
