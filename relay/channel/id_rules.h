// What an operator says of the ids that are drawn, and of how many channels there may be.
#ifndef WORMHOLE_RELAY_CHANNEL_ID_RULES_H_
#define WORMHOLE_RELAY_CHANNEL_ID_RULES_H_

#include <cstdint>
#include <map>
#include <string>

namespace wormhole::relay {

inline constexpr int kMaxIdDigits = 9;

// The fewest digits of an id that is drawn, by app-id. An id that is asked for by name may be
// shorter: two people have agreed on it, and whoever guesses it disturbs nobody but them.
struct MinDigits {
  int otherwise = 1;  // of app-ids that are not in of_app
  std::map<std::string, int> of_app;

  int Of(const std::string& app_id) const {
    const auto found = of_app.find(app_id);
    return found == of_app.end() ? otherwise : found->second;
  }
};

// Most channels that may be active at a time; 0: no limit. Of those that have ended, and are kept
// as long as their quarantine lasts, there may be kEndedForActive times as many.
struct ChannelCaps {
  static constexpr uint64_t kEndedForActive = 2;

  uint32_t in_all = 0;
  uint32_t per_app = 0;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CHANNEL_ID_RULES_H_
