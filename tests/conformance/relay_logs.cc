// Posts, acknowledgements, windows and what a reader gets.
#include <string>
#include <utility>

#include "tests/conformance/relay_case.h"

namespace wormhole::conformance {
namespace {

namespace v1 = rendezvous::v1;
using Cases = std::vector<RelayCase>;

std::string Token() { return RandomBytes(32); }

// An initiator and a receiver, both attached.
struct Pair {
  explicit Pair(World& world)
      : a(world.Allocate(token_a)),
        opened(a.Attached()),
        id(opened.channel_id()),
        b(world.Claim(token_b, id)) {
    b.Attached();
    a.Peer(v1::PRESENCE_ATTACHED);
  }
  const std::string token_a = Token(), token_b = Token();
  Talk a;
  const v1::Opened opened;
  const uint32_t id;
  Talk b;
};

void AddPosts(Cases& cases) {
  cases.push_back({"posted-and-delivered", "2 rule 2", "each frame, in its order, in its bytes",
                   [](World& world) {
                     Pair pair(world);
                     std::string all;
                     for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
                     const std::string frames[] = {"one", "", all};
                     for (uint64_t n = 1; n <= 3; ++n) pair.a.Post(n, frames[n - 1]);
                     pair.a.Posted(3);
                     for (uint64_t n = 1; n <= 3; ++n) pair.b.Message(n, frames[n - 1]);
                     pair.b.Post(1, "back");
                     pair.b.Posted(1);
                     pair.a.Message(1, "back");
                   }});
  cases.push_back(
      {"posted-before-anybody-came", "2 rule 3", "frames wait for the receiver", [](World& world) {
         Talk a = world.Allocate(Token());
         const uint32_t id = a.Attached().channel_id();
         a.Post(1, "early");
         a.Posted(1);
         Talk b = world.Claim(Token(), id);
         world.Check(b.Attached().peer_stored() == 1, "peer_stored is not 1");
         b.Message(1, "early");
       }});
  cases.push_back(
      {"post-the-same-again", "2 rule 1", "the same bytes again change nothing", [](World& world) {
         Pair pair(world);
         pair.a.Post(1, "one");
         pair.a.Posted(1);
         pair.a.Post(1, "one");
         pair.a.Posted(1);
         pair.a.Post(2, "two");
         pair.a.Posted(2);
         pair.b.Message(1, "one");
         pair.b.Message(2, "two");
       }});
  const auto refused = [&cases](const char* name, const char* shows, ErrorDetail::Reason reason,
                                const char* field, uint64_t number, const char* frame) {
    cases.push_back({name, "2 rule 1", shows, [=](World& world) {
                       Pair pair(world);
                       pair.a.Post(1, "one");
                       pair.a.Posted(1);
                       pair.a.Post(number, frame);
                       pair.a.Refused(reason, field);
                       pair.b.Message(1, "one");
                       pair.b.Peer(v1::PRESENCE_DETACHED);
                     }});
  };
  refused("post-other-bytes", "other bytes under a number are CONFLICT",
          ErrorDetail::REASON_CONFLICT, "", 1, "two");
  refused("post-a-gap", "a gap is MALFORMED", ErrorDetail::REASON_MALFORMED, "post.number", 3,
          "three");
  refused("post-zero", "frames are numbered from 1", ErrorDetail::REASON_MALFORMED, "post.number",
          0, "zero");
  refused("post-the-last-number", "2^64-1 is a gap", ErrorDetail::REASON_MALFORMED, "post.number",
          ~uint64_t{0}, "far");
  cases.push_back({"post-conflict-on-a-later-stream", "2 rule 1", "CONFLICT outlives the stream",
                   [](World& world) {
                     Pair pair(world);
                     pair.a.Post(1, "one");
                     pair.a.Posted(1);
                     Talk again = world.Resume(pair.token_a, pair.id);
                     world.Check(again.Attached().stored() == 1, "stored is not 1");
                     again.Post(1, "two");
                     again.Refused(ErrorDetail::REASON_CONFLICT);
                   }});
  cases.push_back({"post-a-forgotten-number", "2 rule 1", "what was forgotten is not compared",
                   [](World& world) {
                     Pair pair(world);
                     pair.a.Post(1, "one");
                     pair.b.Message(1, "one");
                     pair.b.Ack(1);
                     pair.a.PeerCursor(1);
                     Talk again = world.Resume(pair.token_b, pair.id, 1);
                     world.Check(again.Attached().peer_forgotten() == 1, "it is not forgotten");
                     pair.a.Post(1, "other bytes");
                     pair.a.Posted(1);
                     again.Quiet();
                   }});
}

void AddSizes(Cases& cases) {
  cases.push_back({"longest-frame", "2 Transport",
                   "a frame of max_frame_bytes is stored and delivered", [](World& world) {
                     Pair pair(world);
                     const std::string frame(pair.opened.limits().max_frame_bytes(), 'f');
                     pair.a.Post(1, frame);
                     pair.a.Posted(1);
                     pair.b.Message(1, frame);
                   }});
  cases.push_back(
      {"frame-too-long", "2 Transport", "a byte more is MALFORMED, post.frame", [](World& world) {
         Pair pair(world);
         pair.a.Post(1, std::string(pair.opened.limits().max_frame_bytes() + 1, 'f'));
         pair.a.Refused(ErrorDetail::REASON_MALFORMED, "post.frame");
       }});
  cases.push_back({"frame-65000-too-long", "2 Transport", "up to 64 KiB more the answer is typed",
                   [](World& world) {
                     Pair pair(world);
                     pair.a.Post(1,
                                 std::string(pair.opened.limits().max_frame_bytes() + 65'000, 'f'));
                     pair.a.Refused(ErrorDetail::REASON_MALFORMED, "post.frame");
                   }});
  cases.push_back({"request-of-eight-megabytes", "2 Transport",
                   "far beyond, the stream ends, and nobody else notices", [](World& world) {
                     Pair pair(world);
                     pair.a.Post(1, std::string(8 << 20, 'f'));
                     world.Check(!pair.a.End().ok(), "it ends OK");
                     pair.b.Peer(v1::PRESENCE_DETACHED);
                     world.Resume(pair.token_a, pair.id).Attached();
                   }});
}

void AddWindows(Cases& cases) {
  cases.push_back({"window-of-frames", "2 rule 5", "window_frames are taken, one more is WINDOW",
                   [](World& world) {
                     Pair pair(world);
                     const uint64_t most = pair.opened.limits().window_frames();
                     for (uint64_t n = 1; n <= most; ++n) pair.a.Post(n, "f");
                     pair.a.Posted(most);
                     pair.a.Post(most + 1, "f");
                     pair.a.Refused(ErrorDetail::REASON_WINDOW);
                     world.Check(world.Resume(pair.token_a, pair.id).Attached().stored() == most,
                                 "not the whole window is stored");
                   }});
  cases.push_back(
      {"window-of-bytes", "2 rule 5", "window_bytes are taken, more is WINDOW", [](World& world) {
         Pair pair(world);
         const uint64_t frame = pair.opened.limits().max_frame_bytes();
         const uint64_t fit = pair.opened.limits().window_bytes() / frame;
         if (fit + 1 > pair.opened.limits().window_frames()) {
           return world.Skip("its window of frames is the narrower one");
         }
         for (uint64_t n = 1; n <= fit + 1; ++n) pair.a.Post(n, std::string(frame, 'f'));
         pair.a.Refused(ErrorDetail::REASON_WINDOW);
       }});
  cases.push_back(
      {"window-moves", "2 rule 5", "what the peer accepts makes room", [](World& world) {
         Pair pair(world);
         const uint64_t most = pair.opened.limits().window_frames();
         for (uint64_t round = 0; round < 3; ++round) {
           for (uint64_t n = round * most + 1; n <= (round + 1) * most; ++n) {
             pair.a.Post(n, std::to_string(n));
             pair.b.Message(n, std::to_string(n));
           }
           pair.b.Ack((round + 1) * most);
           pair.a.PeerCursor((round + 1) * most);
         }
         pair.a.Posted(3 * most);
       }});
}

void AddCursors(Cases& cases) {
  cases.push_back(
      {"cursor-in-open", "2 rule 4", "the cursor in `open` acknowledges too", [](World& world) {
         Pair pair(world);
         pair.a.Post(1, "one");
         pair.a.Post(2, "two");
         pair.a.Posted(2);
         Talk again = world.Resume(pair.token_b, pair.id, 1);
         again.Attached();
         again.Message(2, "two");
         pair.a.PeerCursor(1);
       }});
  cases.push_back({"unacknowledged-again", "2 rule 2", "what was not acknowledged comes again",
                   [](World& world) {
                     Pair pair(world);
                     pair.a.Post(1, "one");
                     pair.b.Message(1, "one");
                     pair.a.Posted(1);
                     Talk again = world.Resume(pair.token_b, pair.id);
                     again.Attached();
                     again.Message(1, "one");
                   }});
  cases.push_back({"ack-beyond-what-is-stored", "2 rule 4", "it is remembered, and never refused",
                   [](World& world) {
                     Pair pair(world);
                     pair.b.Ack(9);
                     pair.a.PeerCursor(9);
                     pair.b.Quiet();
                     world.Check(world.Resume(pair.token_a, pair.id).Attached().peer_cursor() == 9,
                                 "it is forgotten");
                   }});
  cases.push_back({"ack-of-the-last-number", "2 rule 4", "2^63 - 1 is a cursor", [](World& world) {
                     Pair pair(world);
                     pair.b.Ack((uint64_t{1} << 63) - 1);
                     pair.a.PeerCursor((uint64_t{1} << 63) - 1);
                   }});
  cases.push_back({"own-frames-after-resume", "2 Opened",
                   "`stored` tells the author where it stands", [](World& world) {
                     Pair pair(world);
                     pair.a.Post(1, "one");
                     pair.a.Posted(1);
                     pair.b.Message(1, "one");
                     pair.a.Cancel();
                     pair.b.Peer(v1::PRESENCE_DETACHED);
                     Talk again = world.Resume(pair.token_a, pair.id);
                     world.Check(again.Attached().stored() == 1, "stored is not 1");
                     again.Post(2, "two");
                     again.Posted(2);
                     pair.b.Message(2, "two");
                   }});
}

}  // namespace

void AddLogCases(Cases& cases) {
  AddPosts(cases);
  AddSizes(cases);
  AddWindows(cases);
  AddCursors(cases);
}

}  // namespace wormhole::conformance
