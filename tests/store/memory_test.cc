#include <memory>

#include "gtest/gtest.h"
#include "relay/store/memory/memory_store.h"
#include "tests/store/contract.h"

namespace wormhole::relay {
namespace {

class MemoryUnderTest : public StoreUnderTest {
 public:
  Store& store() override { return store_; }
  void Restart() override { FAIL() << "a memory store keeps nothing"; }

 private:
  MemoryStore store_;
};

std::unique_ptr<StoreUnderTest> MakeMemory() { return std::make_unique<MemoryUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(Memory, StoreContractTest, ::testing::Values(&MakeMemory));
INSTANTIATE_TEST_SUITE_P(Memory, StoreRestTest, ::testing::Values(&MakeMemory));

}  // namespace
}  // namespace wormhole::relay
