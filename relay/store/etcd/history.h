// Whether etcd still has the history that this relay knows, or was restored from an older copy.
// Pure; one thread at a time.
//
// A restored etcd counts its revisions on from those of the copy, and may have come to more than
// were seen here. So its history is known again by what it had at revisions that were seen. Before
// a watch goes on, and again when it has begun, etcd is asked for the last event, be it a deletion.
// And the watch itself, which begins with what was told before, and the answers to this relay's
// transactions have to agree: on which keys changed at a revision, and to what. Keys alone would
// not do: each relay writes its clock under one key every few seconds.
#ifndef WORMHOLE_RELAY_STORE_ETCD_HISTORY_H_
#define WORMHOLE_RELAY_STORE_ETCD_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "etcd_rpc.pb.h"

namespace wormhole::relay {

class EtcdHistory {
 public:
  enum class Verdict { kSame, kAnother, kUnclear };

  // A key that was written or deleted at this revision.
  struct Change {
    std::string key;  // empty: there was none
    int64_t revision = 0;
    std::string value;  // a digest; empty: the key was deleted
    bool operator==(const Change&) const = default;
  };
  // What an answer tells of the history.
  struct Answer {
    int64_t revision = 0;  // that etcd had come to
    // The newest one that it shows to have come to pass, among what is watched. No key: none.
    Change newest;
  };
  // What is to be found in etcd, by what was known when it was asked. What is heard of after the
  // question need not be in its answer.
  struct Question {
    Change last;  // event that the watch has brought, or the newest record before the first one
    uint64_t cluster = 0;  // 0: not known yet
    uint64_t term = 0;
    int64_t seen = 0;
  };

  // How many changes are remembered of which the watch has told: the newest ones.
  static constexpr size_t kMostTold = 1'024;
  // And of which it has not told, though answers have shown them. When these are full the oldest
  // stay, which etcd had surely before it was lost.
  static constexpr size_t kMostUntold = 64;

  // `first_watched`: the first of the keys that the watch tells of.
  static Answer AnswerOf(const etcdserverpb::TxnRequest& request,
                         const etcdserverpb::TxnResponse& response,
                         const std::string& first_watched);

  // Whether `records`, all of those of the header's revision, which were asked for after
  // `question`, are of another history.
  bool Contradict(const std::vector<etcdserverpb::KeyValue>& records,
                  const etcdserverpb::ResponseHeader& header, const Question& question) const;
  // They were taken. `another`: what was known before is of a history that is no more.
  void TakeRecords(const etcdserverpb::ResponseHeader& header,
                   const std::vector<etcdserverpb::KeyValue>& records, bool another);
  // `seen`: what seen() was when the transaction was sent. An answer that shows another history
  // ends no watch by itself: the next word of the watch does.
  void TakeAnswer(const Answer& answer, int64_t seen);
  // False: the watch is of another history, or seems to be. It is to end, and etcd to be asked.
  bool TakeWatched(const etcdserverpb::WatchResponse& response);
  // It was judged to be another one, which holds until all records were read: nobody could judge
  // so again when etcd has come further, and has compacted what it was judged by.
  void NoteAnother() { another_ = true; }

  // Where the next watch is to begin. etcd (3.4, and 3.5 for long) forgets the deletions of the
  // revision that it compacts to, and tells nobody who asks from there on: who asks for one more is
  // told.
  int64_t WatchFrom() const;
  // The newest revision that was heard of: whoever asks from now on is told no less.
  int64_t seen() const { return seen_; }
  // What the watch would have told next is compacted, and not known.
  bool compacted() const { return compacted_; }

  // To go on with a watch: whether the history is etcd's still is judged by what etcd has under the
  // key of the last event now, or, if that leaves it open, then and one revision earlier.
  Question Ask() const {
    return {.last = last_, .cluster = cluster_, .term = term_, .seen = seen_};
  }
  Verdict JudgeNow(const Question& question, const etcdserverpb::RangeResponse& now) const;
  static etcdserverpb::TxnRequest AskThen(const Question& question);
  // `then` has two answers.
  static Verdict JudgeThen(const Question& question, const etcdserverpb::TxnResponse& then);

 private:
  // By etcd's cluster id, which is new when it was restored under a new token, and by the revision
  // and the term that it has come to.
  static bool GoesBack(const etcdserverpb::ResponseHeader& header, const Question& question);
  static Change ChangeOf(const etcdserverpb::KeyValue& kv, bool deleted);
  static bool Shows(const etcdserverpb::RangeResponse& range, const Change& change);
  void TakeEvent(const etcdserverpb::Event& event);
  static size_t Hash(const Change& change);
  bool WasTold(const Change& change) const;

  uint64_t cluster_ = 0;
  uint64_t term_ = 0;  // the newest that the watch has told
  int64_t seen_ = 0;   // the newest revision that was heard of
  int64_t next_ = 0;   // the first one of which the watch has not told all
  bool compacted_ = false;
  bool another_ = false;  // which has been found out
  Change last_;           // see Question
  // What the watch has told, by revision, with hashes; whole from told_from_ on.
  std::set<std::pair<int64_t, size_t>> told_;
  int64_t told_from_ = 0;
  std::vector<Change> untold_;  // that answers have shown
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_HISTORY_H_
