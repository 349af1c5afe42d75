// Frames in the wrong order, and what must be taken.
#include <string>
#include <utility>

#include "tests/conformance/bad_peer_case.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadPeerCase>;

Bends Instead(uint64_t number, std::function<void(Side&, ExchangeFrame&)> change) {
  Bends bends;
  bends.frame = [=](Side& me, uint64_t n, ExchangeFrame& frame) {
    if (n == number) change(me, frame);
  };
  return bends;
}

Bends InsteadBytes(uint64_t number, std::string bytes) {
  Bends bends;
  bends.bytes = [=](uint64_t n, std::string& b) {
    if (n == number) b = bytes;
  };
  return bends;
}

void AddOrder(Cases& cases) {
  const auto early = [&cases](const char* name, Role client, const char* shows, Bends bends) {
    cases.push_back({.name = name,
                     .client = client,
                     .section = "4 Frames",
                     .shows = shows,
                     .bends = std::move(bends),
                     .outcomes = {Outcome::kWrongCode},
                     .most_frames = 1,
                     .closes = rendezvous::v1::MOOD_SCARY});
  };
  for (const Role role : kBoth) {
    early("first-frame-without-an-arm", role, "a frame with no arm that the reader knows",
          InsteadBytes(1, std::string("\x7a\x01x", 3)));
    early("first-frame-noise", role, "a frame that is no protobuf",
          InsteadBytes(1, std::string(64, '\xfe')));
    early("sealed-first", role, "Sealed in place of frame 1",
          Instead(1, [](Side&, ExchangeFrame& f) {
            f.mutable_sealed()->set_box(std::string(296, 's'));
          }));
    early("confirm-first", role, "Confirm in place of frame 1",
          Instead(1, [](Side&, ExchangeFrame& f) {
            f.mutable_confirm()->set_tag(std::string(32, 't'));
          }));
  }
  early("sealed-before-confirm", Role::kReceiver, "a right Sealed in place of Confirm",
        Instead(2, [](Side& me, ExchangeFrame& f) {
          f.mutable_sealed()->set_box(me.keys().Seal(Role::kInitiator, 0, ""));
        }));
}

// What must be taken.
void AddGood(Cases& cases) {
  const auto good = [&cases](const char* name, const char* shows, Bends bends) {
    ForBoth(cases, {.name = name, .section = "4 Frames", .shows = shows, .bends = bends});
  };
  good("honest", "an exchange that nobody disturbs", {});
  good("nonce-not-derived", "a reader does not ask whether the nonce is the derived one",
       {.box = [](Side& me, std::string& b) {
         exchange::v1::Data data;
         data.set_data("from the other side");
         b = me.keys().SealPadded(me.role(), 0, Pad(data.SerializeAsString()),
                                  std::string(24, 'n'));
       }});
  good("asks-for-a-session", "a session that only one side wants is none",
       {.plaintext = [](std::string& p) {
         exchange::v1::Data data;
         data.ParseFromString(p);
         data.set_session(true);
         p = data.SerializeAsString();
       }});
  good("unknown-fields-in-data", "unknown fields are ignored",
       {.plaintext = [](std::string& p) { p += std::string("\x7a\x01x", 3); }});
  Bends fields;
  fields.bytes = [](uint64_t, std::string& b) { b += std::string("\x7a\x01x", 3); };
  good("unknown-fields-in-frames", "unknown fields are ignored", fields);
  for (BadPeerCase row :
       {BadPeerCase{
            .name = "most-data", .shows = "65,000 bytes", .peer_data = std::string(65'000, 'p')},
        BadPeerCase{.name = "no-data", .shows = "no bytes at all", .peer_data = ""}}) {
    row.section = "4 Frames";
    ForBoth(cases, row);
  }
}

}  // namespace

void AddFrameCases(Cases& cases) {
  AddOrder(cases);
  AddGood(cases);
}

}  // namespace wormhole::conformance
