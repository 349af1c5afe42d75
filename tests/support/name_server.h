// A name server, for names that lead to a test's own processes.
#ifndef WORMHOLE_TESTS_SUPPORT_NAME_SERVER_H_
#define WORMHOLE_TESTS_SUPPORT_NAME_SERVER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proto/sync/mutex.h"

namespace wormhole::testing {

// Thread-safe. Every name has the same IPv4 addresses, and nothing else; nobody is to keep them.
class NameServer {
 public:
  // At an address of this machine, on a port that the kernel picks if it is 0. Programs that read
  // /etc/resolv.conf ask port 53.
  explicit NameServer(std::vector<std::string> addresses, const std::string& at = "127.0.0.1",
                      uint16_t port = 0);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  const std::string& address() const { return address_; }  // ADDRESS:PORT, UDP

  // What it answers from now on; nothing: the name is there and leads nowhere.
  void SetAddresses(std::vector<std::string> addresses) WORMHOLE_EXCLUDES(mutex_);
  // Waits until addresses have been asked for so many times more.
  void AwaitQuestions(int more) WORMHOLE_EXCLUDES(mutex_);

 private:
  void Serve();
  std::string AnswerTo(std::string_view query) WORMHOLE_EXCLUDES(mutex_);

  int socket_ = -1;
  int stop_ = -1;  // readable when it is to end
  std::string address_;
  sync::Mutex mutex_;
  sync::CondVar asked_;
  int questions_ WORMHOLE_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> addresses_ WORMHOLE_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_NAME_SERVER_H_
