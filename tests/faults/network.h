// A network of a test's own: hosts that are network namespaces, and links to them that can be cut.
// Nothing of it has a name outside: it is gone with the test's process, however that ends.
#ifndef WORMHOLE_TESTS_FAULTS_NETWORK_H_
#define WORMHOLE_TESTS_FAULTS_NETWORK_H_

#include <map>
#include <string>
#include <vector>

namespace wormhole::faults {

// Moves the calling thread, and what it starts from now on, into a network namespace that has
// nothing but a loopback; once for a process. Empty, or what the machine lacks for that.
std::string EnterOwnNetwork();

// In a process that has entered its own network, which it ends when something here cannot be done.
class Host {
 public:
  // A pair of interfaces with an address each, and the way between the two.
  struct Link {
    std::string name;   // of the interface on both ends
    std::string here;   // in the test's namespace; several links may share it
    std::string there;  // the host's
  };
  // In both cases packets are dropped, and nobody is told: no RST, no FIN. The host itself is told
  // by its routes.
  enum class Cut { kLinkDown, kAddressGone };

  explicit Host(const std::vector<Link>& links);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void Disconnect(const std::string& link, Cut how);
  // Undoes it. Connections that were not given up go on.
  void Reconnect(const std::string& link);

  // What a command line begins with to be run there.
  std::vector<std::string> runner() const;

 private:
  struct State {
    Link link;
    Cut cut = Cut::kLinkDown;
    bool is_cut = false;
  };

  void Join(const Link& link);
  std::vector<std::string> Address(const std::string& verb, const Link& link) const;
  void RunThere(const std::vector<std::string>& command) const;
  std::string path() const;  // of the namespace, as long as this lives

  const int namespace_;
  std::map<std::string, State> links_;  // by name
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_NETWORK_H_
