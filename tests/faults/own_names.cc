#include "tests/faults/own_names.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "tests/faults/own_namespace.h"

namespace wormhole::faults {
namespace {

constexpr char kHosts[] = "/etc/hosts";
constexpr char kResolver[] = "/etc/resolv.conf";

bool Replace(const char* file, const std::string& by) {
  return mount(by.c_str(), file, nullptr, MS_BIND, nullptr) == 0;
}

}  // namespace

OwnNames::OwnNames(const std::string& name_server) {
  const std::string hosts = folder_.File("hosts");
  const std::string resolver = folder_.File("resolv.conf");
  std::ofstream(hosts) << "127.0.0.1 localhost\n";
  std::ofstream(resolver) << "nameserver " << name_server << "\n";
  if (!EnterOwnNamespace(CLONE_NEWNS) ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || !Replace(kHosts, hosts) ||
      !Replace(kResolver, resolver)) {
    why_not_ = absl::StrCat("no names of one's own on this machine: ", strerror(errno));
  }
}

OwnNames::~OwnNames() {
  umount2(kHosts, MNT_DETACH);
  umount2(kResolver, MNT_DETACH);
}

// In one write: who reads meanwhile sees the old ones or none, and asks again.
void OwnNames::Set(const std::map<std::string, std::string>& addresses) {
  std::string hosts = "127.0.0.1 localhost\n";
  for (const auto& [name, address] : addresses) absl::StrAppend(&hosts, address, " ", name, "\n");
  std::ofstream(folder_.File("hosts")) << hosts;
}

}  // namespace wormhole::faults
