// The transaction of a batch that changes one channel. Pure.
#ifndef WORMHOLE_RELAY_STORE_ETCD_WRITE_TXN_H_
#define WORMHOLE_RELAY_STORE_ETCD_WRITE_TXN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "relay/store/etcd/channel_txn.h"

namespace wormhole::relay {

class WriteTxn final : public ChannelTxn {
 public:
  // The first of `calls` is one that writes. See PlanTxn.
  static std::unique_ptr<WriteTxn> Plan(const TxnContext& context, const ChannelKey& key,
                                        const ChannelState& state, const EtcdCalls& calls,
                                        size_t max_bytes, std::optional<absl::Time>& missing_lease);

  bool Finish(const etcdserverpb::TxnResponse& response, int64_t revision, ChannelState& state,
              EtcdCalls& calls, EtcdAnswers& answers) override;
  bool writes() const override { return true; }
  RoleSet attached() const override { return attached_; }

 private:
  using Result = std::variant<std::monostate, PutOutcome, AppendResult, absl::StatusOr<LogState>>;

  struct NewFrame {
    Role author;
    uint64_t number;
    const std::string* frame;  // of the call, which stays in the queue
  };

  WriteTxn(const TxnContext& context, ChannelKey key, const ChannelState& state)
      : ChannelTxn(context, std::move(key)), before_(state), after_(state) {}

  // Carries the call out on after_; false when it has to wait for another transaction.
  bool Do(const EtcdCall& call, size_t max_bytes);
  bool DoPut(const PutCall& call);
  // Whether the call may join those before it: it is not refused for a reason of its own.
  bool MayFollow(const PutCall& call) const;
  void ApplyOptions(const PutOptions& options);
  bool DoErase(const EraseCall& call);
  bool DoAppend(const AppendCall& call, size_t max_bytes);
  void AddFrame(const AppendCall& call, bool keep);
  void DoAccept(const AcceptCall& call);
  void RaiseCursor(Role author, uint64_t accepted);
  void DoPresence(const PresenceCall& call);
  // Whether another relay's stream of the side is newer than the call's.
  bool IsOlder(const PresenceCall& call) const;
  void DropStates();
  bool WritesRecord() const;

  // False when the lease is missing.
  bool Write(const EtcdCalls& calls, std::optional<absl::Time>& missing_lease);
  absl::Time LastsUntil() const;
  void WriteConditions();
  void AddReadBack();
  void WriteNoStates();
  void WriteLogs(int64_t lease);
  void WritePresence();
  void WriteRecord(int64_t lease);
  void WriteSides(const PutCall* put, int64_t lease);
  void AddPut(std::string key, std::string value, int64_t lease);
  void AddDelete(std::string key, std::string end);

  // The record's call is answered, if the refusal tells how.
  bool FinishRefusedPut(const etcdserverpb::TxnResponse& response, const ChannelState& read,
                        EtcdCalls& calls, EtcdAnswers& answers);
  void Answer(EtcdCall& call, Result& result, const ChannelState& state, EtcdAnswers& answers);
  void TakeWritten(int64_t revision, ChannelState& state) const;
  void TakeReadBack(const etcdserverpb::TxnResponse& response, int64_t revision,
                    ChannelState& state) const;
  // Whether a side of the record is another channel's, or rests. Notes those that may be taken
  // over.
  bool IsSideTaken(const etcdserverpb::TxnResponse& response, PutCall& put) const;

  const ChannelState before_;
  ChannelState after_;
  std::vector<Result> results_;
  std::vector<NewFrame> frames_;
  size_t frame_bytes_ = 0;
  bool reads_back_ = false;      // the state that it has written, and what others wrote before it
  int read_back_index_ = 0;      // of that read among the operations
  bool record_changed_ = false;  // by the last call
  bool drops_states_ = false;
  RoleSet log_judged_, log_changed_, cursor_changed_;
  RoleSet presence_judged_, presence_changed_, arrives_;
  int64_t record_lease_ = 0;  // under which the record is written
  RoleSet attached_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_ETCD_WRITE_TXN_H_
