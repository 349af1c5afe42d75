// What kill_writer writes.
#ifndef WORMHOLE_TESTS_STORE_KILL_WRITER_H_
#define WORMHOLE_TESTS_STORE_KILL_WRITER_H_

#include <cstdint>
#include <string>

#include "relay/channel/record.h"

namespace wormhole::relay {

inline ChannelKey KilledChannel() { return {"example.com/killed", 1}; }

inline std::string KilledFrame(uint64_t number) {
  return std::string(1 + number * 37 % 900, static_cast<char>('a' + number % 26));
}

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_KILL_WRITER_H_
