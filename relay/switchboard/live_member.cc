#include "relay/switchboard/live_member.h"

#include <utility>

namespace wormhole::relay {

void LiveMember::Attach(Stream stream, uint64_t at, uint64_t forgotten) {
  const uint32_t missed = std::exchange(missed_third_parties, 0);
  here = {.stream = std::move(stream),
          .sent = at,
          .behind_trim = (at < forgotten),
          .third_parties = missed,
          .pending_status = (missed > 0)};
}

void LiveMember::AddThirdParties(uint32_t count) {
  (attached() ? here.third_parties : missed_third_parties) += count;
  here.pending_status = true;
}

void LiveMember::AskToClose(const Stream& stream, Mood mood) {
  if (!close) close = mood;
  close_stream = stream;
}

void LiveMember::Drop(const Stream& stream) {
  posts.DropHeld(stream.get());
  if (close_stream != stream) return;
  close_stream = nullptr;
  close.reset();
}

}  // namespace wormhole::relay
