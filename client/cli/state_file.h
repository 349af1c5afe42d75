// A secret in a file that is whole at every moment, and belongs to one process at a time.
#ifndef WORMHOLE_CLIENT_CLI_STATE_FILE_H_
#define WORMHOLE_CLIENT_CLI_STATE_FILE_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/file_descriptor.h"
#include "client/cli/secret_text.h"
#include "proto/sync/mutex.h"

namespace wormhole::cli {

// Holds FILE through a lock on FILE.wormhole-lock, which the replacement of FILE leaves alone; the
// kernel drops it with the process, however that ends. Save writes FILE.wormhole-new and gives it
// the name FILE, so that a crash leaves the old content or the new one; the next holder of FILE
// removes a FILE.wormhole-new that a crash has left. None of the three may be a symbolic link.
// Thread safe: the save hook runs on another thread.
class StateFile {
 public:
  // For a new exchange; FILE is not made yet. INVALID_ARGUMENT when something of that name is
  // there or the folder cannot be used, ABORTED with Reason::kInUseElsewhere when another process
  // holds it.
  static absl::StatusOr<std::shared_ptr<StateFile>> ForNew(const std::string& path);
  // For an existing file. INVALID_ARGUMENT when there is none, it is not a plain file of this user,
  // or others may read or change it; ABORTED as above.
  static absl::StatusOr<std::shared_ptr<StateFile>> ForResume(const std::string& path);

  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  const std::string& path() const { return path_; }
  // Whether FILE is there.
  bool exists() const WORMHOLE_EXCLUDES(mutex_);

  absl::StatusOr<SecretText> Load() const WORMHOLE_EXCLUDES(mutex_);
  // Replaces the content; on the disk when it returns OK. On an error the old content is still
  // there, or, when only the folder could not be synchronised, the new one, which a loss of power
  // may take back. INVALID_ARGUMENT when the first Save finds a FILE that somebody made meanwhile;
  // it leaves that as it is. Does nothing after Remove().
  absl::Status Save(std::string_view content) WORMHOLE_EXCLUDES(mutex_);
  // Removes FILE for good. OK when there is none.
  absl::Status Remove() WORMHOLE_EXCLUDES(mutex_);
  // Gives the lock back, and removes FILE.wormhole-lock. From then on Save is an error. The
  // destructor does it too, but the save hook may keep this object alive for longer.
  void Close() WORMHOLE_EXCLUDES(mutex_);

 private:
  StateFile(std::string path, std::string name, FileDescriptor folder, FileDescriptor lock);
  static absl::StatusOr<std::shared_ptr<StateFile>> Lock(const std::string& path);
  void RemoveTemporary() const;

  const std::string path_;       // as the user wrote it
  const std::string name_;       // inside folder_
  const FileDescriptor folder_;  // names stay right when the working folder changes
  mutable sync::Mutex mutex_;
  FileDescriptor lock_ WORMHOLE_GUARDED_BY(mutex_);  // invalid: closed
  bool exists_ WORMHOLE_GUARDED_BY(mutex_) = false;
  bool removed_ WORMHOLE_GUARDED_BY(mutex_) = false;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_STATE_FILE_H_
