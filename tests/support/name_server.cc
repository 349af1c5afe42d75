#include "tests/support/name_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace wormhole::testing {
namespace {

// RFC 1035.
constexpr size_t kHeaderBytes = 12;
constexpr size_t kTypeAndClassBytes = 4;
constexpr char kTypeA[] = {0, 1};
// What comes of the header after the id: an authoritative answer to one question, no error.
constexpr char kFlags[] = {'\x84', 0};

void OrDie(bool ok, const char* what) {
  if (ok) return;
  perror(what);
  abort();
}

std::string Bytes(const char* begin, size_t size) { return {begin, size}; }

// The one question: a name, which is labels up to an empty one, its type and its class. Empty when
// the query is none.
std::string_view QuestionOf(std::string_view query) {
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) at += 1 + static_cast<unsigned char>(query[at]);
  const size_t end = at + 1 + kTypeAndClassBytes;
  return end > query.size() ? "" : query.substr(kHeaderBytes, end - kHeaderBytes);
}

// A record of the name that was asked for, which nobody is to keep.
std::string RecordOf(const std::string& address) {
  constexpr char kNameTypeClassTtlLength[] = {'\xc0', kHeaderBytes, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4};
  in_addr binary{};
  OrDie(inet_pton(AF_INET, address.c_str(), &binary) == 1, address.c_str());
  return Bytes(kNameTypeClassTtlLength, sizeof(kNameTypeClassTtlLength)) +
         Bytes(reinterpret_cast<const char*>(&binary), sizeof(binary));
}

}  // namespace

NameServer::NameServer(std::vector<std::string> addresses, const std::string& at, uint16_t port)
    : addresses_(std::move(addresses)) {
  socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  OrDie(inet_pton(AF_INET, at.c_str(), &place.sin_addr) == 1, at.c_str());
  socklen_t size = sizeof(place);
  auto* const generic = reinterpret_cast<sockaddr*>(&place);
  OrDie(socket_ >= 0 && bind(socket_, generic, size) == 0, "a name server");
  OrDie(getsockname(socket_, generic, &size) == 0, "getsockname");
  address_ = at + ":" + std::to_string(ntohs(place.sin_port));
  stop_ = eventfd(0, EFD_CLOEXEC);
  OrDie(stop_ >= 0, "eventfd");
  thread_ = std::thread([this] { Serve(); });
}

NameServer::~NameServer() {
  OrDie(eventfd_write(stop_, 1) == 0, "eventfd");
  thread_.join();
  close(stop_);
  close(socket_);
}

void NameServer::SetAddresses(std::vector<std::string> addresses) {
  sync::MutexLock lock(mutex_);
  addresses_ = std::move(addresses);
}

void NameServer::AwaitQuestions(int more) {
  sync::MutexLock lock(mutex_);
  const int end = questions_ + more;
  while (questions_ < end) asked_.Wait(mutex_);
}

void NameServer::Serve() {
  for (;;) {
    pollfd ready[2] = {{socket_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) return;
    char buffer[512];
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    auto* const sender = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = recvfrom(socket_, buffer, sizeof(buffer), 0, sender, &size);
    if (got < static_cast<ssize_t>(kHeaderBytes)) continue;
    const std::string answer = AnswerTo({buffer, static_cast<size_t>(got)});
    // One that is lost is asked for again.
    (void)sendto(socket_, answer.data(), answer.size(), 0, sender, size);
  }
}

std::string NameServer::AnswerTo(std::string_view query) {
  const std::string question(QuestionOf(query));
  const bool addresses_wanted =
      question.size() > kTypeAndClassBytes &&
      question.compare(question.size() - kTypeAndClassBytes, 2, kTypeA, 2) == 0;
  std::string records;
  char count = 0;
  if (addresses_wanted) {
    sync::MutexLock lock(mutex_);
    for (const std::string& address : addresses_) records += RecordOf(address);
    count = static_cast<char>(addresses_.size());
    ++questions_;
    asked_.NotifyAll();
  }
  const char counts[] = {0, 1, 0, count, 0, 0, 0, 0};
  return std::string(query.substr(0, 2)) + Bytes(kFlags, sizeof(kFlags)) +
         Bytes(counts, sizeof(counts)) + question + records;
}

}  // namespace wormhole::testing
