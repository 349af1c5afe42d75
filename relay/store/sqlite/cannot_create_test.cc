#include "relay/store/sqlite/cannot_create.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Message(int error) {
  return std::string(CannotCreate(error, "the SQLite file", "/var/lib/a/relay.db").message());
}

TEST(CannotCreateTest, OnAReadOnlyFileSystemItSaysWhatToMount) {
  const std::string message = Message(EROFS);
  EXPECT_THAT(message, HasSubstr(absl::StrCat("cannot create the SQLite file /var/lib/a/relay.db: "
                                              "mount a volume that user ",
                                              ::geteuid(), " may write to at /var/lib/a, ")));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

TEST(CannotCreateTest, InAnothersFolderItSaysWhoHasToBeLetIn) {
  const std::string message = Message(EACCES);
  EXPECT_THAT(message,
              HasSubstr(absl::StrCat("let user ", ::geteuid(), " write to the folder /var/lib/a")));
  EXPECT_TRUE(absl::IsPermissionDenied(CannotCreate(EACCES, "the lock file", "a.lock")));
}

TEST(CannotCreateTest, WithoutAFolderItNamesTheOneThatIsMissing) {
  EXPECT_THAT(Message(ENOENT), HasSubstr("the folder /var/lib/a must exist"));
}

TEST(CannotCreateTest, ARelativePathIsSaidInFull) {
  const absl::Status status = CannotCreate(EROFS, "the SQLite file", "relay.db");
  EXPECT_THAT(std::string(status.message()), HasSubstr("may write to at /"));
}

}  // namespace
}  // namespace wormhole::relay
