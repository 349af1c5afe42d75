// Whether the relay kept what it had acknowledged, from what both ends said and heard.
#ifndef WORMHOLE_TESTS_FAULTS_FRAME_LEDGER_H_
#define WORMHOLE_TESTS_FAULTS_FRAME_LEDGER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/faults/checker.h"

namespace wormhole::faults {

class FrameLedger {
 public:
  // A `wire` line; lines come in the order of their times.
  void Note(const LogLine& line);
  // Once, after the last line.
  void Count(Verdict& verdict);

 private:
  // One side of one channel, over all its streams.
  struct Side {
    bool initiator = false;
    bool joined = false;
    bool closed = false;
    bool closed_happy = false;
    std::string channel;
    std::map<uint64_t, std::string> sent;               // hashes of own frames
    std::map<uint64_t, std::string> read;               // hashes of the peer's
    std::vector<std::pair<int64_t, uint64_t>> durable;  // when it heard of what
    std::set<std::string> guesses;                      // first frames of a peer
    uint64_t cursor = 0;                                // the highest one it told
  };
  struct Stream {
    Side* side = nullptr;
    int64_t begun = 0;
    uint64_t cursor = 0;
    uint64_t next_message = 1;
  };

  void NoteOpen(const LogLine& line, Stream& stream);
  void NotePost(const LogLine& line, Stream& stream);
  void NoteOpened(const LogLine& line, Stream& stream);
  void NoteMessage(const LogLine& line, Stream& stream);
  void NoteEnd(const LogLine& line, const Stream& stream);
  void CountChannel(Side& author, const Side& reader);

  // What the author of a log knew at that time to be durable.
  static uint64_t DurableAt(const Side& side, int64_t time);
  Side* PeerOf(const Side& side);
  void Missing(std::string what);
  void Altered(std::string what);

  Verdict found_;
  std::map<std::string, Side> sides_;      // by name
  std::map<std::string, Stream> streams_;  // by name
  std::map<std::string, std::vector<Side*>> channels_;
  std::map<std::string, std::string> plaintexts_;  // by nonce: the hash of the frame
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_FRAME_LEDGER_H_
