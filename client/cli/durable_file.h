// The steps of replacing a file so that a crash at any moment leaves the old or the new one.
#ifndef WORMHOLE_CLIENT_CLI_DURABLE_FILE_H_
#define WORMHOLE_CLIENT_CLI_DURABLE_FILE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/secret_text.h"

namespace wormhole::cli {

// `folder` is an open folder; names are names in it, without a slash. None of these follows
// symbolic links. Errors are those of the operating system, without a name in their message.

// Makes `name`, mode 0600, with this content, on the disk when it returns OK. First removes a file
// of that name, which a crash may have left; leaves none after an error.
absl::Status WriteTemporary(int folder, const std::string& name, std::string_view content);

// Gives `temporary` the name `name`, in place of what had it. A crash of this process cannot undo
// it; one of the machine can until SyncFolder.
absl::Status Rename(int folder, const std::string& temporary, const std::string& name);

// Gives `temporary` the name `name`. ALREADY_EXISTS, and nothing is changed, when something has it.
absl::Status RenameToNew(int folder, const std::string& temporary, const std::string& name);

// The names in it are on the disk when it returns OK.
absl::Status SyncFolder(int folder);

// Removes `name`, also from the disk. OK when there is none.
absl::Status RemoveDurably(int folder, const std::string& name);

// The content of a file that only this user can read or change. FAILED_PRECONDITION for another
// kind of file, other permissions, or more than `limit` bytes.
absl::StatusOr<SecretText> ReadPrivate(int folder, const std::string& name, size_t limit);

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_DURABLE_FILE_H_
