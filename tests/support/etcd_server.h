// etcd for tests: one node or several on loopback, which die with the test.
#ifndef WORMHOLE_TESTS_SUPPORT_ETCD_SERVER_H_
#define WORMHOLE_TESTS_SUPPORT_ETCD_SERVER_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::testing {

class EtcdNode;

// Everything here is for one thread, which has to outlive the nodes: the kernel ends them with it.
// Where nothing else is said, what cannot be done fails the test, or ends its process when a node
// does not come up.
class EtcdCluster {
 public:
  struct Tls {
    // PEM files. What the nodes show to clients; empty: plaintext.
    std::string cert;
    std::string key;
    // When set, clients must show a certificate of one of these authorities.
    std::string client_ca;
    // What etcdctl trusts, and shows.
    std::string ca;
    std::string client_cert;
    std::string client_key;
  };

  struct Options {
    int nodes = 1;
    Tls tls;
    // When not empty, every client has to say who it is, and "root" has this password.
    std::string root_password;
    // Nothing here cuts the power, so waiting for the disk would only cost time. A benchmark waits.
    bool fsync = false;
    std::string folder;                 // where the data lies; empty: where tests have theirs
    std::vector<std::string> flags;     // more for each node, such as --quota-backend-bytes=N
    std::string address = "127.0.0.1";  // this machine's, for clients; the nodes use loopback
    std::string next_address;           // another one, where each node can have the same port
  };

  // They serve when it returns.
  EtcdCluster() : EtcdCluster(Options{}) {}
  explicit EtcdCluster(Options options);
  // After a test that failed, shows the end of each node's log.
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  int size() const { return static_cast<int>(nodes_.size()); }
  // HOST:PORT of one, or of all with commas between. They stay the same, whatever happens to nodes
  // that are not moved.
  std::string endpoint(int node) const;
  std::string endpoints() const;
  pid_t pid(int node) const;  // of one that runs

  void Kill(int node);    // SIGKILL
  void Pause(int node);   // SIGSTOP: connections stay, and nothing answers
  void Resume(int node);  // SIGCONT, after which it answers again when it gets to it
  // Over the data that it had; ends the process first if it still runs. The node serves when
  // AwaitServing returns: that takes a majority, so start several before waiting for one.
  void Start(int node);
  void AwaitServing(int node);
  void Restart(int node) {
    Start(node);
    AwaitServing(node);
  }

  // From its next Start on, clients find the node at `next_address`.
  void Move(int node);

  // The node that leads. Waits for an election; asks only nodes that run and are not paused.
  int leader();

  // Runs etcdctl at all nodes' endpoints, as root where that is needed (a --user among the
  // arguments counts more). What it prints; UNKNOWN with its error if it fails.
  absl::StatusOr<std::string> Control(std::vector<std::string> arguments) const {
    return ControlAt(endpoints(), std::move(arguments));
  }
  // Forgets all revisions before the current one, as --auto-compaction-retention would in time.
  void Compact();
  // A copy of what the nodes have, for Restore: the file's path.
  std::string Save();
  // Ends the nodes, and starts them over this copy instead of what they had, as an operator does
  // who has lost a majority of the disks; over nothing when `copy` is empty. It is another
  // cluster then, with an id of its own.
  void Restore(const std::string& copy) {
    ++token_;
    RestoreUnderOldToken(copy);
  }
  // By an operator who has not read the manual: the cluster's id is the same.
  void RestoreUnderOldToken(const std::string& copy);
  // Somebody who may read and write below `prefix`, and nothing else.
  void AddUser(const std::string& name, const std::string& password, const std::string& prefix);

 private:
  // --initial-cluster and what belongs to it.
  std::vector<std::string> MemberFlags(int node) const;
  std::vector<std::string> ControlArguments(const std::string& endpoints) const;
  absl::StatusOr<std::string> ControlAt(const std::string& endpoints,
                                        std::vector<std::string> arguments) const;
  void ControlOrFail(std::vector<std::string> arguments) const;
  std::vector<std::string> NodeFlags(int node) const;
  void EnableAuth();

  const Options options_;
  bool auth_enabled_ = false;
  int copies_ = 0;  // that were saved
  int token_ = 0;   // the number in --initial-cluster-token
  TempFolder folder_;
  std::vector<std::unique_ptr<EtcdNode>> nodes_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_ETCD_SERVER_H_
