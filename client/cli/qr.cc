#include "client/cli/qr.h"

#include <qrencode.h>

#include <cstddef>
#include <memory>

#include "absl/status/status.h"

namespace wormhole::cli {
namespace {

constexpr int kQuietZone = 4;

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

// Beyond the edge all is light: the quiet zone.
bool IsLight(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) return true;
  return (code.data[static_cast<size_t>(y) * static_cast<size_t>(code.width) +
                    static_cast<size_t>(x)] &
          1) == 0;
}

std::string_view HalfBlocks(bool upper, bool lower) {
  if (upper) return lower ? "\u2588" : "\u2580";
  return lower ? "\u2584" : " ";
}

std::string DrawHalfBlocks(const QRcode& code, bool coloured) {
  std::string out;
  for (int y = -kQuietZone; y < code.width + kQuietZone; y += 2) {
    if (coloured) out += "\x1b[97;40m";
    for (int x = -kQuietZone; x < code.width + kQuietZone; ++x) {
      out += HalfBlocks(IsLight(code, x, y), IsLight(code, x, y + 1));
    }
    if (coloured) out += "\x1b[0m";
    out += '\n';
  }
  return out;
}

std::string DrawBlanks(const QRcode& code) {
  std::string out;
  for (int y = -kQuietZone; y < code.width + kQuietZone; ++y) {
    for (int x = -kQuietZone; x < code.width + kQuietZone; ++x) {
      out += IsLight(code, x, y) ? "\x1b[107m  " : "\x1b[40m  ";
    }
    out += "\x1b[0m\n";
  }
  return out;
}

}  // namespace

absl::StatusOr<std::string> RenderQr(std::string_view text, QrStyle style) {
  const std::unique_ptr<QRcode, FreeCode> code(
      QRcode_encodeData(static_cast<int>(text.size()),
                        reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_M));
  if (code == nullptr) return absl::InvalidArgumentError("no QR code can hold this text");
  if (style == QrStyle::kBlanks) return DrawBlanks(*code);
  return DrawHalfBlocks(*code, style == QrStyle::kColoured);
}

}  // namespace wormhole::cli
