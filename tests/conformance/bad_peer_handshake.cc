// Shares, associated data and tags that a client must refuse, each as the one thing that is wrong.
#include <string>
#include <utility>

#include "tests/conformance/bad_peer_case.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadPeerCase>;

// What is seen in the other side's frame 1 or tag: nothing that depends on the key has been sent.
BadPeerCase WrongCode(std::string name, Role client, std::string shows, Bends bends,
                      uint64_t most_frames) {
  return {.name = std::move(name),
          .client = client,
          .section = "3 Key agreement",
          .shows = std::move(shows),
          .bends = std::move(bends),
          .outcomes = {Outcome::kWrongCode},
          .most_frames = most_frames,
          .closes = rendezvous::v1::MOOD_SCARY};
}

uint64_t BeforeFrameOne(Role client) { return client == Role::kInitiator ? 1 : 0; }

void AddShares(Cases& cases) {
  const auto share = [&cases](const char* name, const char* shows,
                              std::function<void(Side&, std::string&)> bend) {
    for (const Role role : kBoth) {
      cases.push_back(WrongCode(std::string("share-") + name, role, shows, {.share = bend},
                                BeforeFrameOne(role)));
    }
  };
  share("identity", "32 zero bytes encode the identity",
        [](Side&, std::string& s) { s.assign(32, '\0'); });
  share("with-bit-255", "a valid share with its highest bit set is none",
        [](Side&, std::string& s) { s[31] = static_cast<char>(s[31] | 0x80); });
  share("not-canonical", "a field element above the prime is none", [](Side&, std::string& s) {
    s.assign(32, '\xff');
    s[31] = '\x7f';
  });
  share("negative", "a negative field element is none", [](Side&, std::string& s) {
    s.assign(32, '\0');
    s[0] = '\x01';
  });
  share("short", "31 bytes", [](Side&, std::string& s) { s.pop_back(); });
  share("long", "33 bytes", [](Side&, std::string& s) { s += '\0'; });
  share("empty", "no bytes", [](Side&, std::string& s) { s.clear(); });
  cases.push_back(WrongCode("share-reflected", Role::kInitiator, "its own share comes back",
                            {.share = [](Side& me, std::string& s) { s = me.handshake().share_i; }},
                            1));
}

void AddAssociatedData(Cases& cases) {
  const auto ad = [&cases](const char* name, Role client, const char* shows,
                           std::function<void(Side&, std::string&)> bend) {
    cases.push_back(WrongCode(std::string("ad-") + name, client, shows, {.ad = std::move(bend)},
                              BeforeFrameOne(client)));
  };
  for (const Role role : kBoth) {
    const char* const name = NameOf(Other(role));
    ad("of-another-protocol", role, "its first field is not P", [=](Side& me, std::string& a) {
      a = Lv({"wormhole-sync/9", name, "\x01", me.own_side()});
    });
    ad("of-the-own-role", role, "it names the reader's role",
       [=](Side& me, std::string& a) { a = AssociatedData(role, "\x01", me.own_side()); });
    ad("without-a-version", role, "its list of versions is empty", [=](Side& me, std::string& a) {
      a = Lv({kProtocol, name, "", me.own_side()});
    });
    ad("side-of-15-bytes", role, "a side has 16 bytes", [=](Side& me, std::string& a) {
      a = Lv({kProtocol, name, "\x01", me.own_side().substr(1)});
    });
    ad("with-a-fifth-field", role, "it has exactly four fields",
       [](Side&, std::string& a) { a += Lv({"fifth"}); });
    ad("with-a-byte-behind", role, "nothing stands behind the fields",
       [](Side&, std::string& a) { a += '\x01'; });
    ad("with-three-fields", role, "it has exactly four fields", [=](Side&, std::string& a) {
      a = Lv({kProtocol, name, "\x01"});
    });
    ad("length-not-minimal", role, "each length is minimal LEB128",
       [](Side&, std::string& a) { a = "\x8f" + std::string(1, '\0') + a.substr(1); });
    ad("empty", role, "no bytes", [](Side&, std::string& a) { a.clear(); });
  }
  const Role i = Role::kInitiator, r = Role::kReceiver;
  ad("versions-descending", r, "versions ascend strictly", [](Side& me, std::string& a) {
    a = AssociatedData(Role::kInitiator, "\x02\x01", me.own_side());
  });
  ad("version-twice", r, "versions ascend strictly", [](Side& me, std::string& a) {
    a = AssociatedData(Role::kInitiator, "\x01\x01", me.own_side());
  });
  ad("version-not-offered", i, "a version that was not offered",
     [](Side& me, std::string& a) { a = AssociatedData(Role::kReceiver, "\x02", me.own_side()); });
  ad("two-versions-chosen", i, "exactly one version is chosen", [](Side& me, std::string& a) {
    a = AssociatedData(Role::kReceiver, "\x01\x02", me.own_side());
  });
  ad("side-reflected", i, "it names the reader's side",
     [](Side& me, std::string& a) { a = AssociatedData(Role::kReceiver, "\x01", me.peer_side()); });
  cases.push_back({.name = "ad-with-a-newer-version",
                   .client = r,
                   .section = "9 Versions",
                   .shows = "versions 1 and 2 are offered: 1 is chosen",
                   .bends = {.ad = [](Side& me, std::string& a) {
                     a = AssociatedData(Role::kInitiator, "\x01\x02", me.own_side());
                   }}});
}

}  // namespace

void AddShareCases(Cases& cases) {
  AddShares(cases);
  AddAssociatedData(cases);
}

void AddProofCases(Cases& cases) {
  const auto tag = [&cases](const char* name, const char* shows,
                            std::function<void(Side&, std::string&)> change) {
    for (const Role role : kBoth) {
      Bends bends;
      bends.frame = [=](Side& me, uint64_t, ExchangeFrame& frame) {
        if (frame.has_pake_receiver()) change(me, *frame.mutable_pake_receiver()->mutable_tag());
        if (frame.has_confirm()) change(me, *frame.mutable_confirm()->mutable_tag());
      };
      cases.push_back(WrongCode(std::string("tag-") + name, role, shows, bends, 1));
    }
  };
  tag("wrong", "a tag of another key", [](Side&, std::string& t) { t.assign(32, 't'); });
  tag("short", "the first 31 bytes of the right tag", [](Side&, std::string& t) { t.pop_back(); });
  tag("long", "the right tag and a byte", [](Side&, std::string& t) { t += '\0'; });
  tag("empty", "no tag", [](Side&, std::string& t) { t.clear(); });
  tag("of-the-other-role", "the tag that the reader itself would send",
      [](Side& me, std::string& t) { t = me.keys().Tag(Other(me.role())); });
  for (const auto& [name, size] :
       {std::pair{"sid-short", 31}, {"sid-long", 33}, {"sid-empty", 0}}) {
    Bends bends;
    bends.frame = [size = size](Side&, uint64_t, ExchangeFrame& frame) {
      if (frame.has_pake_initiator()) frame.mutable_pake_initiator()->mutable_sid()->resize(size);
    };
    cases.push_back(WrongCode(name, Role::kReceiver, "a sid has 32 bytes", bends, 0));
  }
  for (const Role role : kBoth) {
    cases.push_back({.name = "other-words",
                     .client = role,
                     .section = "5 One guess",
                     .shows = "the two codes differ",
                     .manners = {.words = "zoo-zoo"},
                     .outcomes = {Outcome::kWrongCode},
                     .most_frames = 1});
  }
}

}  // namespace wormhole::conformance
