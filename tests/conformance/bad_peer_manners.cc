// How the other side comes, stays away, leaves, and what it says behind its last word.
#include <string>
#include <utility>

#include "tests/conformance/bad_peer_case.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadPeerCase>;
using rendezvous::v1::Mood;

constexpr Role kBoth[] = {Role::kInitiator, Role::kReceiver};
constexpr Mood kLonely = rendezvous::v1::MOOD_LONELY, kScary = rendezvous::v1::MOOD_SCARY,
               kErrory = rendezvous::v1::MOOD_ERRORY;

void ForBoth(Cases& cases, BadPeerCase row) {
  for (const Role role : kBoth) {
    row.client = role;
    cases.push_back(row);
  }
}

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
                  .timeout_seconds = 3});
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
                  .timeout_seconds = 3});
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

}  // namespace

void AddMannersCases(Cases& cases) {
  AddPatience(cases);
  AddLeaving(cases);
}

}  // namespace wormhole::conformance
