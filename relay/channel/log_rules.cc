#include "relay/channel/log_rules.h"

#include <algorithm>

namespace wormhole::relay {

AppendStep JudgeAppend(const LogState& log, uint64_t number) {
  if (number == 0) return AppendStep::kGap;
  if (number <= log.forgotten) return AppendStep::kDone;
  if (number <= log.stored) return AppendStep::kCompare;
  if (number - log.stored != 1) return AppendStep::kGap;
  return number <= log.accepted ? AppendStep::kCount : AppendStep::kKeep;
}

LogState CountKept(LogState log, size_t frame_bytes) {
  ++log.stored;
  log.bytes += frame_bytes;
  return log;
}

LogState CountForgotten(LogState log) {
  ++log.stored;
  log.forgotten = log.stored;
  return log;
}

LogState RaiseAccepted(LogState log, uint64_t cursor) {
  log.accepted = std::max(log.accepted, cursor);
  log.forgotten = std::max(log.forgotten, std::min(log.stored, log.accepted));
  return log;
}

}  // namespace wormhole::relay
