// One etcd process on ports of its own; see etcd_server.h.
#ifndef WORMHOLE_TESTS_SUPPORT_ETCD_NODE_H_
#define WORMHOLE_TESTS_SUPPORT_ETCD_NODE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/reserved_port.h"

namespace wormhole::testing {

class EtcdNode {
 public:
  // `folder` is there, and the node's own. Clients find the node at the first of `addresses`.
  EtcdNode(std::string name, std::string folder, const std::vector<std::string>& addresses);
  ~EtcdNode();
  EtcdNode(const EtcdNode&) = delete;
  EtcdNode& operator=(const EtcdNode&) = delete;

  const std::string& name() const { return name_; }
  std::string data() const { return folder_ + "/data"; }
  const std::string& client() const { return clients_[at_]->host_port(); }
  const std::string& peer() const { return peer_.host_port(); }

  // To the next address, from the next Start on.
  void Move() { ++at_; }

  // Kills it first if it runs.
  void Start(const std::vector<std::string>& flags);
  // Until it has said that it serves; ends the test's process, with the log, if it does not.
  void AwaitServing();
  void Signal(int signal);  // SIGKILL, SIGSTOP or SIGCONT
  pid_t pid() const { return process_->pid(); }
  bool answers() const { return process_ != nullptr && !paused_; }

  std::string EndOfLog() const;

 private:
  const std::string name_;
  const std::string folder_;
  const std::vector<std::unique_ptr<ReservedPort>> clients_;  // one port, at each address
  size_t at_ = 0;                                             // of these
  const ReservedPort peer_;
  int notices_ = -1;  // where the node says that it is ready, as to systemd
  bool paused_ = false;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_ETCD_NODE_H_
