#include "tests/faults/frame_ledger.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace wormhole::faults {
namespace {

// rendezvous.proto; written out, since the checker shares no code with what it checks.
constexpr char kNeverAllocated[] = "2";
// MALFORMED, SIDE_IN_USE, NOT_MEMBER, NOT_ALLOWED, CONFLICT, WINDOW: no client here gives cause for
// any of them.
constexpr std::string_view kRefusals[] = {"1", "7", "8", "9", "10", "14"};
constexpr char kNotMember[] = "8";
constexpr char kHappy[] = "1";

uint64_t Number(const LogLine& line, size_t at) {
  return strtoull(line.words.at(at).c_str(), nullptr, 10);
}

}  // namespace

void FrameLedger::Note(const LogLine& line) {
  Stream& stream = streams_[line.words.at(1)];
  const std::string& event = line.words.at(2);
  if (event == "open") return NoteOpen(line, stream);
  if (stream.side == nullptr) return;  // its first line was cut off with the process
  Side& side = *stream.side;
  if (event == "post") return NotePost(line, stream);
  if (event == "ack") side.cursor = std::max(side.cursor, Number(line, 3));
  if (event == "close") {
    side.closed = true;
    side.closed_happy |= line.words.at(3) == kHappy;
  }
  if (event == "opened") return NoteOpened(line, stream);
  if (event == "posted") side.durable.emplace_back(line.time, Number(line, 3));
  if (event == "message") return NoteMessage(line, stream);
  if (event == "end") return NoteEnd(line, stream);
}

void FrameLedger::NoteOpen(const LogLine& line, Stream& stream) {
  Side& side = sides_[line.words.at(3)];
  if (line.words.at(4) == "allocate") side.initiator = true;
  side.cursor = std::max(side.cursor, Number(line, 5));
  stream = {.side = &side, .begun = line.time, .cursor = Number(line, 5)};
}

void FrameLedger::NotePost(const LogLine& line, Stream& stream) {
  const uint64_t number = Number(line, 3);
  const std::string& hash = line.words.at(4);
  const auto [frame, is_new] = stream.side->sent.try_emplace(number, hash);
  if (!is_new && frame->second != hash)
    Altered("frame " + line.words[3] + " was sent in two forms");
  if (line.words.size() < 6) return;
  const auto [box, first_use] = plaintexts_.try_emplace(line.words[5], hash);
  if (first_use || box->second == hash) return;
  ++found_.nonces_reused;
  found_.wrong.push_back("one nonce was used for two plaintexts");
}

void FrameLedger::NoteOpened(const LogLine& line, Stream& stream) {
  Side& side = *stream.side;
  if (!side.joined) {
    side.joined = true;
    side.channel = line.words.at(3);
    channels_[side.channel].push_back(&side);
  } else if (side.channel != line.words.at(3)) {
    Missing("a side was given another channel than its own");
  }
  const uint64_t stored = Number(line, 4);
  if (stored < DurableAt(side, stream.begun)) {
    Missing("of acknowledged frames up to " + std::to_string(DurableAt(side, stream.begun)) +
            " the relay has " + std::to_string(stored));
  }
  const Side* peer = PeerOf(side);
  if (peer != nullptr && Number(line, 5) < DurableAt(*peer, stream.begun)) {
    Missing("the reader is told of fewer frames than were acknowledged to their author");
  }
  if (Number(line, 6) > side.cursor) Missing("a frame was forgotten before it was accepted");
  side.durable.emplace_back(line.time, stored);
  stream.next_message = std::max(stream.cursor, Number(line, 6)) + 1;
}

void FrameLedger::NoteMessage(const LogLine& line, Stream& stream) {
  Side& side = *stream.side;
  const uint64_t number = Number(line, 3);
  if (number > stream.next_message) {
    Missing("frame " + std::to_string(number) + " is read before " +
            std::to_string(stream.next_message));
  }
  stream.next_message = std::max(stream.next_message, number + 1);
  const auto [frame, is_new] = side.read.try_emplace(number, line.words.at(4));
  if (!is_new && frame->second != line.words[4]) Altered("a frame was read in two forms");
  if (number == 1) side.guesses.insert(line.words[4]);
}

void FrameLedger::NoteEnd(const LogLine& line, const Stream& stream) {
  Side& side = *stream.side;
  const Side* peer = PeerOf(side);
  const bool over = side.closed || (peer != nullptr && peer->closed);
  if (line.words.at(4) == kNeverAllocated && side.joined && !over) {
    Missing("the relay does not know a channel any more that nobody closed");
  }
  // The number of a channel that is over may be another's by the time that a side says again that
  // it has left.
  if (line.words[4] == kNotMember && over) return;
  if (std::ranges::find(kRefusals, line.words[4]) == std::end(kRefusals)) return;
  ++found_.refused;
  found_.wrong.push_back("a stream was refused for reason " + line.words[4]);
}

void FrameLedger::Count(Verdict& verdict) {
  for (auto& [channel, sides] : channels_) {
    if (sides.size() != 2) continue;
    CountChannel(*sides[0], *sides[1]);
    CountChannel(*sides[1], *sides[0]);
  }
  for (const auto& [name, side] : sides_) {
    found_.posted += static_cast<int>(DurableAt(side, INT64_MAX));
    found_.most_guesses = std::max(found_.most_guesses, static_cast<int>(side.guesses.size()));
  }
  verdict.posted = found_.posted;
  verdict.acknowledged_missing = found_.acknowledged_missing;
  verdict.altered = found_.altered;
  verdict.nonces_reused = found_.nonces_reused;
  verdict.refused = found_.refused;
  verdict.most_guesses = found_.most_guesses;
  verdict.wrong.insert(verdict.wrong.end(), found_.wrong.begin(), found_.wrong.end());
}

void FrameLedger::CountChannel(Side& author, const Side& reader) {
  for (const auto& [number, hash] : reader.read) {
    const auto sent = author.sent.find(number);
    if (sent == author.sent.end() || sent->second != hash) {
      Altered("frame " + std::to_string(number) + " is read other than it was sent");
    }
  }
  if (!author.closed_happy || !reader.closed_happy) return;
  const uint64_t durable = DurableAt(author, INT64_MAX);
  const uint64_t read = reader.read.empty() ? 0 : reader.read.rbegin()->first;
  if (read < durable) Missing("a finished channel has frames that were never read");
}

uint64_t FrameLedger::DurableAt(const Side& side, int64_t time) {
  uint64_t durable = 0;
  for (const auto& [heard, number] : side.durable) {
    if (heard <= time) durable = std::max(durable, number);
  }
  return durable;
}

FrameLedger::Side* FrameLedger::PeerOf(const Side& side) {
  for (Side* other : channels_[side.channel]) {
    if (other != &side) return other;
  }
  return nullptr;
}

void FrameLedger::Missing(std::string what) {
  ++found_.acknowledged_missing;
  found_.wrong.push_back(std::move(what));
}

void FrameLedger::Altered(std::string what) {
  ++found_.altered;
  found_.wrong.push_back(std::move(what));
}

}  // namespace wormhole::faults
