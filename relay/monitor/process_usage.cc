#include "relay/monitor/process_usage.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"

namespace wormhole::relay {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

// A socket that has a peer. Asks the kernel about a number that may have been closed meanwhile, or
// been given to another socket: either way its answer is true of some moment of the count.
bool IsConnection(int descriptor, uint16_t local_port, std::string_view path) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  uint16_t port = 0;
  bool ours = false;
  if (address.ss_family == AF_UNIX) {
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    ours = !path.empty() && path == local.sun_path;
  } else if (address.ss_family == AF_INET) {
    port = reinterpret_cast<const sockaddr_in*>(&address)->sin_port;
  } else if (address.ss_family == AF_INET6) {
    port = reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port;
  }
  ours = ours || (port != 0 && ntohs(port) == local_port);
  if (!ours) return false;
  size = sizeof(address);
  return getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

}  // namespace

double CpuSeconds() {
  timespec time = {};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;  // pages
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double MemoryLimitBytes(const std::string& root) {
  std::string group;
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::/")) group = line.substr(3);
  }
  if (group.empty()) return kUnlimited;
  double limit = kUnlimited;
  // A group is held to what those have that it is in. In a container its path may lead nowhere, and
  // the uppermost is its own.
  for (size_t end = group.size(); end != std::string::npos; end = group.rfind('/', end - 1)) {
    std::ifstream file(root + "/sys/fs/cgroup" + group.substr(0, end) + "/memory.max");
    double here = 0;
    if (file >> here) limit = std::min(limit, here);  // `max` is no number
    if (end == 0) break;
  }
  return limit;
}

double MaxDescriptors() {
  rlimit limit = {};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

OpenDescriptors CountDescriptors(uint16_t local_port, std::string_view path) {
  OpenDescriptors counted;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return counted;
  while (const dirent* const entry = readdir(folder.get())) {
    int descriptor = -1;
    if (!absl::SimpleAtoi(entry->d_name, &descriptor)) continue;  // . and ..
    if (descriptor == dirfd(folder.get())) continue;
    ++counted.all;
    if (IsConnection(descriptor, local_port, path)) ++counted.connections;
  }
  return counted;
}

}  // namespace wormhole::relay
