#include "relay/store/etcd/waiting_calls.h"

#include <utility>

namespace wormhole::relay {
namespace {

void FailSide(SideCall& call, const absl::Status& status, EtcdAnswers& answers) {
  answers.push_back([done = std::move(call.done), status] { done(status); });
}

}  // namespace

void WaitingCalls::Add(const ChannelKey& key, EtcdCall call) {
  const auto [entry, is_new] = calls_.try_emplace(key);
  entry->second.push_back(std::move(call));
  if (is_new) order_.push_back(key);
}

void WaitingCalls::Offer(const Take& take) {
  for (auto next = order_.begin(); next != order_.end();) {
    const ChannelKey key = *next;
    const auto calls = calls_.find(key);
    if (calls->second.empty()) {  // all of them have failed meanwhile
      calls_.erase(calls);
      next = order_.erase(next);
      continue;
    }
    size_t taken = 0;
    const Offered offered = take(key, calls->second, taken);
    if (offered == Offered::kEnd) return;
    if (offered == Offered::kWaits) {
      ++next;
      continue;
    }
    with_etcd_[key] = taken;
    next = order_.erase(next);
  }
}

void WaitingCalls::Return(const ChannelKey& key, bool first) {
  with_etcd_.erase(key);
  if (const auto calls = calls_.find(key); calls->second.empty()) {
    calls_.erase(calls);
  } else if (first) {
    order_.push_front(key);
  } else {
    order_.push_back(key);
  }
}

std::optional<SideCall> WaitingCalls::TakeSide() {
  if (sides_.empty()) return std::nullopt;
  SideCall call = std::move(sides_.front());
  sides_.pop_front();
  return call;
}

void WaitingCalls::FailAll(const absl::Status& status, EtcdAnswers& answers) {
  for (auto& [key, calls] : calls_) {
    for (EtcdCall& call : calls) FailCall(call, status, answers);
  }
  calls_.clear();
  order_.clear();
  for (SideCall& call : sides_) FailSide(call, status, answers);
  sides_.clear();
}

void WaitingCalls::FailChannel(const ChannelKey& key, const absl::Status& status,
                               EtcdAnswers& answers) {
  const auto calls = calls_.find(key);
  if (calls == calls_.end()) return;
  for (EtcdCall& call : calls->second) FailCall(call, status, answers);
  calls->second.clear();
}

void WaitingCalls::FailOverdue(absl::Duration now, absl::Duration patience,
                               absl::Duration creation_patience, const absl::Status& status,
                               EtcdAnswers& answers) {
  const auto is_overdue = [&](const EtcdCall& call) {
    const auto* put = std::get_if<PutCall>(&call.what);
    const bool creates = put != nullptr && put->expected == 0;
    return now - call.since >= (creates ? creation_patience : patience);
  };
  for (auto& [key, calls] : calls_) {
    const auto with_etcd = with_etcd_.find(key);
    const size_t first = with_etcd == with_etcd_.end() ? 0 : with_etcd->second;
    for (auto call = calls.begin() + static_cast<std::ptrdiff_t>(first); call != calls.end();) {
      if (!is_overdue(*call)) {
        ++call;
        continue;
      }
      FailCall(*call, status, answers);
      call = calls.erase(call);
    }
  }
  std::erase_if(sides_, [&](SideCall& call) {
    if (now - call.since < patience) return false;
    FailSide(call, status, answers);
    return true;
  });
}

}  // namespace wormhole::relay
