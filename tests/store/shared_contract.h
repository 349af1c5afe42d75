// What every store must do that several relays share, as two of them see it; and so must the fakes
// that stand for one in other tests. A store's test instantiates the suite with a way to make it.
#ifndef WORMHOLE_TESTS_STORE_SHARED_CONTRACT_H_
#define WORMHOLE_TESTS_STORE_SHARED_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "relay/channel/record.h"
#include "relay/store/store.h"
#include "tests/store/blocking_store.h"
#include "tests/store/noting_listener.h"

namespace wormhole::relay {

// One relay's end of the store, started. When this goes, the relay has ended.
class RelayEnd {
 public:
  virtual ~RelayEnd() = default;
  virtual Store& store() = 0;
  virtual NotingListener& listener() = 0;
};

// A store that is empty at first.
class SharedStoreUnderTest {
 public:
  virtual ~SharedStoreUnderTest() = default;
  // One more relay. Ends before this object.
  virtual std::unique_ptr<RelayEnd> Join() = 0;
  // Lets everything happen that is under way. False: it happens by itself, on other threads.
  virtual bool Settle() = 0;
  // `relay` hears nothing while `change` runs, at another relay, and then that it has missed
  // something.
  virtual void Miss(RelayEnd& relay, RelayEnd& another, const std::function<void()>& change) = 0;
};

using MakeSharedStore = std::unique_ptr<SharedStoreUnderTest> (*)();

class SharedStoreContractTest : public ::testing::TestWithParam<MakeSharedStore> {
 protected:
  static constexpr Role kInitiator = Role::kInitiator;
  static constexpr Role kReceiver = Role::kReceiver;

  BlockingStore Call(RelayEnd& relay) {
    return BlockingStore(relay.store(), [this] { under_test_->Settle(); });
  }
  // The relay hears this, after what an earlier Await has found.
  void Await(RelayEnd& relay, const std::string& note) {
    if (!under_test_->Settle()) return relay.listener().Await(note);
    EXPECT_TRUE(relay.listener().Find(note))
        << note << ", of\n  " << ::testing::PrintToString(relay.listener().notes());
  }
  // A channel that both relays have loaded.
  void Open() {
    EXPECT_EQ(Call(*one_).Put(key_, 0, Record("i", "r")), PutOutcome::kDone);
    EXPECT_TRUE(Call(*two_).Load(key_).has_value());
  }

  const std::unique_ptr<SharedStoreUnderTest> under_test_ = GetParam()();
  const ChannelKey key_ = {"example.com/app1", 7};
  const ChannelRef channel_ = {key_, Side("i")};
  std::unique_ptr<RelayEnd> one_ = under_test_->Join();
  std::unique_ptr<RelayEnd> two_ = under_test_->Join();
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_STORE_SHARED_CONTRACT_H_
