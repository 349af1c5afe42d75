// SQLite on a file of the system's own, closed and opened again.
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "relay/store/sqlite/sqlite_store.h"
#include "tests/store/contract.h"
#include "tests/store/start_store.h"
#include "tests/support/temp_folder.h"

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

  testing::TempFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

std::unique_ptr<StoreUnderTest> MakeSqlite() { return std::make_unique<SqliteUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContractTest, ::testing::Values(&MakeSqlite));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreDurabilityTest, ::testing::Values(&MakeSqlite));
INSTANTIATE_TEST_SUITE_P(Sqlite, StoreRestTest, ::testing::Values(&MakeSqlite));

TEST(SqliteStoredBytes, AreThoseOfTheFileAfterARestart) {
  const std::unique_ptr<StoreUnderTest> under_test = MakeSqlite();
  const ChannelKey key = {"example.com/app1", 7};
  const ChannelKey other = {"example.com/app2", 7};
  {
    BlockingStore call(under_test->store());
    call.Put(key, 0, Record("i", "r"));
    call.Put(other, 0, Record("j"));
    for (const uint64_t number : {1, 2, 3}) {
      call.Append(key, 1, Role::kInitiator, number, std::string(100, 'x'));
      call.Append(other, 1, Role::kInitiator, number, std::string(10, 'x'));
    }
    EXPECT_TRUE(call.Accept(key, Role::kInitiator, 1).ok());
    EXPECT_EQ(under_test->store().StoredBytes(), 230u);
  }
  under_test->Restart();
  ASSERT_TRUE(StartStore(under_test->store()).ok());
  EXPECT_EQ(under_test->store().StoredBytes(), 230u);
  BlockingStore call(under_test->store());
  EXPECT_TRUE(call.Accept(key, Role::kInitiator, 3).ok());
  EXPECT_EQ(under_test->store().StoredBytes(), 30u);
  call.Put(other, 1, Closed(Record("j")));
  EXPECT_EQ(under_test->store().StoredBytes(), 0u);
}

TEST(SqliteRestingSides, RestOnAfterARestart) {
  const std::unique_ptr<StoreUnderTest> under_test = MakeSqlite();
  const ChannelKey key = {"example.com/app1", 7};
  const ChannelRecord ended = Closed(Record("i", "r"));
  BlockingStore(under_test->store()).Put(key, 0, ended);
  BlockingStore(under_test->store()).Put(key, 1, Record("j"));
  under_test->Restart();
  BlockingStore again(under_test->store());
  EXPECT_EQ(again.Put(key, 2, Record("j", "r")), PutOutcome::kSideTaken);
  again.Due(ended.due_at);
  EXPECT_EQ(again.Put(key, 2, Record("j", "r")), PutOutcome::kDone);
}

}  // namespace
}  // namespace wormhole::relay
