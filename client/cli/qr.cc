#include "client/cli/qr.h"

#include <dlfcn.h>
#include <qrencode.h>

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace wormhole::cli {
namespace {

constexpr int kQuietZone = 4;

// dlerror, also where another thread has taken it.
std::string WhyNot(const std::string& library) {
  const char* reason = dlerror();
  return reason != nullptr ? reason : absl::StrCat(library, " cannot be opened");
}

absl::Status NotThere(const std::string& reason) {
  return absl::FailedPreconditionError(absl::StrCat(
      "install libqrencode (package libqrencode4 on Debian) to see QR codes: ", reason));
}

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

absl::StatusOr<QrEncoder> QrEncoder::Open(const std::string& library) {
  void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) return NotThere(WhyNot(library));
  auto* encode = reinterpret_cast<decltype(&QRcode_encodeData)>(dlsym(opened, "QRcode_encodeData"));
  auto* free = reinterpret_cast<decltype(&QRcode_free)>(dlsym(opened, "QRcode_free"));
  if (encode == nullptr || free == nullptr) {
    const std::string reason = WhyNot(library);
    dlclose(opened);
    return NotThere(reason);
  }
  return QrEncoder(encode, free);
}

absl::StatusOr<std::string> QrEncoder::Render(std::string_view text, QrStyle style) const {
  const std::unique_ptr<QRcode, decltype(free_)> code(
      encode_(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0,
              QR_ECLEVEL_M),
      free_);
  if (code == nullptr) return absl::InvalidArgumentError("no QR code can hold this text");
  if (style == QrStyle::kBlanks) return DrawBlanks(*code);
  return DrawHalfBlocks(*code, style == QrStyle::kColoured);
}

}  // namespace wormhole::cli
