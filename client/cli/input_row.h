// The row of a terminal in which a code is typed. Pure.
#ifndef WORMHOLE_CLIENT_CLI_INPUT_ROW_H_
#define WORMHOLE_CLIENT_CLI_INPUT_ROW_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "client/cli/charset.h"

namespace wormhole::cli {

// The question and what was typed. At most `columns`, so that the next row can overwrite this one:
// a long text shows its end, behind a `<`, and a narrow terminal gets a short question.
std::string InputRow(std::string_view typed, size_t columns, Charset charset);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_INPUT_ROW_H_
