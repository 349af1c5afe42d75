#include "tests/faults/network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/faults/own_namespace.h"
#include "tests/support/child_process.h"

namespace wormhole::faults {
namespace {

using testing::ChildProcess;

constexpr char kIp[] = "/bin/ip";
constexpr char kNsenter[] = "/usr/bin/nsenter";

// Empty, or why the command has failed.
std::string Run(const std::vector<std::string>& command) {
  ChildProcess process({.arguments = command});
  if (process.WaitForExit() == 0) return "";
  return absl::StrCat(absl::StrJoin(command, " "), ": ", process.err());
}

void RunOrDie(const std::vector<std::string>& command) {
  const std::string error = Run(command);
  if (error.empty()) return;
  std::fprintf(stderr, "%s\n", error.c_str());
  std::abort();
}

std::string MakeOwnNetwork() {
  // The addresses here are no loopback's, and a proxy does not know them.
  for (const char* name : {"http_proxy", "https_proxy", "grpc_proxy"}) unsetenv(name);
  if (!EnterOwnNamespace(CLONE_NEWNET)) {
    return absl::StrCat("no network namespaces on this machine, neither as root nor as a user: ",
                        strerror(errno));
  }
  std::string error = Run({kIp, "link", "set", "lo", "up"});
  if (error.empty()) error = Run({kIp, "link", "add", "try", "type", "veth"});
  if (error.empty()) error = Run({kIp, "link", "delete", "try"});
  return error.empty() ? "" : "no network of one's own on this machine: " + error;
}

// A new network namespace, which lives as long as this is open. Made by a thread of its own, so
// that the others stay where they are.
int NewNamespace() {
  int made = -1;
  std::thread([&made] {
    if (unshare(CLONE_NEWNET) != 0) return;
    made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  }).join();
  if (made >= 0) return made;
  perror("a network namespace");
  abort();
}

}  // namespace

std::string EnterOwnNetwork() {
  static const std::string why_not = MakeOwnNetwork();
  return why_not;
}

Host::Host(const std::vector<Link>& links) : namespace_(NewNamespace()) {
  RunThere({kIp, "link", "set", "lo", "up"});
  for (const Link& link : links) Join(link);
}

// The interfaces here would go a moment after the namespace; a host that comes next may want their
// names at once.
Host::~Host() {
  for (const auto& [name, state] : links_) RunOrDie({kIp, "link", "delete", name});
  close(namespace_);
}

// Each end knows the way to the other one's address alone, which comes and goes with its own.
void Host::Join(const Link& link) {
  RunOrDie(
      {kIp, "link", "add", link.name, "type", "veth", "peer", "name", link.name, "netns", path()});
  RunOrDie({kIp, "address", "add", link.here, "peer", link.there, "dev", link.name});
  RunOrDie({kIp, "link", "set", link.name, "up"});
  RunThere(Address("add", link));
  RunThere({kIp, "link", "set", link.name, "up"});
  links_[link.name] = {.link = link};
}

void Host::Disconnect(const std::string& link, Cut how) {
  State& state = links_.at(link);
  state.cut = how;
  state.is_cut = true;
  if (how == Cut::kLinkDown) return RunThere({kIp, "link", "set", link, "down"});
  RunThere(Address("delete", state.link));
}

void Host::Reconnect(const std::string& link) {
  State& state = links_.at(link);
  if (!state.is_cut) return;
  state.is_cut = false;
  if (state.cut == Cut::kLinkDown) return RunThere({kIp, "link", "set", link, "up"});
  RunThere(Address("add", state.link));
}

std::vector<std::string> Host::Address(const std::string& verb, const Link& link) const {
  return {kIp, "address", verb, link.there, "peer", link.here, "dev", link.name};
}

std::vector<std::string> Host::runner() const { return {kNsenter, "--net=" + path()}; }

void Host::RunThere(const std::vector<std::string>& command) const {
  std::vector<std::string> all = runner();
  all.insert(all.end(), command.begin(), command.end());
  RunOrDie(all);
}

std::string Host::path() const { return absl::StrCat("/proc/", getpid(), "/fd/", namespace_); }

}  // namespace wormhole::faults
