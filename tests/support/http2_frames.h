// HTTP/2, byte by byte (RFC 9113), for what no client library would send.
#ifndef WORMHOLE_TESTS_SUPPORT_HTTP2_FRAMES_H_
#define WORMHOLE_TESTS_SUPPORT_HTTP2_FRAMES_H_

#include <cstdint>
#include <string>

namespace wormhole::testing::http2 {

// Section 6.
inline constexpr char kData = 0;
inline constexpr char kHeaders = 1;
inline constexpr char kReset = 3;
inline constexpr char kEndStream = 1;
inline constexpr char kEndHeaders = 4;

// A payload of up to 255 bytes, on a stream up to 2^24.
std::string Frame(char kind, char flags, uint32_t stream, const std::string& payload);

// The preface, and settings with windows in which nothing has room.
std::string Hello();

// The head of a gRPC call of /package.Service/Method.
std::string Head(uint32_t stream, const std::string& path);

// A gRPC request without anything in it, which is all there is.
std::string Empty(uint32_t stream);

// The stream is cancelled.
std::string Reset(uint32_t stream);

}  // namespace wormhole::testing::http2

#endif  // WORMHOLE_TESTS_SUPPORT_HTTP2_FRAMES_H_
