// What every store must do. A store's test instantiates the suites with a way to make it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContractTest, testing::Values(&MakeMemory));
#ifndef WORMHOLE_TESTS_STORE_CONTRACT_H_
#define WORMHOLE_TESTS_STORE_CONTRACT_H_

#include <memory>

#include "gtest/gtest.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "tests/store/blocking_store.h"

namespace wormhole::relay {

// An empty store, and how it goes down and comes up.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;

  // Stops the store, gently or not as the kind of test has it, and starts it over what it left.
  // Only for stores that promise to keep something.
  virtual void Restart() = 0;
};

using MakeStore = std::unique_ptr<StoreUnderTest> (*)();

class StoreContractTest : public ::testing::TestWithParam<MakeStore> {
 protected:
  static constexpr Role kInitiator = Role::kInitiator;
  static constexpr Role kReceiver = Role::kReceiver;

  // The calls of the test, on the store as it is now.
  BlockingStore Call() { return BlockingStore(under_test_->store()); }

  const std::unique_ptr<StoreUnderTest> under_test_ = GetParam()();
  const ChannelKey key_ = {"example.com/app1", 7};
};

// For stores that keep what they acknowledge.
class StoreDurabilityTest : public StoreContractTest {};

// For stores that do not let the sides of an ended channel go before its quarantine is over.
class StoreRestTest : public StoreContractTest {};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_CONTRACT_H_
