// The servers under measurement, as child processes.
#ifndef WORMHOLE_TESTS_BENCH_SERVERS_H_
#define WORMHOLE_TESTS_BENCH_SERVERS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::bench {

// The last two are magic-wormhole's mailbox server, as Debian has it, to compare with.
enum class Kind { kFloor, kMemory, kSqlite, kEtcd, kMailboxMemory, kMailboxSqlite };

const char* NameOf(Kind kind);

bool IsMailbox(Kind kind);
bool MailboxServerIsInstalled();

// What a relay is told beside its store.
struct RelaySetup {
  std::string listen = "127.0.0.1:0";
  std::string etcd = "";            // where etcd is, with kEtcd
  std::string metrics_listen = "";  // off
  std::string motd = "";            // told to clients, by which they can tell relays apart
};

// Serves from its making to its end. Ours lie beside this program, as Bazel builds them.
class Server {
 public:
  // Ends the process when the server cannot be started. `folder` outlives it.
  Server(Kind kind, const testing::TempFolder& folder, const RelaySetup& setup = {});

  Kind kind() const { return kind_; }
  const std::string& address() const { return address_; }
  uint16_t port() const;
  pid_t pid() const { return process_->pid(); }

  void Signal(int signal) { process_->Signal(signal); }
  // The exit code, or 128 + the signal's number.
  int WaitForExit() { return process_->WaitForExit(); }
  // Another one after that, over the same store, and at the same address if that was given.
  void Start();

 private:
  const Kind kind_;
  const std::vector<std::string> command_;
  std::unique_ptr<testing::ChildProcess> process_;
  std::string address_;
};

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_SERVERS_H_
