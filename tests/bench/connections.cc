#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/sections.h"
#include "tests/bench/servers.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

constexpr int kAtOnce = 8;
constexpr uint32_t kClients = 0x7f000100;  // the network 127.0.1.0
constexpr int kMostFailures = 100;

// HTTP/2's preface and SETTINGS without a value.
constexpr std::string_view kGreeting("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

// Whether `frames` has the one by which the server says that it has read our SETTINGS.
bool HasAcknowledgement(std::string_view frames) {
  constexpr size_t kHeaderBytes = 9;
  const auto at = [&frames](size_t i) { return size_t{static_cast<uint8_t>(frames[i])}; };
  while (frames.size() >= kHeaderBytes) {
    if (at(3) == 4 && at(4) == 1) return true;
    const size_t payload = at(0) << 16 | at(1) << 8 | at(2);
    frames.remove_prefix(std::min(frames.size(), kHeaderBytes + payload));
  }
  return false;
}

// A socket, closed with this.
class Connection {
 public:
  Connection() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience = {.tv_sec = 10, .tv_usec = 0};  // a server that hangs is a failure
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // From the address 127.0.1.`host`: each has ports of its own, of which one that was used is free
  // again after a while.
  bool Connect(uint8_t host, uint16_t port) {
    const sockaddr_in from = AddressOf(kClients + host, 0);
    const sockaddr_in to = AddressOf(INADDR_LOOPBACK, port);
    const int later = 1;  // else bind looks for a port that is free towards everybody
    setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof(later));
    return bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0 &&
           connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }

  bool Greet() {
    if (send(socket_, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL) < 0) return false;
    std::string frames;
    while (!HasAcknowledgement(frames)) {
      if (Receive(frames) <= 0) return false;
    }
    return true;
  }

  // Waits for the server to close it as well, which is part of what a connection costs.
  bool Leave() {
    if (shutdown(socket_, SHUT_WR) != 0) return false;
    std::string rest;
    ssize_t received = 0;
    while ((received = Receive(rest)) > 0) {
    }
    return received == 0;
  }

 private:
  static sockaddr_in AddressOf(uint32_t ip, uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(ip);
    return address;
  }

  // What recv says.
  ssize_t Receive(std::string& all) {
    char some[1024];
    const ssize_t received = recv(socket_, some, sizeof(some), 0);
    if (received > 0) all.append(some, static_cast<size_t>(received));
    return received;
  }

  const int socket_;
};

struct Count {
  int made = 0;
  int failed = 0;
};

Count ConnectUntil(double end, uint8_t host, uint16_t port) {
  Count count;
  while (NowMicros() < end && count.failed < kMostFailures) {
    Connection connection;
    const bool well = connection.Connect(host, port) && connection.Greet() && connection.Leave();
    ++(well ? count.made : count.failed);
  }
  return count;
}

// One value for each round, but for the failures.
struct Subject {
  std::unique_ptr<Server> server;
  std::vector<double> rate = {};
  std::vector<double> cpu = {};
  double failed = 0;
};

void MeasureOnce(Subject& subject, double seconds) {
  const uint16_t port = subject.server->port();
  const double began = NowMicros();
  const double cpu = CpuMicros(subject.server->pid());
  std::vector<Count> counts(kAtOnce);
  {
    std::vector<std::jthread> clients;
    for (size_t i = 0; i < counts.size(); ++i) {
      clients.emplace_back([&counts, i, port, end = began + seconds * 1e6] {
        counts[i] = ConnectUntil(end, static_cast<uint8_t>(i + 1), port);
      });
    }
  }
  double made = 0;
  for (const Count& count : counts) {
    made += count.made;
    subject.failed += count.failed;
  }
  subject.rate.push_back(made / (NowMicros() - began) * 1e6);
  subject.cpu.push_back((CpuMicros(subject.server->pid()) - cpu) / std::max(1.0, made));
}

void AddRows(const std::vector<Subject>& subjects, Report& report) {
  const char* const kSection = "connections, 8 at once";
  const auto add = [&](const char* quantity, const char* unit,
                       std::vector<double> Subject::*values) {
    for (const Subject& subject : subjects) {
      report.Add(RowOfRounds(kSection, quantity, NameOf(subject.server->kind()), unit,
                             subject.*values, subjects[0].*values));
    }
  };
  add("rate", "per s", &Subject::rate);
  add("server CPU per connection", "us", &Subject::cpu);
  for (const Subject& subject : subjects) {
    report.Add(
        {kSection, "failed", NameOf(subject.server->kind()), subject.failed, "in all", 0, {}});
  }
}

}  // namespace

// The least that is a connection of gRPC: with a stream on it, gRPC's and the store's work for that
// would hide what is asked here, which is what it costs to accept. Streams are those of exchanges.
// From sockets, since a client of gRPC takes more of the processor than the server does. Nothing is
// stored, so one store is enough.
void MeasureConnections(const Setting& setting, Report& report) {
  std::vector<Subject> subjects;
  for (const Kind kind : {Kind::kFloor, Kind::kMemory}) {
    if (std::string_view(NameOf(kind)).find(setting.only) == std::string_view::npos) continue;
    subjects.push_back({std::make_unique<Server>(kind, setting.folder)});
  }
  if (subjects.empty()) return;
  for (Subject& subject : subjects) {  // to warm up
    MeasureOnce(subject, setting.quick ? 0.02 : 0.3);
    subject.rate.clear();
    subject.cpu.clear();
  }
  for (int round = 0; round < (setting.quick ? 1 : 9); ++round) {
    for (Subject& subject : subjects) MeasureOnce(subject, setting.quick ? 0.1 : 1.0);
  }
  AddRows(subjects, report);
}

}  // namespace wormhole::bench
