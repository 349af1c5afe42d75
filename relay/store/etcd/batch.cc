#include "relay/store/etcd/batch.h"

#include <algorithm>
#include <utility>

#include "relay/store/etcd/channel_state.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::Compare;
using etcdserverpb::PutRequest;
using etcdserverpb::TxnRequest;

// etcd's own limit, unless its operator has changed it.
constexpr int kMaxOperations = 128;

}  // namespace

size_t EtcdBatch::room() const {
  return static_cast<size_t>(
      std::max(0, (alone_ ? 1 : kMaxOperations / 2) - request_.success_size()));
}

size_t EtcdBatch::bytes_left() const { return kMaxBytes - std::min(kMaxBytes, bytes_); }

size_t EtcdBatch::things() const {
  return txns_.size() + sides_.size() + notices_.size() + presence_.size() + (clock_ ? 1 : 0);
}

size_t EtcdBatch::calls() const {
  size_t calls = sides_.size() + notices_.size();
  for (const auto& txn : txns_) calls += txn->taken();
  for (const PresenceUpdate& update : presence_) calls += update.txn->taken();
  return calls;
}

bool EtcdBatch::Add(std::unique_ptr<ChannelTxn>& txn) {
  const int operations = operations_ + txn->operations() + 1;
  const size_t bytes = bytes_ + txn->bytes();
  bool fits = operations <= kMaxOperations && bytes <= kMaxBytes;
  for (const std::string& key : txn->side_keys()) fits = fits && !side_keys_.contains(key);
  if (!fits && !txns_.empty()) return false;
  operations_ = operations;
  bytes_ = bytes;
  side_keys_.insert(txn->side_keys().begin(), txn->side_keys().end());
  writes_ |= txn->writes();
  *request_.add_success()->mutable_request_txn() = txn->TakeRequest();
  txns_.push_back(std::move(txn));
  return true;
}

void EtcdBatch::Add(SideCall call) {
  request_.add_success()->mutable_request_range()->set_key(call.key);
  sides_.push_back(std::move(call));
}

void EtcdBatch::Add(const ThirdPartyNotices::Notice& notice, std::string_view relay_id,
                    int64_t lease) {
  const auto& [key, value] = notice;
  TxnRequest* const txn = request_.add_success()->mutable_request_txn();
  Compare* const exists = txn->add_compare();
  exists->set_key(keys_->Record(key));
  exists->set_target(Compare::CREATE);
  exists->set_result(Compare::GREATER);
  exists->set_create_revision(0);
  PutRequest* const put = txn->add_success()->mutable_request_put();
  put->set_key(keys_->Notice(key));
  put->set_value(WriteNotice(value.third_parties, value.initiator, relay_id));
  put->set_lease(lease);
  writes_ = true;
  notices_.push_back(notice);
}

void EtcdBatch::Add(PresenceUpdate update) {
  writes_ |= update.txn->writes();
  *request_.add_success()->mutable_request_txn() = update.txn->TakeRequest();
  presence_.push_back(std::move(update));
}

void EtcdBatch::Add(const ClockSync::Update& update, std::string_view relay_id) {
  PutRequest* const put = request_.add_success()->mutable_request_put();
  put->set_key(keys_->Clock(relay_id));
  put->set_value(WriteClock(update.report, relay_id));
  put->set_lease(update.lease);
  writes_ = true;
  clock_ = update;
}

void EtcdBatch::AddProbe() {
  writes_ = true;
  Compare* const never = request_.add_compare();
  never->set_key(keys_->root());
  never->set_target(Compare::VERSION);
  never->set_result(Compare::LESS);
  never->set_version(0);
  request_.add_success()->mutable_request_put()->set_key(keys_->root());
  request_.add_failure()->mutable_request_range()->set_key(keys_->root());
}

// An etcd that is full refuses what writes, but does not look into nested transactions for it: this
// put shows it. The put is for the case that the batch's conditions do not hold, and there are
// none.
TxnRequest EtcdBatch::TakeRequest() {
  if (writes_ && request_.compare_size() == 0) {
    request_.add_failure()->mutable_request_put()->set_key(keys_->root());
  }
  return std::move(request_);
}

}  // namespace wormhole::relay
