// Text in rows of a terminal, each of which says whose it is. Pure.
#ifndef WORMHOLE_CLIENT_CLI_ROWS_H_
#define WORMHOLE_CLIENT_CLI_ROWS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace wormhole::cli {

// `text` is one harmless line. The first row begins with `first`, each other with `next`, and none
// has more than `columns`: a terminal that broke a row itself would begin the next one with a part
// of the text, and the author of the text could write in our name. Without a line feed at the end.
std::string InRows(std::string_view text, std::string_view first, std::string_view next,
                   size_t columns);

// How many bytes of `text`, which is UTF-8, fit into `columns`. Each character beyond ASCII counts
// as two: some are that wide, and a row may be shorter than it could be, never longer.
size_t FittingBytes(std::string_view text, size_t columns);

// The same from the end of `text`: where what fits begins.
size_t FittingTail(std::string_view text, size_t columns);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_ROWS_H_
