#include "tests/support/etcd_server.h"

#include <signal.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/etcd_node.h"

namespace wormhole::testing {
namespace {

constexpr char kEtcdctl[] = "/usr/bin/etcdctl";

}  // namespace

EtcdCluster::EtcdCluster(Options options)
    : options_(std::move(options)),
      folder_(options_.folder.empty() ? ::testing::TempDir() : options_.folder) {
  for (int i = 0; i < options_.nodes; ++i) {
    const std::string name = "node" + std::to_string(i);
    std::filesystem::create_directory(folder_.File(name));
    std::vector<std::string> addresses = {options_.address};
    if (!options_.next_address.empty()) addresses.push_back(options_.next_address);
    nodes_.push_back(std::make_unique<EtcdNode>(name, folder_.File(name), addresses));
  }
  for (int i = 0; i < size(); ++i) Start(i);
  for (int i = 0; i < size(); ++i) AwaitServing(i);
  if (!options_.root_password.empty()) EnableAuth();
}

EtcdCluster::~EtcdCluster() {
  if (!::testing::Test::HasFailure()) return;
  for (const auto& node : nodes_) {
    std::fprintf(stderr, "The end of the log of %s, %s:\n%s\n", node->name().c_str(),
                 node->client().c_str(), node->EndOfLog().c_str());
  }
}

std::string EtcdCluster::endpoint(int node) const { return nodes_[node]->client(); }

std::string EtcdCluster::endpoints() const {
  std::string all;
  for (const auto& node : nodes_) all += (all.empty() ? "" : ",") + node->client();
  return all;
}

pid_t EtcdCluster::pid(int node) const { return nodes_[node]->pid(); }

void EtcdCluster::Kill(int node) { nodes_[node]->Signal(SIGKILL); }
void EtcdCluster::Pause(int node) { nodes_[node]->Signal(SIGSTOP); }
void EtcdCluster::Move(int node) { nodes_[node]->Move(); }
void EtcdCluster::Resume(int node) { nodes_[node]->Signal(SIGCONT); }
void EtcdCluster::Start(int node) { nodes_[node]->Start(NodeFlags(node)); }
void EtcdCluster::AwaitServing(int node) { nodes_[node]->AwaitServing(); }

std::vector<std::string> EtcdCluster::MemberFlags(int node) const {
  std::string cluster;
  for (const auto& each : nodes_) {
    cluster += (cluster.empty() ? "" : ",") + each->name() + "=http://" + each->peer();
  }
  return {"--initial-advertise-peer-urls=http://" + nodes_[node]->peer(),
          "--initial-cluster=" + cluster, "--initial-cluster-token=" + std::to_string(token_)};
}

std::vector<std::string> EtcdCluster::NodeFlags(int node) const {
  const Tls& tls = options_.tls;
  const std::string client = (tls.cert.empty() ? "http://" : "https://") + nodes_[node]->client();
  std::vector<std::string> flags = MemberFlags(node);
  for (const std::string& flag :
       {"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
        "--listen-peer-urls=http://" + nodes_[node]->peer(),
        std::string("--enable-grpc-gateway=false")}) {
    flags.push_back(flag);
  }
  if (!options_.fsync) flags.push_back("--unsafe-no-fsync");
  if (!tls.cert.empty()) {
    flags.push_back("--cert-file=" + tls.cert);
    flags.push_back("--key-file=" + tls.key);
  }
  if (!tls.client_ca.empty()) {
    flags.push_back("--client-cert-auth");
    flags.push_back("--trusted-ca-file=" + tls.client_ca);
  }
  flags.insert(flags.end(), options_.flags.begin(), options_.flags.end());
  return flags;
}

int EtcdCluster::leader() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    for (int node = 0; node < size(); ++node) {
      if (!nodes_[node]->answers()) continue;
      // endpoint, id, version, size, leads or not, ...
      const auto status = ControlAt(endpoint(node), {"endpoint", "status"});
      if (status.ok() && status->find("B, true, ") != std::string::npos) return node;
    }
  }
  ADD_FAILURE() << "no etcd node leads";
  return 0;
}

std::vector<std::string> EtcdCluster::ControlArguments(const std::string& endpoints) const {
  const Tls& tls = options_.tls;
  std::vector<std::string> arguments = {kEtcdctl, "--endpoints=" + endpoints};
  if (!tls.cert.empty()) arguments.push_back("--cacert=" + tls.ca);
  if (!tls.client_cert.empty()) {
    arguments.push_back("--cert=" + tls.client_cert);
    arguments.push_back("--key=" + tls.client_key);
  }
  if (auth_enabled_) arguments.push_back("--user=root:" + options_.root_password);
  return arguments;
}

absl::StatusOr<std::string> EtcdCluster::ControlAt(const std::string& endpoints,
                                                   std::vector<std::string> arguments) const {
  std::vector<std::string> all = ControlArguments(endpoints);
  all.insert(all.end(), arguments.begin(), arguments.end());
  ChildProcess process(
      {.arguments = std::move(all), .environment = {{"ETCDCTL_API", "3"}}, .input = ""});
  if (process.WaitForExit() == 0) return process.out();
  return absl::UnknownError("etcdctl " + arguments[0] + ": " + process.err());
}

void EtcdCluster::ControlOrFail(std::vector<std::string> arguments) const {
  const auto printed = Control(std::move(arguments));
  EXPECT_TRUE(printed.ok()) << printed.status();
}

void EtcdCluster::Compact() {
  // The header of any answer has the current revision.
  const std::string answer = Control({"get", "any", "--write-out=json"}).value_or("");
  constexpr char kField[] = "\"revision\":";
  const size_t at = answer.find(kField);
  ASSERT_NE(at, std::string::npos) << answer;
  const size_t begin = at + sizeof(kField) - 1;
  const size_t end = answer.find_first_not_of("0123456789", begin);
  ControlOrFail({"compact", answer.substr(begin, end - begin), "--physical"});
}

std::string EtcdCluster::Save() {
  const std::string copy = folder_.File("copy" + std::to_string(copies_++));
  const auto saved = ControlAt(endpoint(0), {"snapshot", "save", copy});
  EXPECT_TRUE(saved.ok()) << saved.status();
  return copy;
}

void EtcdCluster::RestoreUnderOldToken(const std::string& copy) {
  for (int node = 0; node < size(); ++node) Kill(node);
  for (int node = 0; node < size(); ++node) {
    std::filesystem::remove_all(nodes_[node]->data());
    if (!copy.empty()) {
      std::vector<std::string> arguments = {"snapshot", "restore", copy,
                                            "--name=" + nodes_[node]->name(),
                                            "--data-dir=" + nodes_[node]->data()};
      for (const std::string& flag : MemberFlags(node)) arguments.push_back(flag);
      ControlOrFail(std::move(arguments));
    }
    Start(node);
  }
  for (int node = 0; node < size(); ++node) AwaitServing(node);
}

void EtcdCluster::AddUser(const std::string& name, const std::string& password,
                          const std::string& prefix) {
  ControlOrFail({"role", "add", name});
  ControlOrFail({"role", "grant-permission", name, "readwrite", prefix, "--prefix"});
  ControlOrFail({"user", "add", name + ":" + password});
  ControlOrFail({"user", "grant-role", name, name});
}

void EtcdCluster::EnableAuth() {
  ControlOrFail({"user", "add", "root:" + options_.root_password});
  ControlOrFail({"user", "grant-role", "root", "root"});
  ControlOrFail({"auth", "enable"});
  auth_enabled_ = true;
}

}  // namespace wormhole::testing
