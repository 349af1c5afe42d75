// SQLite on a file of the system's own, closed and opened again.
#include "relay/store/sqlite.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/store/contract.h"
#include "tests/store/temp_folder.h"

namespace wormhole::relay {
namespace {

class SqliteUnderTest : public StoreUnderTest {
 public:
  SqliteUnderTest() { Open(); }
  Store& store() override { return *store_; }
  void Restart() override {
    store_.reset();
    Open();
  }

 private:
  void Open() {
    auto store = SqliteStore::Open(folder_.File("relay.db"));
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  TempFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

std::unique_ptr<StoreUnderTest> MakeSqlite() { return std::make_unique<SqliteUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContractTest, ::testing::Values(&MakeSqlite));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreDurabilityTest, ::testing::Values(&MakeSqlite));

}  // namespace
}  // namespace wormhole::relay
