#include "tests/support/http2_frames.h"

#include <cstddef>

namespace wormhole::testing::http2 {

std::string Frame(char kind, char flags, uint32_t stream, const std::string& payload) {
  const auto byte = [](size_t number) { return static_cast<char>(number); };
  return std::string({0, 0, byte(payload.size()), kind, flags, 0, byte(stream >> 16),
                      byte(stream >> 8), byte(stream)}) +
         payload;
}

std::string Hello() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
         std::string("\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0", 15);
}

std::string Head(uint32_t stream, const std::string& path) {
  const auto field = [](const std::string& name, const std::string& value) {
    return std::string(1, '\0') + static_cast<char>(name.size()) + name +
           static_cast<char>(value.size()) + value;
  };
  return Frame(kHeaders, kEndHeaders, stream,
               field(":method", "POST") + field(":scheme", "http") + field(":path", path) +
                   field(":authority", "relay") + field("te", "trailers") +
                   field("content-type", "application/grpc"));
}

std::string Empty(uint32_t stream) {
  return Frame(kData, kEndStream, stream, std::string(5, '\0'));
}

std::string Reset(uint32_t stream) {
  return Frame(kReset, 0, stream, std::string("\0\0\0\x08", 4));  // CANCEL, section 7
}

}  // namespace wormhole::testing::http2
