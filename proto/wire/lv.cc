#include "proto/wire/lv.h"

#include <optional>

#include "absl/status/status.h"

namespace wormhole::wire {
namespace {

constexpr int kBitsPerByte = 7;
constexpr uint8_t kMore = 0x80;

void AppendPrefix(uint64_t length, std::string& out) {
  for (; length >= kMore; length >>= kBitsPerByte) {
    out.push_back(static_cast<char>((length & (kMore - 1)) | kMore));
  }
  out.push_back(static_cast<char>(length));
}

// Takes a length off the front of `bytes`. Nothing when it is cut off, not minimal, or past 64
// bits.
std::optional<uint64_t> TakePrefix(std::string_view& bytes) {
  uint64_t length = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += kBitsPerByte) {
    const uint8_t byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    const uint64_t part = byte & (kMore - 1);
    if ((part << shift) >> shift != part) return std::nullopt;
    length |= part << shift;
    if ((byte & kMore) != 0) continue;
    if (byte == 0 && shift > 0) return std::nullopt;  // a last byte of zero adds nothing
    return length;
  }
  return std::nullopt;
}

}  // namespace

std::string LvPrefix(uint64_t length) {
  std::string out;
  AppendPrefix(length, out);
  return out;
}

std::string Lv(std::initializer_list<std::string_view> fields) {
  constexpr size_t kUsualPrefixBytes = 2;
  size_t size = 0;
  for (std::string_view field : fields) size += field.size() + kUsualPrefixBytes;
  std::string out;
  out.reserve(size);
  for (std::string_view field : fields) {
    AppendPrefix(field.size(), out);
    out.append(field);
  }
  return out;
}

absl::StatusOr<std::vector<std::string_view>> ParseLv(std::string_view bytes, size_t count) {
  std::vector<std::string_view> fields;
  while (fields.size() < count) {
    if (bytes.empty()) return absl::InvalidArgumentError("too few length-prefixed fields");
    const std::optional<uint64_t> length = TakePrefix(bytes);
    if (!length.has_value()) return absl::InvalidArgumentError("a malformed length of a field");
    if (*length > bytes.size()) return absl::InvalidArgumentError("a field runs past the end");
    fields.push_back(bytes.substr(0, static_cast<size_t>(*length)));
    bytes.remove_prefix(static_cast<size_t>(*length));
  }
  if (!bytes.empty()) return absl::InvalidArgumentError("bytes after the last field");
  return fields;
}

}  // namespace wormhole::wire
