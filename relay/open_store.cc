#include "relay/open_store.h"

#include <array>
#include <string>
#include <utility>

#include "relay/config/pem_file.h"
#include "relay/store/etcd/etcd_store.h"
#include "relay/store/etcd/open.h"
#include "relay/store/memory/memory_store.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "sodium.h"

namespace wormhole::relay {
namespace {

// A line end behind a name or a password is the editor's.
absl::StatusOr<std::string> ReadLine(const NamedFile& file) {
  absl::StatusOr<std::string> line = ReadNamedFile(file);
  if (!line.ok()) return line;
  line->erase(line->find_last_not_of("\r\n") + 1);
  return line;
}

// Before anything is asked of etcd: a file that TLS cannot use would look like an etcd that is
// away.
absl::Status ReadTls(const EtcdChoice& choice, EtcdServers& servers) {
  if (!choice.tls_ca.empty()) {
    absl::StatusOr<std::string> pem = ReadCertificates({"--etcd-tls-ca", choice.tls_ca});
    if (!pem.ok()) return pem.status();
    servers.tls_ca = *std::move(pem);
  }
  if (choice.tls_cert.empty()) return absl::OkStatus();
  const NamedFile certificate = {"--etcd-tls-cert", choice.tls_cert};
  absl::StatusOr<std::string> chain = ReadCertificates(certificate);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key =
      ReadPrivateKey({"--etcd-tls-key", choice.tls_key}, certificate, *chain);
  if (!key.ok()) return key.status();
  servers.tls_cert = *std::move(chain);
  servers.tls_key = *std::move(key);
  return absl::OkStatus();
}

absl::StatusOr<EtcdServers> ReadServers(const EtcdChoice& choice) {
  EtcdServers servers{.endpoints = choice.endpoints};
  const absl::Status tls = ReadTls(choice, servers);
  if (!tls.ok()) return tls;
  if (choice.user_file.empty()) return servers;
  absl::StatusOr<std::string> user = ReadLine({"--etcd-user-file", choice.user_file});
  if (!user.ok()) return user.status();
  absl::StatusOr<std::string> password = ReadLine({"--etcd-password-file", choice.password_file});
  if (!password.ok()) return password.status();
  servers.user = *std::move(user);
  servers.password = *std::move(password);
  return servers;
}

std::string DrawRelayId() {
  std::array<char, 16> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  return std::string(bytes.data(), bytes.size());
}

absl::StatusOr<std::unique_ptr<Store>> OpenChosenEtcd(const EtcdChoice& choice, RelayClock* clock,
                                                      const StoreHooks& hooks) {
  absl::StatusOr<EtcdServers> servers = ReadServers(choice);
  if (!servers.ok()) return servers.status();
  return OpenEtcd({.servers = *std::move(servers),
                   .prefix = choice.prefix,
                   .relay_id = DrawRelayId(),
                   .clock = clock,
                   .on_started = hooks.on_started,
                   .on_trouble = hooks.on_trouble,
                   .on_restored = hooks.on_restored,
                   .on_commit = hooks.on_commit});
}

// A single relay's own.
}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const StoreChoice& choice, RelayClock* clock,
                                                 StoreHooks hooks) {
  absl::StatusOr<std::unique_ptr<Store>> store;
  switch (choice.kind) {
    case StoreChoice::Kind::kMemory:
      store = std::make_unique<MemoryStore>();
      break;
    case StoreChoice::Kind::kSqlite:
      store = SqliteStore::Open(choice.path,
                                {.on_trouble = hooks.on_trouble, .on_commit = hooks.on_commit});
      break;
    case StoreChoice::Kind::kEtcd:
      return OpenChosenEtcd(choice.etcd, clock, hooks);  // which tells of its start later
  }
  if (store.ok() && hooks.on_started) hooks.on_started(absl::OkStatus());
  return store;
}

}  // namespace wormhole::relay
