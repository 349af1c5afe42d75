// A code as a QR code made of text. Pure.
#ifndef WORMHOLE_CLIENT_CLI_QR_H_
#define WORMHOLE_CLIENT_CLI_QR_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wormhole::cli {

enum class QrStyle {
  kColoured,  // for terminals: white and black whatever the theme is
  kBlanks,    // for terminals without UTF-8: coloured blanks, two a module, one row of them a line
  kPlain,     // light parts are blocks: right for light text on a dark ground
};

// Lines of half blocks, two rows of modules a line, with the quiet zone of four modules that
// ISO/IEC 18004 asks for; each line ends with a line feed. INVALID_ARGUMENT when `text` is empty or
// too long for a QR code.
absl::StatusOr<std::string> RenderQr(std::string_view text, QrStyle style);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_QR_H_
