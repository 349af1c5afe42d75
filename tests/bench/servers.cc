#include "tests/bench/servers.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace wormhole::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(EXIT_FAILURE);
}

// As high as they go: the relay counts as it does for strangers, which is part of what is measured,
// and refuses nobody. With 0 it would not count.
constexpr const char* kLimits[] = {"--max-connections=1000000",
                                   "--max-connections-per-address=1000000",
                                   "--max-connections-per-minute=1000000",
                                   "--max-stream-opens-per-minute=1000000",
                                   "--max-allocations-per-minute=1000000",
                                   "--max-claims-per-minute=1000000",
                                   "--max-failed-claims-per-minute=1000000",
                                   "--max-streams=1000000",
                                   "--max-streams-per-address=1000000",
                                   "--max-streams-per-connection=1000000",
                                   "--max-channels-per-address=1000000",
                                   "--max-channels=1000000",
                                   "--max-channels-per-app=1000000",
                                   "--max-memory=1048576",
                                   "--max-stored-bytes=4000000000",
                                   "--max-posted-bytes-per-second=4000000000"};

constexpr char kTwistd[] = "/usr/bin/twistd3";
constexpr char kMailboxPlugin[] =
    "/usr/lib/python3/dist-packages/twisted/plugins/magic_wormhole_mailbox.py";

int NextNumber() {
  static std::atomic<int> files = 0;
  return files++;
}

// It picks its port, and says so on standard output. Times are rounded, since otherwise it says
// there, too, who connects, which nobody reads.
std::vector<std::string> MailboxCommand(Kind kind, const testing::TempFolder& folder) {
  const std::string file = kind == Kind::kMailboxMemory
                               ? ":memory:"
                               : folder.File("mailbox-" + std::to_string(NextNumber()) + ".db");
  return {kTwistd,
          "--nodaemon",
          "--pidfile=",
          "wormhole-mailbox",
          "--port=tcp:0:interface=127.0.0.1",
          "--blur-usage=3600",
          "--channel-db=" + file};
}

std::string StoreOf(Kind kind, const testing::TempFolder& folder, const RelaySetup& setup) {
  if (kind == Kind::kMemory) return "memory";
  if (kind == Kind::kEtcd) return "etcd:" + setup.etcd;
  return "sqlite:" + folder.path() + "/relay-" + std::to_string(NextNumber()) + ".db";
}

std::vector<std::string> CommandOf(Kind kind, const testing::TempFolder& folder,
                                   const RelaySetup& setup) {
  if (IsMailbox(kind)) return MailboxCommand(kind, folder);
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) Die("/proc/self/exe cannot be read: " + error.message());
  if (kind == Kind::kFloor) return {here / "floor_server"};
  std::vector<std::string> command = {here / "../../relay/wormhole-relay",
                                      "--listen=" + setup.listen, "--admin-listen=off",
                                      "--store=" + StoreOf(kind, folder, setup),
                                      "--core-dumps"};  // else nobody sees its /proc/PID/fd
  command.insert(command.end(), std::begin(kLimits), std::end(kLimits));
  if (!setup.motd.empty()) command.push_back("--motd=" + setup.motd);
  if (!setup.metrics_listen.empty()) command.push_back("--metrics-listen=" + setup.metrics_listen);
  return command;
}

}  // namespace

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kFloor:
      return "floor";
    case Kind::kMemory:
      return "relay, memory";
    case Kind::kSqlite:
      return "relay, SQLite";
    case Kind::kEtcd:
      return "relay, etcd";
    case Kind::kMailboxMemory:
      return "magic-wormhole, memory";
    case Kind::kMailboxSqlite:
      return "magic-wormhole, SQLite";
  }
  return "";
}

bool IsMailbox(Kind kind) { return kind == Kind::kMailboxMemory || kind == Kind::kMailboxSqlite; }

bool MailboxServerIsInstalled() { return fs::exists(kTwistd) && fs::exists(kMailboxPlugin); }

Server::Server(Kind kind, const testing::TempFolder& folder, const RelaySetup& setup)
    : kind_(kind), command_(CommandOf(kind, folder, setup)) {
  Start();
}

void Server::Start() {
  process_ = std::make_unique<testing::ChildProcess>(
      testing::ChildProcess::Options{.arguments = command_});
  const bool mailbox = IsMailbox(kind_);
  address_ = process_->WaitForLine(testing::ChildProcess::kOut,
                                   mailbox ? "Site starting on " : "listening on ");
  if (address_.empty()) {
    Die(std::string(NameOf(kind_)) + " does not start: " + process_->err() +
        (mailbox ? process_->out() : ""));
  }
  if (mailbox) address_ = "127.0.0.1:" + address_;
}

uint16_t Server::port() const {
  return static_cast<uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1)));
}

}  // namespace wormhole::bench
