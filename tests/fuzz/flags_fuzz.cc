// A flag file of wormhole-relay, which may be anything: it is refused with one line for people, or
// what --print-config makes of it says the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "relay/config/flag_file.h"
#include "relay/config/flag_help.h"
#include "relay/config/flags.h"
#include "tests/fuzz/check.h"

namespace {

using wormhole::fuzz::Check;
using wormhole::relay::CommandLine;
using wormhole::relay::FlagLine;
using wormhole::relay::ParseFlagFile;

absl::StatusOr<CommandLine> Read(const std::string& file) {
  return wormhole::relay::ReadCommandLine(
      {"--flagfile=relay.flags"}, [](const std::string&) { return std::nullopt; },
      [&file](const std::string&) -> absl::StatusOr<std::string> { return file; });
}

void CheckOneLine(const absl::Status& status) {
  Check(!status.message().empty() && status.message().find('\n') == std::string::npos);
}

// What it sets, without its comments.
std::vector<std::string> Settings(const std::string& file) {
  std::vector<std::string> settings;
  const absl::StatusOr<std::vector<FlagLine>> lines = ParseFlagFile(file);
  Check(lines.ok());
  for (const FlagLine& line : *lines) settings.push_back(line.name + "=" + line.value.value_or(""));
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string file(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::vector<FlagLine>> lines = ParseFlagFile(file);
  if (!lines.ok()) CheckOneLine(lines.status());
  const absl::StatusOr<CommandLine> line = Read(file);
  if (!line.ok()) {
    CheckOneLine(line.status());
    return 0;
  }
  Check(lines.ok());
  if (line->help || line->version) return 0;
  const std::string printed = PrintConfig(*line);
  const absl::StatusOr<CommandLine> again = Read(printed);
  Check(again.ok());
  Check(Settings(PrintConfig(*again)) == Settings(printed));
  return 0;
}
