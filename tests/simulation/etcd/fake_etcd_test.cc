// The fake does what etcd does: requests drawn at random get the same answers from both.
#include "tests/simulation/etcd/fake_etcd.h"

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "relay/store/etcd/client.h"
#include "tests/simulation/random.h"
#include "tests/support/child_process.h"
#include "tests/support/etcd_server.h"

namespace wormhole::simulation {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::RangeRequest;
using etcdserverpb::RequestOp;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;

constexpr int64_t kLongTtl = 3600;
constexpr char kLast[] = "kz";  // a key that is written last

class FakeEtcdTest : public ::testing::Test {
 protected:
  FakeEtcdTest() : client_({.endpoints = {cluster_.endpoint(0)}}) {}

  // The real one's answer.
  template <typename Response, typename Call>
  absl::StatusOr<Response> Ask(Call call) {
    std::promise<absl::StatusOr<Response>> answer;
    call([&answer](absl::StatusOr<Response> response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }

  // Both get a lease; requests name it by the fake's number.
  void Grant() {
    const int64_t lease = fake_.Grant(kLongTtl, absl::ZeroDuration()).id();
    const auto real = Ask<etcdserverpb::LeaseGrantResponse>(
        [this](auto done) { client_.Grant(kLongTtl, std::move(done)); });
    ASSERT_TRUE(real.ok()) << real.status();
    real_leases_[lease] = real->id();
    fake_leases_[real->id()] = lease;
  }

  void Revoke(int64_t lease) {
    const auto fake = fake_.Revoke(lease);
    const auto real = Ask<etcdserverpb::LeaseRevokeResponse>(
        [&](auto done) { client_.Revoke(real_leases_.at(lease), std::move(done)); });
    EXPECT_EQ(fake.status().code(), real.status().code()) << lease;
  }

  void KeepAlive(int64_t lease) {
    const auto fake = fake_.KeepAlive(lease, absl::ZeroDuration());
    const auto real = Ask<etcdserverpb::LeaseKeepAliveResponse>(
        [&](auto done) { client_.KeepAlive(real_leases_.at(lease), std::move(done)); });
    EXPECT_EQ(fake.status().code(), real.status().code()) << lease;
  }

  void Compact() {
    cluster_.Compact();
    fake_.Compact(fake_.revision());
  }

  // What both say of it, in the fake's words.
  void ExpectSame(const TxnRequest& request) {
    TxnRequest for_real = request;
    NameLeases(*for_real.mutable_success());
    NameLeases(*for_real.mutable_failure());
    const auto real = Ask<TxnResponse>([&](auto done) {
      client_.Txn(std::make_shared<const TxnRequest>(for_real), std::move(done));
    });
    const auto fake = fake_.Txn(request);
    ASSERT_EQ(fake.status().code(), real.status().code()) << fake.status() << "\n"
                                                          << real.status() << "\n"
                                                          << request.DebugString();
    ++outcomes_[fake.status().code()];
    if (!fake.ok()) return;
    EXPECT_EQ(fake->header().revision(), real->header().revision());
    EXPECT_EQ(Plain(*fake), Plain(Renamed(*real))) << request.DebugString();
  }

  void ExpectSame(const RangeRequest& request) {
    const auto real = Ask<etcdserverpb::RangeResponse>(
        [&](auto done) { client_.Range(request, std::move(done)); });
    const auto fake = fake_.Range(request);
    ASSERT_EQ(fake.status().code(), real.status().code()) << fake.status() << "\n"
                                                          << real.status() << "\n"
                                                          << request.DebugString();
    if (!fake.ok()) return;
    TxnResponse boxed_fake, boxed_real;
    *boxed_fake.add_responses()->mutable_response_range() = *fake;
    *boxed_real.add_responses()->mutable_response_range() = *real;
    EXPECT_EQ(Plain(boxed_fake), Plain(Renamed(boxed_real))) << request.DebugString();
  }

  // What a watch from this revision brings, until it has told of kLast.
  struct Watched {
    std::vector<std::string> events;
    int64_t compacted = 0;
  };
  Watched WatchReal(int64_t revision) {
    etcdserverpb::WatchCreateRequest request;
    request.set_key("k");
    request.set_range_end("l");
    request.set_start_revision(revision);
    Watched watched;
    std::promise<void> over;
    relay::EtcdClient client({.endpoints = {cluster_.endpoint(0)}});
    client.Watch(
        request,
        [&](const etcdserverpb::WatchResponse& response) {
          bool last = response.canceled();
          for (const auto& event : response.events()) {
            watched.events.push_back(Plain(event));
            last = last || event.kv().key() == kLast;
          }
          watched.compacted = response.compact_revision();
          return !last;  // and then it ends
        },
        [&over](const absl::Status&) { over.set_value(); });
    EXPECT_EQ(over.get_future().wait_for(testing::kPatience), std::future_status::ready);
    client.Stop();
    return watched;
  }

  std::string Plain(const TxnResponse& response) const {
    TxnResponse plain = response;
    plain.DiscardUnknownFields();  // such as how many keys there are beyond the limit
    plain.clear_header();
    for (etcdserverpb::ResponseOp& op : *plain.mutable_responses()) ClearHeaders(op);
    return plain.DebugString();
  }
  std::string Plain(const etcdserverpb::Event& event) const {
    etcdserverpb::Event plain = event;
    Rename(*plain.mutable_kv());
    return plain.DebugString();
  }

  testing::EtcdCluster cluster_;
  relay::EtcdClient client_;
  FakeEtcd fake_;
  std::map<int64_t, int64_t> real_leases_, fake_leases_;
  std::map<absl::StatusCode, int> outcomes_;

 private:
  void NameLeases(google::protobuf::RepeatedPtrField<RequestOp>& ops) const {
    for (RequestOp& op : ops) {
      if (op.has_request_put() && op.request_put().lease() != 0) {
        op.mutable_request_put()->set_lease(real_leases_.at(op.request_put().lease()));
      }
      if (!op.has_request_txn()) continue;
      NameLeases(*op.mutable_request_txn()->mutable_success());
      NameLeases(*op.mutable_request_txn()->mutable_failure());
    }
  }
  void Rename(etcdserverpb::KeyValue& kv) const {
    const auto found = fake_leases_.find(kv.lease());
    if (found != fake_leases_.end()) kv.set_lease(found->second);
  }
  TxnResponse Renamed(TxnResponse response) const {
    for (etcdserverpb::ResponseOp& op : *response.mutable_responses()) {
      if (op.has_response_txn()) {
        *op.mutable_response_txn() = Renamed(op.response_txn());
      } else if (op.has_response_range()) {
        for (auto& kv : *op.mutable_response_range()->mutable_kvs()) Rename(kv);
      }
    }
    return response;
  }
  static void ClearHeaders(etcdserverpb::ResponseOp& op) {
    if (op.has_response_range()) op.mutable_response_range()->clear_header();
    if (op.has_response_put()) op.mutable_response_put()->clear_header();
    if (op.has_response_delete_range()) op.mutable_response_delete_range()->clear_header();
    if (!op.has_response_txn()) return;
    op.mutable_response_txn()->clear_header();
    for (auto& nested : *op.mutable_response_txn()->mutable_responses()) ClearHeaders(nested);
  }
};

// Requests over a handful of keys, so that they meet.
class Drawing {
 public:
  explicit Drawing(uint64_t seed) : random_(seed) {}

  SimRandom& random() { return random_; }
  std::string Key() { return absl::StrCat("k", random_.Below(6)); }

  RangeRequest Range(const FakeEtcd& etcd) {
    RangeRequest request;
    request.set_key(Key());
    if (random_.Chance(0.5)) request.set_range_end(absl::StrCat(request.key(), "z"));
    if (random_.Chance(0.3)) request.set_range_end("l");
    if (random_.Chance(0.3)) request.set_limit(1 + random_.Below(3));
    if (random_.Chance(0.3)) {
      const int64_t from = etcd.compacted() > 1 ? etcd.compacted() - 1 : 1;
      const auto count = static_cast<uint32_t>(etcd.revision() + 2 - from);
      request.set_revision(from + random_.Below(count));
    }
    return request;
  }

  TxnRequest Txn(const FakeEtcd& etcd, int64_t leases, int depth) {
    TxnRequest request;
    for (uint32_t left = random_.Below(3); left > 0; --left)
      *request.add_compare() = Condition(etcd);
    for (auto* ops : {request.mutable_success(), request.mutable_failure()}) {
      for (uint32_t left = random_.Below(4); left > 0; --left) {
        *ops->Add() = Op(etcd, leases, depth);
      }
    }
    return request;
  }

 private:
  RequestOp Op(const FakeEtcd& etcd, int64_t leases, int depth) {
    RequestOp op;
    const uint32_t kind = random_.Below(depth > 0 ? 8 : 6);
    if (kind < 3) {
      op.mutable_request_put()->set_key(Key());
      op.mutable_request_put()->set_value(absl::StrCat(random_.Below(3)));
      if (random_.Chance(0.3)) {
        op.mutable_request_put()->set_lease(1001 + random_.Below(static_cast<uint32_t>(leases)));
      }
    } else if (kind < 4) {
      op.mutable_request_delete_range()->set_key(Key());
      if (random_.Chance(0.3)) op.mutable_request_delete_range()->set_range_end("k5");
    } else if (kind < 6) {
      *op.mutable_request_range() = Range(etcd);
    } else {
      *op.mutable_request_txn() = Txn(etcd, leases, depth - 1);
    }
    return op;
  }

  Compare Condition(const FakeEtcd& etcd) {
    Compare compare;
    compare.set_key(Key());
    const FakeEtcd::KeyValue* const kv = etcd.Find(compare.key());
    const int64_t off = random_.Below(3) - 1;
    compare.set_result(static_cast<Compare::CompareResult>(random_.Below(4)));
    switch (random_.Below(5)) {
      case 0:
        compare.set_target(Compare::VERSION);
        compare.set_version((kv != nullptr ? kv->version() : 0) + off);
        break;
      case 1:
        compare.set_target(Compare::CREATE);
        compare.set_create_revision((kv != nullptr ? kv->create_revision() : 0) + off);
        break;
      case 2:
        compare.set_target(Compare::MOD);
        compare.set_mod_revision((kv != nullptr ? kv->mod_revision() : 0) + off);
        break;
      case 3:
        compare.set_target(Compare::VALUE);
        compare.set_value(absl::StrCat(random_.Below(3)));
        break;
      default:
        compare.set_target(Compare::LEASE);
        compare.set_lease(0);
        break;
    }
    return compare;
  }

  SimRandom random_;
};

TEST_F(FakeEtcdTest, AnswersAsEtcdDoes) {
  Drawing drawing(1);
  constexpr int64_t kLeases = 4;
  for (int64_t i = 0; i < kLeases; ++i) Grant();
  for (int i = 0; i < 1500; ++i) {
    if (i % 300 == 299) Compact();
    if (i % 400 == 399) Revoke(1001 + i / 400);
    if (i % 400 == 0) KeepAlive(1001 + i / 500);
    if (drawing.random().Chance(0.2)) {
      ExpectSame(drawing.Range(fake_));
    } else {
      ExpectSame(drawing.Txn(fake_, kLeases, 2));
    }
    if (HasFailure()) return;
  }
  for (const auto code : {absl::StatusCode::kOk, absl::StatusCode::kInvalidArgument,
                          absl::StatusCode::kNotFound, absl::StatusCode::kOutOfRange}) {
    EXPECT_GE(outcomes_[code], 5) << code;
  }
}

TEST_F(FakeEtcdTest, TellsWatchesOfTheSame) {
  Drawing drawing(2);
  Grant();
  for (int i = 0; i < 300; ++i) {
    ExpectSame(drawing.Txn(fake_, 1, 1));
    if (i != 150) continue;
    TxnRequest change;
    change.add_success()->mutable_request_put()->set_key("k1");
    change.add_success()->mutable_request_put()->set_key("k2");
    ExpectSame(change);
    change.mutable_success(1)->mutable_request_delete_range()->set_key("k2");
    ExpectSame(change);
    Compact();  // of the last revision one thing is a deletion
  }
  TxnRequest last;
  last.add_success()->mutable_request_put()->set_key(kLast);
  ExpectSame(last);
  for (const int64_t from :
       {fake_.compacted(), fake_.compacted() + 1, fake_.compacted() + 20, fake_.revision()}) {
    std::vector<std::string> events;
    const std::optional<size_t> first = fake_.EventsFrom(from);
    ASSERT_TRUE(first.has_value());
    for (size_t i = *first; i < fake_.end_of_events(); ++i) {
      if (!fake_.IsForgotten(fake_.event(i))) events.push_back(Plain(fake_.event(i)));
    }
    EXPECT_EQ(WatchReal(from).events, events) << from;
  }
  EXPECT_EQ(fake_.EventsFrom(fake_.compacted() - 1), std::nullopt);
  EXPECT_EQ(WatchReal(fake_.compacted() - 1).compacted, fake_.compacted());
}

TEST_F(FakeEtcdTest, TakesAsManyOperationsAsEtcd) {
  for (const int count : {FakeEtcd::kMaxOps, FakeEtcd::kMaxOps + 1}) {
    TxnRequest request;
    for (int i = 0; i < count; ++i) request.add_success()->mutable_request_range()->set_key("k1");
    ExpectSame(request);
    TxnRequest outer;
    *outer.add_success()->mutable_request_txn() = request;
    ExpectSame(outer);
  }
  EXPECT_EQ(outcomes_[absl::StatusCode::kOk], 1);
}

TEST(FakeEtcdLeases, EndWithTheirKeys) {
  FakeEtcd etcd;
  const int64_t lease = etcd.Grant(5, absl::Seconds(1)).id();
  TxnRequest request;
  request.add_success()->mutable_request_put()->set_key("k");
  request.mutable_success(0)->mutable_request_put()->set_lease(lease);
  ASSERT_TRUE(etcd.Txn(request).ok());
  EXPECT_TRUE(etcd.KeepAlive(lease, absl::Seconds(4)).ok());
  etcd.EndLeases(absl::Seconds(8));
  EXPECT_NE(etcd.Find("k"), nullptr);
  etcd.EndLeases(absl::Seconds(9));
  EXPECT_EQ(etcd.Find("k"), nullptr);
  EXPECT_EQ(etcd.revision(), 3);
  EXPECT_EQ(etcd.KeepAlive(lease, absl::Seconds(9)).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace wormhole::simulation
