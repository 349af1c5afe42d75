#include "relay/open_store.h"

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "relay/store/etcd/store.h"
#include "relay/store/memory.h"
#include "relay/store/sqlite.h"
#include "sodium.h"

namespace wormhole::relay {
namespace {

// The content of a file that `flag` names; nothing when it names none.
absl::Status ReadFile(const char* flag, const std::string& path, std::string& content) {
  if (path.empty()) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream read;
  read << file.rdbuf();  // catches what a folder throws
  content = read.str();
  if (file && !content.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flag, "=", path, file ? ": is empty" : ": cannot be read"));
}

// A line end behind a name or a password is the editor's.
absl::Status ReadLine(const char* flag, const std::string& path, std::string& line) {
  const absl::Status read = ReadFile(flag, path, line);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  return read;
}

absl::StatusOr<EtcdServers> ReadServers(const EtcdChoice& choice) {
  EtcdServers servers{.endpoints = choice.endpoints};
  for (const absl::Status& read : {
           ReadFile("--etcd-tls-ca", choice.tls_ca, servers.tls_ca),
           ReadFile("--etcd-tls-cert", choice.tls_cert, servers.tls_cert),
           ReadFile("--etcd-tls-key", choice.tls_key, servers.tls_key),
           ReadLine("--etcd-user-file", choice.user_file, servers.user),
           ReadLine("--etcd-password-file", choice.password_file, servers.password),
       }) {
    if (!read.ok()) return read;
  }
  return servers;
}

std::string DrawWriter() {
  std::array<char, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return std::string(bytes.data(), bytes.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreChoice& choice, StoreHooks hooks) {
  switch (choice.kind) {
    case StoreChoice::Kind::kMemory:
      return std::make_unique<MemoryStore>();
    case StoreChoice::Kind::kSqlite:
      return SqliteStore::Open(choice.path, {.on_trouble = std::move(hooks.on_trouble),
                                             .on_commit = std::move(hooks.on_commit)});
    case StoreChoice::Kind::kEtcd:
      break;
  }
  absl::StatusOr<EtcdServers> servers = ReadServers(choice.etcd);
  if (!servers.ok()) return servers.status();
  return EtcdStore::Open({.servers = *std::move(servers),
                          .prefix = choice.etcd.prefix,
                          .writer = DrawWriter(),
                          .on_trouble = std::move(hooks.on_trouble),
                          .on_restored = std::move(hooks.on_restored),
                          .on_commit = std::move(hooks.on_commit)});
}

}  // namespace wormhole::relay
