#include "relay/accept/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace wormhole::relay {
namespace {

using Kind = ProxyHeader::Kind;

constexpr std::string_view kText = "PROXY ";
constexpr std::string_view kBinary("\r\n\r\n\0\r\nQUIT\n", 12);  // it has a zero
constexpr size_t kMaxTextSize = 107;
constexpr size_t kFixedSize = 16;  // of a binary header
constexpr size_t kV4Size = 12;     // of its addresses and ports
constexpr size_t kV6Size = 36;

ProxyHeader Malformed() { return {.kind = Kind::kMalformed}; }

uint8_t ByteAt(std::string_view text, size_t index) { return static_cast<uint8_t>(text[index]); }

uint16_t NumberAt(std::string_view text, size_t index) {
  return static_cast<uint16_t>(ByteAt(text, index) << 8 | ByteAt(text, index + 1));
}

template <size_t Size>
std::array<uint8_t, Size> BytesAt(std::string_view text, size_t index) {
  std::array<uint8_t, Size> bytes;
  std::ranges::copy(text.substr(index, Size), bytes.begin());
  return bytes;
}

// Takes the word up to the next blank, or all that is left.
std::string_view TakeWord(std::string_view& text) {
  const size_t blank = text.find(' ');
  const std::string_view word = text.substr(0, blank);
  text.remove_prefix(blank == text.npos ? text.size() : blank + 1);
  return word;
}

std::optional<uint16_t> ReadPort(std::string_view text) {
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, port);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc() || read != end || leading_zero) return std::nullopt;
  return port;
}

// The line without its end. Five words, so that whoever sends more or fewer means something else.
ProxyHeader ParseLine(std::string_view line, size_t size) {
  std::string_view rest = line.substr(kText.size());
  const std::string_view family = TakeWord(rest);
  if (family == "UNKNOWN") return {.kind = Kind::kLocal, .size = size};
  if ((family != "TCP4" && family != "TCP6") || std::ranges::count(rest, ' ') != 3) {
    return Malformed();
  }
  const bool v6 = family == "TCP6";
  const std::optional<net::Address> source = net::Address::Parse(TakeWord(rest));
  const std::optional<net::Address> destination = net::Address::Parse(TakeWord(rest));
  const std::optional<uint16_t> source_port = ReadPort(TakeWord(rest));
  const std::optional<uint16_t> destination_port = ReadPort(TakeWord(rest));
  if (!source || !destination || !source_port || !destination_port || source->v6() != v6 ||
      destination->v6() != v6) {
    return Malformed();
  }
  return {.kind = Kind::kClient, .size = size, .client = source->Unmapped(), .port = *source_port};
}

ProxyHeader ParseText(std::string_view begin) {
  const size_t end = begin.substr(0, kMaxTextSize).find("\r\n");
  if (end != begin.npos) return ParseLine(begin.substr(0, end), end + 2);
  return begin.size() < kMaxTextSize ? ProxyHeader() : Malformed();
}

ProxyHeader ParseAddresses(uint8_t family_and_transport, std::string_view block, size_t size) {
  switch (family_and_transport) {
    case 0x00:
      return {.kind = Kind::kLocal, .size = size};
    case 0x11:
      if (block.size() < kV4Size) return Malformed();
      return {.kind = Kind::kClient,
              .size = size,
              .client = net::Address::V4(BytesAt<4>(block, 0)),
              .port = NumberAt(block, 8)};
    case 0x21:
      if (block.size() < kV6Size) return Malformed();
      return {.kind = Kind::kClient,
              .size = size,
              .client = net::Address::V6(BytesAt<16>(block, 0)).Unmapped(),
              .port = NumberAt(block, 32)};
    default:
      return Malformed();  // a client that has no address here
  }
}

ProxyHeader ParseBinary(std::string_view begin) {
  if (begin.size() < kFixedSize) return {};
  const uint8_t version_and_command = ByteAt(begin, 12);
  const size_t size = kFixedSize + NumberAt(begin, 14);
  const bool local = version_and_command == 0x20;
  if ((!local && version_and_command != 0x21) || size > kMaxProxyHeader) return Malformed();
  if (begin.size() < size) return {};
  if (local) return {.kind = Kind::kLocal, .size = size};
  return ParseAddresses(ByteAt(begin, 13), begin.substr(kFixedSize, size - kFixedSize), size);
}

}  // namespace

ProxyHeader ParseProxyHeader(std::string_view begin) {
  if (begin.starts_with(kText)) return ParseText(begin);
  if (begin.starts_with(kBinary)) return ParseBinary(begin);
  if (kText.starts_with(begin) || kBinary.starts_with(begin)) return {};
  return {.kind = Kind::kNone};
}

}  // namespace wormhole::relay
