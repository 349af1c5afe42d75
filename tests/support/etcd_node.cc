#include "tests/support/etcd_node.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace wormhole::testing {
namespace {

void OrDie(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  abort();
}

// A datagram socket in the abstract namespace, under a name that the kernel picks: a path would
// often be too long.
int NoticeSocket(std::string& name) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  OrDie(fd >= 0, "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  OrDie(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address.sun_family)) == 0, "bind");
  socklen_t size = sizeof(address);
  OrDie(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  name = "@" + std::string(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  return fd;
}

// Until there is something to read; false when the process ends before, or patience does.
bool AwaitNotice(int fd, pid_t pid) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  OrDie(process >= 0, "pidfd_open");
  pollfd fds[2] = {{fd, POLLIN, 0}, {process, POLLIN, 0}};
  int ready;
  do {
    ready = poll(fds, 2, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  } while (ready < 0 && errno == EINTR);
  close(process);
  char notice[256];
  return fds[0].revents != 0 && recv(fd, notice, sizeof(notice), 0) > 0;
}

}  // namespace

EtcdNode::EtcdNode(std::string name, std::string folder, const std::vector<std::string>& addresses)
    : name_(std::move(name)),
      folder_(std::move(folder)),
      clients_(ReservedPort::AtEach(addresses)) {}

EtcdNode::~EtcdNode() {
  process_.reset();
  if (notices_ >= 0) close(notices_);
}

void EtcdNode::Start(const std::vector<std::string>& flags) {
  process_.reset();
  paused_ = false;
  if (notices_ >= 0) close(notices_);  // with what the last process said
  std::string notices_name;
  notices_ = NoticeSocket(notices_name);
  // The shell becomes etcd. Its log goes to a file: nobody would read a pipe all the time.
  ChildProcess::Options options{
      .arguments = {"/bin/sh", "-c", "log=$1; shift; exec etcd \"$@\" >>\"$log\" 2>&1", "etcd",
                    folder_ + "/log", "--name=" + name_, "--data-dir=" + data()},
      .environment = {{"NOTIFY_SOCKET", notices_name}},
      .input = ""};
  options.arguments.insert(options.arguments.end(), flags.begin(), flags.end());
  process_ = std::make_unique<ChildProcess>(std::move(options));
}

void EtcdNode::AwaitServing() {
  if (process_ != nullptr && AwaitNotice(notices_, process_->pid())) return;
  std::fprintf(stderr, "etcd does not serve. The end of its log:\n%s\n", EndOfLog().c_str());
  std::abort();
}

void EtcdNode::Signal(int signal) {
  if (process_ == nullptr) return;
  process_->Signal(signal);
  if (signal == SIGKILL) process_.reset();
  paused_ = signal == SIGSTOP;
}

std::string EtcdNode::EndOfLog() const {
  std::ifstream file(folder_ + "/log");
  std::string log((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr size_t kShown = 4096;
  return log.size() > kShown ? log.substr(log.size() - kShown) : log;
}

}  // namespace wormhole::testing
