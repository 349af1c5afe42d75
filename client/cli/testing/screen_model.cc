#include "client/cli/testing/screen_model.h"

#include <cstdint>
#include <optional>

#include "proto/wire/utf8.h"

namespace wormhole::cli {
namespace {

constexpr size_t kTabColumns = 8;

// Roughly: what tests write.
size_t WidthOf(uint32_t point) {
  if (point >= 0x300 && point <= 0x36f) return 0;
  const bool wide = (point >= 0x2e80 && point <= 0xd7ff) || (point >= 0xf900 && point <= 0xfaff) ||
                    (point >= 0xff01 && point <= 0xff60) || point >= 0x1f300;
  return wide ? 2 : 1;
}

}  // namespace

void ScreenModel::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    if (c == '\x1b') {
      bytes.remove_prefix(Escape(bytes));
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      Control(c);
      bytes.remove_prefix(1);
    } else {
      const std::string_view before = bytes;
      const std::optional<uint32_t> point = wire::TakeCodePoint(bytes);
      confused_ |= !point.has_value() || (*point >= 0x80 && *point < 0xa0);
      if (!point.has_value()) bytes.remove_prefix(1);
      Put(before.substr(0, before.size() - bytes.size()), WidthOf(point.value_or('?')));
    }
  }
}

std::vector<std::string> ScreenModel::Rows() const {
  std::vector<std::string> rows;
  for (const Row& row : rows_) {
    std::string text;
    for (const std::string& cell : row) text += cell;
    text.erase(text.find_last_not_of(' ') + 1);
    rows.push_back(text);
  }
  return rows;
}

ScreenModel::Row& ScreenModel::row() {
  while (rows_.size() <= y_) rows_.emplace_back(columns_, " ");
  return rows_[y_];
}

void ScreenModel::Control(char c) {
  row();
  switch (c) {
    case '\r':
      x_ = 0;
      break;
    case '\n':
      ++y_;
      break;
    case '\b':
      if (x_ > 0) --x_;
      break;
    case '\t':
      x_ = x_ / kTabColumns * kTabColumns + kTabColumns;
      if (x_ >= columns_) x_ = columns_ - 1;
      break;
    case '\a':
      break;
    default:
      confused_ = true;
  }
}

// How many bytes the sequence has that `bytes` begins with.
size_t ScreenModel::Escape(std::string_view bytes) {
  size_t end = 1;
  if (end < bytes.size() && bytes[end] == '[') {
    for (++end; end < bytes.size() && bytes[end] < 0x40;) ++end;
  }
  if (end == bytes.size()) end = bytes.size() - 1;
  if (bytes[end] == 'K' && end == 2) {
    for (size_t x = x_; x < columns_; ++x) row()[x] = " ";
  } else if (bytes[end] != 'm') {
    confused_ = true;
  }
  return end + 1;
}

void ScreenModel::Put(std::string_view character, size_t width) {
  if (width == 0) {
    if (x_ > 0) row()[x_ - 1] += character;
    return;
  }
  // Only what comes after the last column goes on in the next row.
  if (x_ + width > columns_) {
    ++y_;
    x_ = 0;
  }
  row()[x_] = character;
  for (size_t i = 1; i < width; ++i) row()[x_ + i].clear();
  x_ += width;
}

}  // namespace wormhole::cli
