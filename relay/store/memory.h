// A store that forgets everything when the process ends. The relay with it is as durable as its
// process: what clients had posted is gone with it, and they are told so when they resume.
#ifndef WORMHOLE_RELAY_STORE_MEMORY_H_
#define WORMHOLE_RELAY_STORE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "relay/channel.h"
#include "relay/store/commit_thread.h"
#include "relay/store/memory_channels.h"
#include "relay/store/store.h"

namespace wormhole::relay {

class MemoryStore final : public Store {
 public:
  MemoryStore();

  absl::Status ForEach(const std::function<void(const ChannelKey&, bool ended)>& visit) override;
  void Load(const ChannelKey& key, Done<std::optional<ChannelSnapshot>> done) override;
  void FindSide(std::string_view app_id, std::string_view side,
                Done<std::optional<uint32_t>> done) override;
  void Put(const ChannelKey& key, uint64_t expected, ChannelRecord record,
           Done<PutOutcome> done) override;
  void Erase(const ChannelKey& key, uint64_t expected, Done<PutOutcome> done) override;
  void Append(const ChannelKey& key, uint64_t version, Role author, uint64_t number,
              std::string frame, Done<AppendResult> done) override;
  void Accept(const ChannelKey& key, Role author, uint64_t cursor, Done<LogState> done) override;
  void Read(const ChannelKey& key, Role author, uint64_t after, size_t max_bytes,
            Done<std::vector<StoredFrame>> done) override;
  void Due(absl::Time now, size_t limit, Done<std::vector<ChannelKey>> done) override;

 private:
  // There is nothing to commit, and nothing can fail.
  class NoTransaction final : public BatchTarget {
    absl::Status Commit() override { return absl::OkStatus(); }
    void Rollback(const absl::Status& /*cause*/) override {}
    bool Full() const override { return false; }
  };

  MemoryChannels channels_;  // of the thread's, once it has a call
  NoTransaction target_;
  CommitThread thread_;  // last: it uses the others
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_STORE_MEMORY_H_
