// The tool without its main().
#ifndef WORMHOLE_CLIENT_CLI_RUN_H_
#define WORMHOLE_CLIENT_CLI_RUN_H_

#include <string>
#include <vector>

namespace wormhole::cli {

// `words` are those of argv without the program's name. Returns the exit code. Once a process, on
// its main thread, before any other thread is made: it takes over signals.
int Run(const std::vector<std::string>& words);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_RUN_H_
