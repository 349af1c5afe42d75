// The outcomes of PROTOCOL.md, section 10, are the library's reasons, with the exit codes that the
// page says.
#include <map>
#include <string>

#include "absl/strings/numbers.h"
#include "client/cli/exit_codes.h"
#include "client/core/failure.h"
#include "client/core/testing/outcome_names.h"
#include "gtest/gtest.h"
#include "proto/page/tables.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

constexpr int kBeyondAnyReason = 200;

TEST(ProtocolPageTest, OutcomesAndTheirExitCodes) {
  std::map<std::string, int> on_page;
  for (const page::Row& row : page::TableWith("outcome | when | code | exit")) {
    int exit = -1;
    ASSERT_TRUE(absl::SimpleAtoi(row[3], &exit)) << row[0];
    EXPECT_TRUE(on_page.emplace(row[0], exit).second) << row[0] << " is there twice";
  }
  std::map<std::string, int> in_code;
  for (int n = 0; n < kBeyondAnyReason; ++n) {
    const auto reason = static_cast<Reason>(n);
    const std::string name(core::OutcomeName(reason));
    if (name.empty()) continue;
    in_code[name] = ExitCodeOf(core::Failure(reason, absl::StatusCode::kUnknown, "m"));
  }
  EXPECT_EQ(on_page, in_code);
}

}  // namespace
}  // namespace wormhole::cli
