// How the other side comes, stays away, leaves, and what it says behind its last word.
#include <string>
#include <utility>

#include "tests/conformance/bad_peer_case.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadPeerCase>;
using rendezvous::v1::Mood;

constexpr Mood kHappy = rendezvous::v1::MOOD_HAPPY, kLonely = rendezvous::v1::MOOD_LONELY,
               kScary = rendezvous::v1::MOOD_SCARY, kErrory = rendezvous::v1::MOOD_ERRORY;

void AddPatience(Cases& cases) {
  Bends nothing;
  nothing.bytes = [](uint64_t, std::string& b) { b.clear(); };
  ForBoth(cases, {.name = "says-nothing",
                  .section = "6 Waiting",
                  .shows = "it comes and never sends a frame: the client's own timeout",
                  .bends = nothing,
                  .outcomes = {Outcome::kTimedOut},
                  .most_frames = 1,
                  .closes = kLonely,
                  .timeout_seconds = 8});
  Bends no_data;
  no_data.bytes = [](uint64_t number, std::string& b) {
    if (number > 1) b.clear();
  };
  ForBoth(cases, {.name = "stops-after-its-first-frame",
                  .section = "6 Waiting",
                  .shows = "it falls silent: the client's own timeout",
                  .bends = no_data,
                  .manners = {.stays = true},
                  .outcomes = {Outcome::kTimedOut},
                  .closes = kLonely,
                  .timeout_seconds = 8});
  ForBoth(cases, {.name = "cuts-after-each-post",
                  .section = "2 rule 2",
                  .shows = "its stream is lost behind each post, and it resumes",
                  .manners = {.cuts_after_each_post = true}});
  ForBoth(cases, {.name = "stays",
                  .section = "4 Frames",
                  .shows = "it is finished and does not leave: the client does not wait for that",
                  .manners = {.stays = true}});
  ForBoth(cases, {.name = "third-parties",
                  .section = "2 rule 8",
                  .shows = "others try the channel meanwhile: the exchange is not disturbed",
                  .manners = {.third_parties = 3}});
  ForBoth(cases, {.name = "accepts-what-was-never-sent",
                  .section = "7 Saved state",
                  .shows = "a cursor beyond what an exchange has: STALE_STATE",
                  .manners = {.accepts_ahead = 9},
                  .outcomes = {Outcome::kStale}});
}

void AddLeaving(Cases& cases) {
  const auto leaves = [&cases](const char* name, Role client, uint64_t at, bool posts, Mood mood,
                               Outcome outcome, const char* shows, Bends bends = {}) {
    cases.push_back({.name = name,
                     .client = client,
                     .section = "5 One guess",
                     .shows = shows,
                     .bends = std::move(bends),
                     .manners = {.leaves_at = at, .mood = mood, .posts_before_it_leaves = posts},
                     .outcomes = {outcome}});
  };
  const Role i = Role::kInitiator, r = Role::kReceiver;
  leaves("leaves-lonely-at-once", i, 1, false, kLonely, Outcome::kGaveUp, "peer gave up");
  leaves("leaves-errory-at-once", i, 1, false, kErrory, Outcome::kGaveUp, "aborted");
  leaves("leaves-scary-at-once", i, 1, false, kScary, Outcome::kWrongCode, "wrong code");
  leaves("leaves-lonely-after-the-key", i, 2, false, kLonely, Outcome::kGaveUp, "peer gave up");
  leaves("leaves-errory-after-the-key", i, 2, false, kErrory, Outcome::kGaveUp, "aborted");
  leaves("leaves-scary-after-the-key", i, 2, false, kScary, Outcome::kGaveUp,
         "aborted: the code was right");
  leaves("leaves-scary-with-its-answer-refused", r, 1, false, kScary, Outcome::kWrongCode,
         "wrong code");
  Bends no_data;
  no_data.bytes = [](uint64_t number, std::string& b) {
    if (number > 2) b.clear();
  };
  leaves("leaves-lonely-after-the-key", r, 2, false, kLonely, Outcome::kGaveUp, "peer gave up",
         no_data);
  leaves("leaves-errory-after-the-key", r, 2, false, kErrory, Outcome::kGaveUp, "aborted", no_data);
  leaves("leaves-scary-after-the-key", r, 2, false, kScary, Outcome::kGaveUp,
         "aborted: the code was right", no_data);
}

// What a side that leaves has not sent never comes; and a receiver whose T_r is out does not know
// who has it.
void AddUnfinished(Cases& cases) {
  Bends first_only;
  first_only.bytes = [](uint64_t number, std::string& b) {
    if (number > 1) b.clear();
  };
  Bends two_only;
  two_only.bytes = [](uint64_t number, std::string& b) {
    if (number > 2) b.clear();
  };
  const auto leaves = [&cases](const char* name, Role client, uint64_t at, Mood mood,
                               Outcome outcome, const char* shows, Bends bends) {
    cases.push_back({.name = name,
                     .client = client,
                     .section = "5 One guess",
                     .shows = shows,
                     .bends = std::move(bends),
                     .manners = {.leaves_at = at, .mood = mood},
                     .outcomes = {outcome}});
  };
  const Role i = Role::kInitiator, r = Role::kReceiver;
  leaves("leaves-happy-without-data", i, 3, kHappy, Outcome::kGaveUp, "peer unfinished",
         first_only);
  leaves("leaves-happy-without-data", r, 2, kHappy, Outcome::kGaveUp, "peer unfinished", two_only);
  leaves("leaves-happy-at-once", i, 1, kHappy, Outcome::kGaveUp, "peer unfinished", [] {
    Bends none;
    none.bytes = [](uint64_t, std::string& b) { b.clear(); };
    return none;
  }());
  leaves("leaves-lonely-with-the-answer", r, 1, kLonely, Outcome::kWrongCode,
         "unproven: it could have tested a guess", first_only);
  leaves("leaves-errory-with-the-answer", r, 1, kErrory, Outcome::kWrongCode,
         "unproven: it could have tested a guess", first_only);
  leaves("leaves-happy-with-the-answer", r, 1, kHappy, Outcome::kWrongCode,
         "unproven: it could have tested a guess", first_only);
  cases.push_back({.name = "no-common-version",
                   .client = r,
                   .section = "9 Versions",
                   .shows = "only a version that nobody knows is offered: it ends errory",
                   .bends = {.ad =
                                 [](Side& me, std::string& ad) {
                                   ad = AssociatedData(Role::kInitiator, "\x02", me.own_side());
                                 }},
                   .outcomes = {Outcome::kNoVersion},
                   .most_frames = 0,
                   .closes = kErrory});
  ForBoth(cases, {.name = "more-behind-the-last",
                  .section = "4 Frames",
                  .shows = "frames behind Sealed 0 are ignored, whatever they hold",
                  .manners = {.more = {"no frame at all", "", std::string(60'000, 'x')}}});
}

}  // namespace

void AddMannersCases(Cases& cases) {
  AddUnfinished(cases);
  AddPatience(cases);
  AddLeaving(cases);
}

}  // namespace wormhole::conformance
