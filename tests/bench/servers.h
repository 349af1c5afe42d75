// The servers under measurement, as child processes.
#ifndef WORMHOLE_TESTS_BENCH_SERVERS_H_
#define WORMHOLE_TESTS_BENCH_SERVERS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/process/child_process.h"

namespace wormhole::bench {

enum class Kind { kFloor, kMemory, kSqlite };

const char* NameOf(Kind kind);

// A temporary folder; gone with the object.
class Folder {
 public:
  // In `parent`, which should be on the disk whose speed is meant. Ends the process when it cannot
  // be made.
  explicit Folder(const std::string& parent);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Serves from its making to its end. The programs lie beside this one, as Bazel builds them.
class Server {
 public:
  // Ends the process when the server cannot be started. `folder` outlives it.
  Server(Kind kind, const Folder& folder);

  Kind kind() const { return kind_; }
  const std::string& address() const { return address_; }
  pid_t pid() const { return process_->pid(); }

 private:
  const Kind kind_;
  std::unique_ptr<testing::ChildProcess> process_;
  std::string address_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_SERVERS_H_
