// Names of a test's own, for the programs that it starts: they read /etc/hosts
// and /etc/resolv.conf.
#ifndef WORMHOLE_TESTS_FAULTS_OWN_NAMES_H_
#define WORMHOLE_TESTS_FAULTS_OWN_NAMES_H_

#include <map>
#include <string>

#include "tests/support/temp_folder.h"

namespace wormhole::faults {

// Moves the calling thread, and what it starts from now on, into a mount
// namespace where these two files are the test's. Gone with it.
class OwnNames {
 public:
  // `name_server`, an address, is asked for what the names have not got here.
  explicit OwnNames(const std::string& name_server);
  ~OwnNames();
  OwnNames(const OwnNames&) = delete;
  OwnNames& operator=(const OwnNames&) = delete;

  // Empty, or what the machine lacks for that.
  const std::string& why_not() const { return why_not_; }

  // Each name's address, in place of all before.
  void Set(const std::map<std::string, std::string>& addresses);

 private:
  const testing::TempFolder folder_;
  std::string why_not_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_OWN_NAMES_H_
