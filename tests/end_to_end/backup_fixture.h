// A relay whose SQLite file is copied while it serves, and put back, with the scripts of deploy/.
#ifndef WORMHOLE_TESTS_END_TO_END_BACKUP_FIXTURE_H_
#define WORMHOLE_TESTS_END_TO_END_BACKUP_FIXTURE_H_

#include <string>
#include <vector>

#include "tests/end_to_end/relay_fixture.h"

namespace wormhole::testing {

class BackupTest : public RelayTest {
 protected:
  struct Run {
    int status;
    std::string out;  // its line
    std::string err;
  };
  // deploy/NAME, with these arguments. Programs in PathOf("bin") come before the system's.
  Run RunScript(const std::string& name, std::vector<std::string> arguments);

  // The path of a copy of the relay's file, in a folder of its own. A test failure if there is
  // none.
  std::string Backup();
  // Stops the relay, puts the copy back and starts it again. When `killed`, its log stays behind.
  void RollBack(const std::string& copy, bool killed = false);

  // A new exchange at this relay finishes.
  void ExpectToServe();

 private:
  int backups_ = 0;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_BACKUP_FIXTURE_H_
