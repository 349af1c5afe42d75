// The tool without its main().
#ifndef WORMHOLE_CLIENT_CLI_RUN_H_
#define WORMHOLE_CLIENT_CLI_RUN_H_

#include <string>
#include <vector>

namespace wormhole::cli {

// `words` are those of argv without the program's name. Returns the exit code. Call it once in
// a process, on the main thread, before there is another: it takes over signals.
int Run(const std::vector<std::string>& words);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_RUN_H_
