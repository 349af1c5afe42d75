// Two relays over one store, for tests of the switchboard.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_HARNESS_H_
#define WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_HARNESS_H_

#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/net/address.h"
#include "relay/admission/admission.h"
#include "relay/switchboard/switchboard.h"
#include "relay/switchboard/testing/group_store.h"
#include "relay/switchboard/testing/group_tables.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {

class GroupTest : public testing::Test {
 protected:
  struct Relay {
    explicit Relay(GroupTest* test, int number) : store(&test->tables_, number) {
      SwitchboardEnvironment environment{
          .wall_now = [test] { return absl::UnixEpoch() + test->now_; },
          .steady_now = [test] { return test->now_; },
          .random_below =
              [test](uint32_t bound) {
                return std::uniform_int_distribution<uint32_t>(0, bound - 1)(test->random_);
              },
          .admission = &admission,
          .observer = &events,
      };
      switchboard = *Switchboard::Create(test->options_, std::move(environment), &store);
    }

    // From no address unless one is given.
    std::unique_ptr<TestStream> Stream(const std::string& name,
                                       std::optional<net::Address> address = std::nullopt) {
      return std::make_unique<TestStream>(*switchboard, name, StreamOrigin{.address = address});
    }
    // Answers what was asked of the store; nothing is told of the other relay.
    void Answer() {
      while (store.Answer()) {
      }
    }

    NotedEvents events;
    Admission admission{{.channels_per_address = 1}};
    GroupStore store;
    std::unique_ptr<Switchboard> switchboard;
  };

  // Answers and tells everything, and what follows from it.
  void Settle() {
    for (bool any = true; any;) {
      any = false;
      for (Relay* relay : {&east_, &west_}) {
        while (relay->store.Answer() || relay->store.TellNext()) any = true;
      }
    }
  }
  std::optional<ChannelSnapshot> Stored(uint32_t id) {
    return tables_.channels().Load({.app_id = kApp, .id = id});
  }

  SwitchboardOptions options_;
  absl::Duration now_ = absl::Hours(1'000'000);
  std::mt19937 random_{1};
  GroupTables tables_;
  Relay east_{this, 1};
  Relay west_{this, 2};
};

// Begins with Anna attached in the east and Bert in the west; both have heard so.
class GroupPairTest : public GroupTest {
 protected:
  GroupPairTest() {
    anna_ = east_.Stream("anna");
    anna_->Allocate();
    Settle();
    id_ = anna_->id();
    bert_ = west_.Stream("bert");
    bert_->Claim(id_);
    Settle();
    opening_ = {anna_->Heard(), bert_->Heard()};
  }

  std::string Opened(const std::string& rest) const {
    return "opened(" + std::to_string(id_) + " " + rest + ")";
  }
  ChannelKey key() const { return {.app_id = kApp, .id = id_}; }

  std::unique_ptr<TestStream> anna_;
  std::unique_ptr<TestStream> bert_;
  uint32_t id_ = 0;
  std::pair<std::string, std::string> opening_;  // what Anna and Bert have heard
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_TESTING_GROUP_HARNESS_H_
