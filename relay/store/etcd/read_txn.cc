#include "relay/store/etcd/read_txn.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/memory/memory.h"
#include "relay/channel/log_rules.h"
#include "relay/store/store_away.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;

// Of one Read, and of one transaction.
constexpr int kMaxFrames = 64;
constexpr size_t kMaxCalls = 8;
// Each time something else had happened in between.
constexpr int kMaxAttempts = 32;

// How many frames with numbers above `after` have `max_bytes` in all: at least one.
int CountFrames(const ChannelState& state, Role author, uint64_t after, size_t max_bytes,
                size_t& bytes) {
  const auto& log = state.logs[author].value;
  int count = 0;
  if (log) {
    uint64_t number = log->stored - std::min<uint64_t>(log->stored, log->last.size());
    for (const EtcdFrame& frame : log->last) {
      if (++number <= after) continue;
      if (count == kMaxFrames || (count > 0 && bytes + frame.size > max_bytes)) break;
      bytes += frame.size;
      ++count;
    }
  }
  return std::max(count, 1);
}

// The frame with this number, from the log itself or from those that were read.
std::optional<std::string> FrameOf(const EtcdLog& log, uint64_t number,
                                   const std::map<uint64_t, std::string>& read) {
  const EtcdFrame* const frame = log.Find(number);
  if (frame != nullptr && !frame->frame.empty()) return frame->frame;
  const auto found = read.find(number);
  if (found == read.end()) return std::nullopt;
  return found->second;
}

std::vector<StoredFrame> ReadFrames(const EtcdKeys& keys, const RangeResponse& range,
                                    const ReadCall& call, const ChannelState& state) {
  std::vector<StoredFrame> frames;
  const auto& log = state.logs[call.author].value;
  if (!log || !state.IsOf(call.channel)) return frames;
  std::map<uint64_t, std::string> read;
  for (const etcdserverpb::KeyValue& kv : range.kvs()) {
    const auto place = keys.Parse(kv.key());
    std::optional<std::string> frame = ReadFrame(kv.value());
    if (place && frame) read.emplace(place->number, *std::move(frame));
  }
  size_t bytes = 0;
  uint64_t number = std::max(call.after, state.LogOf(call.author).forgotten);
  while (number < log->stored) {
    std::optional<std::string> frame = FrameOf(*log, ++number, read);
    if (!frame) break;
    bytes += frame->size();
    if (!frames.empty() && bytes > call.max_bytes) break;
    frames.push_back({.number = number, .frame = *std::move(frame)});
  }
  return frames;
}

// Of an append whose number is stored already, as the state is now; nothing when it has to be
// planned again.
std::optional<AppendResult> Compare(const RangeResponse& range, const AppendCall& call,
                                    const ChannelState& state) {
  if (!state.IsOf(call.channel) || state.version() != call.version) {
    return AppendResult{.outcome = AppendOutcome::kStale};
  }
  const LogState log = state.LogOf(call.author);
  switch (JudgeAppend(log, call.number)) {
    case AppendStep::kDone:
      return AppendResult{.log = log};
    case AppendStep::kCompare:
      break;
    case AppendStep::kGap:
    case AppendStep::kCount:
    case AppendStep::kKeep:
      return std::nullopt;
  }
  const EtcdFrame* const kept = state.logs[call.author].value->Find(call.number);
  const bool here = kept != nullptr && !kept->frame.empty();
  const bool same = here ? kept->frame == call.frame
                         : range.kvs_size() == 1 && ReadFrame(range.kvs(0).value()) == call.frame;
  return AppendResult{.outcome = same ? AppendOutcome::kDone : AppendOutcome::kConflict,
                      .log = log};
}

}  // namespace

std::unique_ptr<ReadTxn> ReadTxn::Plan(const TxnContext& context, const ChannelKey& key,
                                       const ChannelState* state, const EtcdCalls& calls) {
  auto txn = absl::WrapUnique(new ReadTxn(context, key));
  txn->AddStateReads(txn->request_.mutable_success());
  for (const EtcdCall& call : calls) {
    if (txn->taken_ == kMaxCalls || !txn->Add(state, call)) break;
    ++txn->taken_;
  }
  return txn;
}

bool ReadTxn::Reads(const ChannelState& state, const EtcdCall& call) {
  if (std::holds_alternative<LoadCall>(call.what)) return true;
  if (std::holds_alternative<ReadCall>(call.what)) return true;
  const auto* const append = std::get_if<AppendCall>(&call.what);
  if (append == nullptr) return false;
  if (!state.IsOf(append->channel) || state.version() != append->version) return false;
  return JudgeAppend(state.LogOf(append->author), append->number) == AppendStep::kCompare;
}

bool ReadTxn::Add(const ChannelState* state, const EtcdCall& call) {
  if (std::holds_alternative<LoadCall>(call.what)) return true;
  const EtcdKeys& keys = *context_.keys;
  if (state == nullptr || !Reads(*state, call)) return false;
  if (const auto* read = std::get_if<ReadCall>(&call.what)) {
    RangeRequest* const range = request_.add_success()->mutable_request_range();
    const uint64_t first = std::max(read->after, state->LogOf(read->author).forgotten);
    range->set_key(keys.Frame(key_, read->author, first) + '\0');
    range->set_range_end(keys.Frame(key_, read->author, UINT64_MAX) + '\0');
    range->set_limit(CountFrames(*state, read->author, first, read->max_bytes, answer_bytes_));
    return true;
  }
  const auto* const append = std::get_if<AppendCall>(&call.what);
  request_.add_success()->mutable_request_range()->set_key(
      keys.Frame(key_, append->author, append->number));
  answer_bytes_ += append->frame.size();
  return true;
}

bool ReadTxn::Finish(const etcdserverpb::TxnResponse& response, int64_t revision,
                     ChannelState& state, EtcdCalls& calls, EtcdAnswers& answers) {
  // The state as it was read, whatever the watch has brought since.
  const ChannelState read = StateOf(response, revision);
  state.Merge(read);
  int next = 2;
  for (size_t i = 0; i < taken_; ++i) {
    EtcdCall& call = calls.front();
    if (auto* load = std::get_if<LoadCall>(&call.what)) {
      answers.push_back([done = std::move(load->done), read] { done(read); });
    } else if (auto* want = std::get_if<ReadCall>(&call.what)) {
      auto frames =
          ReadFrames(*context_.keys, response.responses(next++).response_range(), *want, read);
      answers.push_back([done = std::move(want->done), frames = std::move(frames)]() mutable {
        done(std::move(frames));
      });
    } else {
      auto& append = std::get<AppendCall>(call.what);
      auto result = Compare(response.responses(next++).response_range(), append, read);
      if (!result) {  // planned again, and what follows it too
        if (++call.attempts <= kMaxAttempts) return false;
        FailCall(call, StoreAway("other relays change the channel too often"), answers);
        calls.pop_front();
        return false;
      }
      answers.push_back([done = std::move(append.done), result = *result] { done(result); });
    }
    calls.pop_front();
  }
  return false;
}

}  // namespace wormhole::relay
