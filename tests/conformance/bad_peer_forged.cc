// What is not genuine although the key is confirmed: boxes that do not hold what they should, and
// other frames in their place.
#include <string>
#include <utility>

#include "tests/conformance/bad_peer_case.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadPeerCase>;

// The number of the frame that shows whether the other side has the key, and of its last one.
uint64_t ProofOf(Role client) { return client == Role::kInitiator ? 1 : 2; }
uint64_t LastOf(Role client) { return client == Role::kInitiator ? 2 : 3; }

// After the key is confirmed.
void AddForged(Cases& cases, const char* name, const char* shows,
               const std::function<Bends(Role client)>& bends) {
  for (const Role role : kBoth) {
    cases.push_back({.name = name,
                     .client = role,
                     .section = "5 One guess",
                     .shows = shows,
                     .bends = bends(role),
                     .manners = {.stays = true},
                     .outcomes = {Outcome::kForged},
                     .closes = rendezvous::v1::MOOD_SCARY});
  }
}

void AddForgedBox(Cases& cases, const char* name, const char* shows,
                  std::function<void(Side&, std::string&)> change) {
  AddForged(cases, name, shows, [=](Role) { return Bends{.box = change}; });
}

void AddBoxes(Cases& cases) {
  AddForgedBox(cases, "box-of-the-other-role", "sealed with the reader's own key",
               [](Side& me, std::string& b) { b = me.keys().Seal(Other(me.role()), 0, ""); });
  AddForgedBox(cases, "box-of-number-1", "sealed with the key of the next message",
               [](Side& me, std::string& b) { b = me.keys().Seal(me.role(), 1, ""); });
  AddForgedBox(cases, "box-empty", "a box of no bytes", [](Side&, std::string& b) { b.clear(); });
  AddForgedBox(cases, "box-of-40-bytes", "a box with nothing between nonce and tag",
               [](Side& me, std::string& b) {
                 b = me.keys().SealPadded(me.role(), 0, "", std::string(24, 'n'));
               });
  AddForgedBox(cases, "bucket-too-large", "the smallest bucket that fits is the only valid one",
               [](Side& me, std::string& b) {
                 const std::string padded = Pad("", 512);
                 b = me.keys().SealPadded(me.role(), 0, padded,
                                          me.keys().NonceOf(me.role(), 0, padded));
               });
  AddForgedBox(cases, "bucket-of-128", "the smallest bucket has 256 bytes",
               [](Side& me, std::string& b) {
                 b = me.keys().SealPadded(me.role(), 0, Pad("", 128), std::string(24, 'n'));
               });
  AddForgedBox(cases, "bucket-of-300", "a bucket is a power of two", [](Side& me, std::string& b) {
    b = me.keys().SealPadded(me.role(), 0, Pad("", 300), std::string(24, 'n'));
  });
  AddForgedBox(cases, "padding-without-its-mark", "zeros alone are no padding",
               [](Side& me, std::string& b) {
                 b = me.keys().SealPadded(me.role(), 0, std::string(256, '\0'),
                                          std::string(24, 'n'));
               });
  AddForgedBox(cases, "padding-of-other-bytes", "behind 0x80 are zeros",
               [](Side& me, std::string& b) {
                 std::string padded = Pad("", 256);
                 padded[200] = 'x';
                 b = me.keys().SealPadded(me.role(), 0, padded, std::string(24, 'n'));
               });
  AddForged(cases, "data-of-65001-bytes", "data has 0 to 65,000 bytes", [](Role) {
    return Bends{.plaintext = [](std::string& p) {
      exchange::v1::Data data;
      data.set_data(std::string(65'001, 'x'));
      p = data.SerializeAsString();
    }};
  });
  AddForged(cases, "plaintext-no-data", "a plaintext that does not parse",
            [](Role) { return Bends{.plaintext = [](std::string& p) { p.assign(40, '\xff'); }}; });
}

void AddLastFrames(Cases& cases) {
  AddForged(cases, "sealed-1-for-0", "Sealed.number is that of its place", [](Role) {
    return Bends{.frame = [](Side&, uint64_t, ExchangeFrame& f) {
      if (f.has_sealed()) f.mutable_sealed()->set_number(1);
    }};
  });
  AddForged(cases, "last-frame-noise", "a frame that is no protobuf", [](Role role) {
    return Bends{.bytes = [role](uint64_t n, std::string& b) {
      if (n == LastOf(role)) b.assign(64, '\xfe');
    }};
  });
  AddForged(
      cases, "proof-twice", "the frame with the tag again, in place of Sealed", [](Role role) {
        Bends bends;
        bends.frame = [role, proof = ExchangeFrame()](Side&, uint64_t n, ExchangeFrame& f) mutable {
          if (n == ProofOf(role)) proof = f;
          if (n == LastOf(role)) f = proof;
        };
        return bends;
      });
}

}  // namespace

void AddForgedCases(Cases& cases) {
  AddBoxes(cases);
  AddLastFrames(cases);
}

}  // namespace wormhole::conformance
