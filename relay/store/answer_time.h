// When a store gives the answer of a call that it has carried out.
#ifndef WORMHOLE_RELAY_STORE_ANSWER_TIME_H_
#define WORMHOLE_RELAY_STORE_ANSWER_TIME_H_

namespace wormhole::relay {

enum class AnswerTime {
  kAtOnce,
  // With the next Flush: the thread that calls it writes to streams anyway. The store may wait for
  // one a fraction of a millisecond, or until its next batch.
  kSoon,
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ANSWER_TIME_H_
