// A code as a QR code made of text, by libqrencode.
#ifndef WORMHOLE_CLIENT_CLI_QR_H_
#define WORMHOLE_CLIENT_CLI_QR_H_

#include <qrencode.h>

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wormhole::cli {

enum class QrStyle {
  kColoured,  // for terminals: white and black whatever the theme is
  kBlanks,    // for terminals without UTF-8: coloured blanks, two a module, one row of them a line
  kPlain,     // light parts are blocks: right for light text on a dark ground
};

// The library is opened when somebody asks for a QR code, and stays open. A program that was linked
// with it would not start where it is missing, and there is no archive of it that could be inside.
class QrEncoder {
 public:
  // `library` as dlopen(3) finds it. FAILED_PRECONDITION, with what to install, when it is not
  // there or is something else.
  static absl::StatusOr<QrEncoder> Open(const std::string& library = "libqrencode.so.4");

  // Lines of half blocks, two rows of modules a line, with the quiet zone of four modules that
  // ISO/IEC 18004 asks for; each line ends with a line feed. INVALID_ARGUMENT when `text` is empty
  // or too long for a QR code.
  absl::StatusOr<std::string> Render(std::string_view text, QrStyle style) const;

 private:
  QrEncoder(decltype(&QRcode_encodeData) encode, decltype(&QRcode_free) free)
      : encode_(encode), free_(free) {}

  decltype(&QRcode_encodeData) encode_;
  decltype(&QRcode_free) free_;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_QR_H_
