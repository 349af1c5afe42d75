// A name server on loopback, for names that lead to a test's own processes.
#ifndef WORMHOLE_TESTS_END_TO_END_NAME_SERVER_H_
#define WORMHOLE_TESTS_END_TO_END_NAME_SERVER_H_

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proto/sync/mutex.h"

namespace wormhole::testing {

// Thread-safe. Every name has the same IPv4 addresses, and nothing else; nobody is to keep them.
class NameServer {
 public:
  explicit NameServer(std::vector<std::string> addresses);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  const std::string& address() const { return address_; }  // 127.0.0.1:PORT, UDP

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

#endif  // WORMHOLE_TESTS_END_TO_END_NAME_SERVER_H_
