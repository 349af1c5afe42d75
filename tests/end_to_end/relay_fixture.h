// The relay's binary on a loopback port, with a SQLite file that outlives it.
#ifndef WORMHOLE_TESTS_END_TO_END_RELAY_FIXTURE_H_
#define WORMHOLE_TESTS_END_TO_END_RELAY_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {

class RelayTest : public ::testing::Test {
 protected:
  // Starts the relay, on the port that it had before if there was one.
  void StartRelay(std::vector<std::string> flags = {});
  void KillRelay();
  // As an operator does: it drains, and has to end well.
  void StopRelay();

  // Options of a patient exchange with this relay.
  Options NewOptions() const;
  std::string PathOf(const std::string& name) const { return folder_.File(name); }
  const std::string& address() const { return address_; }

 private:
  const TempFolder folder_;
  std::string address_;
  std::unique_ptr<RelayProcess> relay_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_RELAY_FIXTURE_H_
