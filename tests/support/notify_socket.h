// The end of sd_notify(3) that a service manager has: a datagram socket, which a process finds in
// $NOTIFY_SOCKET.
#ifndef WORMHOLE_TESTS_SUPPORT_NOTIFY_SOCKET_H_
#define WORMHOLE_TESTS_SUPPORT_NOTIFY_SOCKET_H_

#include <string>
#include <string_view>
#include <vector>

namespace wormhole::testing {

// Used from one thread at a time.
class NotifySocket {
 public:
  // Listens at `name`: /PATH, or @NAME for an abstract one. Ends the test process when it cannot.
  explicit NotifySocket(std::string name);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::string& name() const { return name_; }

  // The next message, which has come already; empty: there is none.
  std::string Take();
  // The line that begins so, of a message that has come or comes within kPatience; empty: none.
  std::string Await(std::string_view prefix);
  // All messages so far that were taken, by either of the above.
  const std::vector<std::string>& taken() const { return taken_; }

  // Sends itself messages until it takes no more.
  void Fill();

 private:
  const std::string name_;
  int fd_;
  std::vector<std::string> taken_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_NOTIFY_SOCKET_H_
