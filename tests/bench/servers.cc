#include "tests/bench/servers.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace wormhole::bench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(EXIT_FAILURE);
}

std::vector<std::string> CommandOf(Kind kind, const Folder& folder) {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) Die("/proc/self/exe cannot be read: " + error.message());
  if (kind == Kind::kFloor) return {here / "floor_server"};
  static std::atomic<int> files = 0;
  const std::string store = kind == Kind::kMemory ? "memory"
                                                  : "sqlite:" + folder.path() + "/relay-" +
                                                        std::to_string(files++) + ".db";
  return {here / "../../relay/wormhole-relay", "--listen=127.0.0.1:0", "--store=" + store};
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
  }
  return "";
}

Folder::Folder(const std::string& parent) : path_(parent + "/wormhole-bench-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) Die("cannot make a folder in " + parent);
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Server::Server(Kind kind, const Folder& folder)
    : kind_(kind),
      process_(std::make_unique<testing::ChildProcess>(
          testing::ChildProcess::Options{.arguments = CommandOf(kind, folder)})),
      address_(process_->WaitForLine(testing::ChildProcess::kOut, "listening on ")) {
  if (address_.empty()) Die(std::string(NameOf(kind)) + " does not start: " + process_->err());
}

}  // namespace wormhole::bench
