// Whatever people type: codes and schedules. What is accepted must be accepted again as it prints.
#include <cstdlib>
#include <string_view>

#include "client/core/code.h"
#include "client/core/schedule.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool other_words : {false, true}) {
    const auto code = wormhole::core::ParseCode(text, other_words);
    if (code.ok() && !wormhole::core::ParseCode(code->ToString(), other_words).ok()) abort();
  }
  const auto schedule = wormhole::core::ParseSchedule(text);
  if (schedule.ok()) {
    if (!wormhole::core::CheckSchedule(*schedule).ok()) abort();
    wormhole::core::NextInterval(*schedule, absl::Seconds(size), 0.5);
  }
  return 0;
}
