// What else a relay may say to a client: responses with absurd values, statuses, and silence.
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "tests/malice/evil_run.h"

namespace wormhole::malice {
namespace {

using error::ErrorDetail;
using pake::Role;
using rendezvous::v1::Opened;

constexpr uint64_t kNumbers[] = {0, 1, 2, 3, 4, 5, uint64_t{1} << 32, ~uint64_t{0}};

// To one side, or to both.
std::vector<std::vector<Role>> Victims() {
  return {{Role::kInitiator}, {Role::kReceiver}, {Role::kInitiator, Role::kReceiver}};
}

void RunWithOpened(const std::function<void(Opened&)>& change, const std::string& what) {
  for (const auto& victims : Victims()) {
    Evil evil;
    evil.on_response = [&](Role reader, std::vector<AttachResponse>& responses) {
      if (!responses[0].has_opened()) return;
      for (const Role victim : victims) {
        if (reader == victim) change(*responses[0].mutable_opened());
      }
    };
    EXPECT_EQ(Judge(RunEvil(evil)), "") << what;
  }
}

TEST(EvilOpened, Numbers) {
  for (const uint64_t n : kNumbers) {
    const std::string what = std::to_string(n);
    RunWithOpened([n](Opened& o) { o.set_stored(n); }, "stored " + what);
    RunWithOpened([n](Opened& o) { o.set_peer_stored(n); }, "peer_stored " + what);
    RunWithOpened([n](Opened& o) { o.set_peer_forgotten(n); }, "peer_forgotten " + what);
    RunWithOpened([n](Opened& o) { o.set_peer_cursor(n); }, "peer_cursor " + what);
    RunWithOpened([n](Opened& o) { o.set_channel_id(static_cast<uint32_t>(n)); }, "id " + what);
    RunWithOpened(
        [n](Opened& o) {
          o.set_stored(n);
          o.set_peer_stored(n);
          o.set_peer_forgotten(n);
          o.set_peer_cursor(n);
        },
        "all " + what);
  }
}

TEST(EvilOpened, AnotherIdIsRefused) {
  for (const auto& victims : Victims()) {
    Evil evil;
    evil.on_response = [&](Role reader, std::vector<AttachResponse>& responses) {
      if (!responses[0].has_opened() || reader != victims[0]) return;
      responses[0].mutable_opened()->set_channel_id(8);
    };
    const EvilOutcome outcome = RunEvil(evil);
    EXPECT_EQ(Judge(outcome), "");
    EXPECT_FALSE(outcome.GotData(victims[0]));
  }
}

TEST(EvilOpened, LimitsAndTimes) {
  for (const uint32_t n : {0u, 1u, 3u, ~0u}) {
    RunWithOpened(
        [n](Opened& o) {
          o.mutable_limits()->set_max_frame_bytes(n);
          o.mutable_limits()->set_window_frames(n);
          o.mutable_limits()->set_window_bytes(n);
        },
        "limits");
  }
  for (const int64_t n : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max()}) {
    RunWithOpened([n](Opened& o) { o.mutable_heartbeat_interval()->set_seconds(n); }, "heartbeat");
    RunWithOpened(
        [n](Opened& o) {
          o.mutable_heartbeat_interval()->set_seconds(0);
          o.mutable_heartbeat_interval()->set_nanos(static_cast<int32_t>(n));
        },
        "heartbeat nanos");
    RunWithOpened([n](Opened& o) { o.mutable_expires_at()->set_seconds(n); }, "expiry");
  }
}

TEST(EvilOpened, States) {
  for (const int state : {0, 1, 2, 3, 99, -1}) {
    RunWithOpened([state](Opened& o) { o.set_state(static_cast<Opened::State>(state)); }, "state");
  }
  for (const int presence : {0, 1, 2, 3, 4, 5, -1}) {
    RunWithOpened(
        [presence](Opened& o) { o.set_peer(static_cast<rendezvous::v1::Presence>(presence)); },
        "presence");
  }
  RunWithOpened([](Opened& o) { o.set_left(true); }, "left");
  RunWithOpened([](Opened& o) { o.Clear(); }, "empty");
  RunWithOpened([](Opened& o) { o.set_motd(std::string(100'000, '\x1b')); }, "motd");
}

// Instead of, before or after each response of the kind that `when` picks.
void RunWithExtra(const AttachResponse& extra, const std::string& what) {
  for (int where = 0; where < 3; ++where) {
    for (int kind = 0; kind < 4; ++kind) {
      Evil evil;
      evil.on_response = [&](Role, std::vector<AttachResponse>& responses) {
        const AttachResponse& first = responses[0];
        const bool hit = kind == 0   ? first.has_opened()
                         : kind == 1 ? first.has_message()
                         : kind == 2 ? first.has_posted()
                                     : first.has_peer_status();
        if (!hit) return;
        if (where == 0) responses = {extra};
        if (where == 1) responses.insert(responses.begin(), extra);
        if (where == 2) responses.push_back(extra);
      };
      EXPECT_EQ(Judge(RunEvil(evil)), "") << what << ", " << where << ", " << kind;
    }
  }
}

TEST(EvilResponse, OutOfPlace) {
  AttachResponse nothing;
  RunWithExtra(nothing, "nothing");
  AttachResponse heartbeat;
  heartbeat.mutable_heartbeat();
  RunWithExtra(heartbeat, "heartbeat");
  AttachResponse opened;
  opened.mutable_opened()->set_state(Opened::STATE_ATTACHED);
  opened.mutable_opened()->set_channel_id(EvilRelay::kChannelId);
  RunWithExtra(opened, "opened");
  opened.mutable_opened()->set_state(Opened::STATE_WAITING);
  RunWithExtra(opened, "waiting");
  for (const uint64_t n : kNumbers) {
    AttachResponse posted;
    posted.mutable_posted()->set_number(n);
    RunWithExtra(posted, "posted " + std::to_string(n));
    AttachResponse status;
    status.mutable_peer_status()->set_peer_cursor(n);
    status.mutable_peer_status()->set_third_parties(static_cast<uint32_t>(n));
    status.mutable_peer_status()->set_presence(rendezvous::v1::PRESENCE_LEFT);
    RunWithExtra(status, "status " + std::to_string(n));
    AttachResponse message;
    message.mutable_message()->set_number(n);
    message.mutable_message()->set_frame("no frame");
    RunWithExtra(message, "message " + std::to_string(n));
  }
  for (const int64_t seconds : {int64_t{0}, int64_t{-5}, std::numeric_limits<int64_t>::max(),
                                std::numeric_limits<int64_t>::min()}) {
    AttachResponse draining;
    draining.mutable_draining()->mutable_reconnect_delay()->set_seconds(seconds);
    RunWithExtra(draining, "draining");
  }
}

// Ends the stream of `victim` with `status` at each request that `hits` picks.
EvilOutcome RunWithStatus(Role victim, const absl::Status& status,
                          const std::function<bool(const AttachRequest&, int count)>& hits) {
  int count = 0;
  Evil evil;
  evil.on_request = [&](Role author, const AttachRequest& request) -> std::optional<absl::Status> {
    if (author != victim || !hits(request, ++count)) return std::nullopt;
    return status;
  };
  return RunEvil(evil);
}

void RunWithStatusEverywhere(const absl::Status& status) {
  using Hits = std::function<bool(const AttachRequest&, int)>;
  const Hits all[] = {
      [](const AttachRequest&, int) { return true; },
      [](const AttachRequest&, int count) { return count > 1; },
      [](const AttachRequest&, int count) { return count == 2; },
      [](const AttachRequest& request, int) { return request.has_post(); },
      [](const AttachRequest& request, int) { return request.has_ack(); },
      [](const AttachRequest& request, int) { return request.has_close(); },
  };
  for (const Role victim : {Role::kInitiator, Role::kReceiver}) {
    for (const Hits& hits : all) {
      EXPECT_EQ(Judge(RunWithStatus(victim, status, hits)), "") << status;
    }
  }
}

TEST(EvilStatus, EachCode) {
  for (int code = 0; code <= 20; ++code) {
    RunWithStatusEverywhere(absl::Status(static_cast<absl::StatusCode>(code), "because"));
  }
}

TEST(EvilStatus, EachReason) {
  for (int reason = 0; reason <= 20; ++reason) {
    const auto typed = static_cast<ErrorDetail::Reason>(reason);
    RunWithStatusEverywhere(error::Make(typed, "because"));
    for (const absl::Duration delay :
         {absl::ZeroDuration(), absl::Seconds(-3), absl::InfiniteDuration()}) {
      RunWithStatusEverywhere(error::Make(typed, "because", {.retry_delay = delay}));
    }
  }
}

TEST(EvilStatus, EachMood) {
  for (int mood = -1; mood <= 6; ++mood) {
    RunWithStatusEverywhere(error::Make(ErrorDetail::REASON_CLOSED, "because",
                                        {.mood = static_cast<rendezvous::v1::Mood>(mood)}));
  }
}

// The reason is believed, not the code that it came with.
TEST(EvilStatus, ReasonsWithOtherCodes) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kUnavailable, absl::StatusCode::kNotFound, absl::StatusCode::kInternal}) {
    for (int reason = 1; reason <= 17; ++reason) {
      const std::string envelope =
          error::ToEnvelope(error::Make(static_cast<ErrorDetail::Reason>(reason), "because"));
      RunWithStatusEverywhere(error::FromWire(static_cast<int>(code), "because", envelope));
    }
  }
}

// A relay that says nothing, from some response on.
TEST(EvilSilence, FromSomeResponseOn) {
  for (const Role victim : {Role::kInitiator, Role::kReceiver}) {
    for (int last = 0; last < 10; ++last) {
      int count = 0;
      Evil evil;
      evil.on_response = [&](Role reader, std::vector<AttachResponse>& responses) {
        if (reader == victim && ++count > last) responses.clear();
      };
      EXPECT_EQ(Judge(RunEvil(evil)), "") << "after " << last;
    }
  }
}

}  // namespace
}  // namespace wormhole::malice
