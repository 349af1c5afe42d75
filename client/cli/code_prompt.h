// Asks for the invitation code.
#ifndef WORMHOLE_CLIENT_CLI_CODE_PROMPT_H_
#define WORMHOLE_CLIENT_CLI_CODE_PROMPT_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/charset.h"
#include "client/cli/interrupt.h"
#include "client/cli/terminal.h"

namespace wormhole::cli {

// A code in its canonical form. On a terminal, Tab completes words, and the prompt explains what is
// no code and asks again; CANCELLED with Reason::kCancelled on Ctrl-D or a signal. Elsewhere the
// next line of the input counts, and INVALID_ARGUMENT says what is wrong with it. DEADLINE_EXCEEDED
// with Reason::kTimeout at the deadline.
absl::StatusOr<std::string> AskForCode(const Asker& asker, bool allow_other_words, Charset charset,
                                       Interrupt& interrupt);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_CODE_PROMPT_H_
