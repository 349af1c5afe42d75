// The relay's binary on a loopback port, with a SQLite file that outlives it.
#ifndef WORMHOLE_TESTS_END_TO_END_RELAY_FIXTURE_H_
#define WORMHOLE_TESTS_END_TO_END_RELAY_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/child_process.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {

class RelayTest : public ::testing::Test {
 protected:
  RelayTest();

  // Starts the relay, on the port that it had before if there was one.
  void StartRelay(std::vector<std::string> flags = {});
  void KillRelay();
  // As an operator does: it drains, and has to end well.
  void StopRelay();

  // Options of a patient exchange with this relay.
  Options NewOptions() const;
  std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& address() const { return address_; }

 private:
  std::string folder_;
  std::string address_;
  std::unique_ptr<ChildProcess> relay_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_RELAY_FIXTURE_H_
