// One channel's calls, what is known of it, and what is planned, for tests.
#ifndef WORMHOLE_RELAY_STORE_ETCD_TESTING_PLAN_HARNESS_H_
#define WORMHOLE_RELAY_STORE_ETCD_TESTING_PLAN_HARNESS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "relay/store/etcd/plan.h"

namespace wormhole::relay {

inline constexpr Role kInitiator = Role::kInitiator;
inline constexpr Role kReceiver = Role::kReceiver;

inline const EtcdKeys kKeys("w/");
inline const ChannelKey kKey = {"a/b", 7};

inline ChannelRecord Record() {
  ChannelRecord record;
  record.version = 1;
  record.created_at = absl::FromUnixSeconds(1);
  record.due_at = absl::FromUnixSeconds(100);
  record.member(kInitiator).side = "i";
  return record;
}

// One that is not kept in its log.
inline std::string Long(char letter) { return std::string(kMaxBytesInLog + 1, letter); }

// Revision 10 wrote everything. Frames have keys of their own.
inline ChannelState Image(uint64_t stored, uint64_t accepted) {
  ChannelState state;
  state.record.Take(10, Record());
  EtcdLog log{.stored = stored};
  for (uint64_t n = 1; n <= stored; ++n) log.last.push_back({.size = n});
  state.log(kInitiator).Take(10, log);
  state.cursor(kInitiator).Take(10, accepted);
  state.log(kReceiver).Take(10, std::nullopt);
  state.cursor(kReceiver).Take(10, std::nullopt);
  for (const Role role : {kInitiator, kReceiver}) state.presence(role).Take(10, std::nullopt);
  return state;
}

inline std::vector<std::string> Keys(
    const google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>& operations) {
  std::vector<std::string> keys;
  for (const etcdserverpb::RequestOp& operation : operations) {
    if (operation.has_request_put()) keys.push_back("put " + operation.request_put().key());
    if (operation.has_request_delete_range()) {
      keys.push_back("delete " + operation.request_delete_range().key());
    }
    if (operation.has_request_range()) keys.push_back("read " + operation.request_range().key());
  }
  return keys;
}

class PlanTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChannelTxn> Plan(const ChannelState* state) {
    return PlanTxn({.keys = &kKeys,
                    .relay_id = "me",
                    .lease =
                        [this](absl::Time due_at) {
                          lease_for_ = due_at;
                          return lease_;
                        },
                    .presence_lease = 5},
                   kKey, state, calls_, 1 << 20, missing_lease_);
  }
  void Append(uint64_t number, std::string frame, std::string receiver = "") {
    calls_.push_back({.what = AppendCall{.channel = {kKey, "i", std::move(receiver)},
                                         .version = 1,
                                         .author = kInitiator,
                                         .number = number,
                                         .frame = std::move(frame),
                                         .done = [this](absl::StatusOr<AppendResult> result) {
                                           appended_.push_back(result->log);
                                           outcomes_.push_back(result->outcome);
                                         }}});
  }
  void Accept(uint64_t cursor, std::string receiver = "") {
    calls_.push_back({.what = AcceptCall{.channel = {kKey, "i", std::move(receiver)},
                                         .author = kInitiator,
                                         .cursor = cursor,
                                         .done = [this](absl::StatusOr<LogState> log) {
                                           if (!log.ok()) return refused_.push_back(log.status());
                                           accepted_.push_back(*log);
                                         }}});
  }
  void Put(uint64_t expected, ChannelRecord record, PutOptions options = {}) {
    calls_.push_back({.what = PutCall{.expected = expected,
                                      .record = std::move(record),
                                      .options = options,
                                      .done = [this](absl::StatusOr<PutOutcome> outcome) {
                                        put_.push_back(*outcome);
                                      }}});
  }
  void Finish(ChannelTxn& txn, const etcdserverpb::TxnResponse& response, ChannelState& state) {
    EtcdAnswers answers;
    txn.Finish(response, revision_ += 10, state, calls_, answers);
    for (const auto& answer : answers) answer();
  }
  static etcdserverpb::TxnResponse Success() {
    etcdserverpb::TxnResponse response;
    response.set_succeeded(true);
    return response;
  }

  int64_t revision_ = 10;
  int64_t lease_ = 3;
  absl::Time lease_for_;
  std::optional<absl::Time> missing_lease_;
  EtcdCalls calls_;
  std::vector<LogState> appended_, accepted_;
  std::vector<AppendOutcome> outcomes_;
  std::vector<absl::Status> refused_;  // what was accepted
  std::vector<PutOutcome> put_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_TESTING_PLAN_HARNESS_H_
