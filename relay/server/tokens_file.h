// --tokens-file, read again while the relay runs.
#ifndef WORMHOLE_RELAY_SERVER_TOKENS_FILE_H_
#define WORMHOLE_RELAY_SERVER_TOKENS_FILE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/sync/mutex.h"
#include "relay/admission/token_list.h"

namespace wormhole::relay {

// Thread-safe.
class TokensFile final : public TokenJudge {
 public:
  // How many grants are in effect from now on, or why those from before stay.
  using Teller = std::function<void(const absl::StatusOr<size_t>& grants)>;

  // INVALID_ARGUMENT, one line that names flag, file and line, when the file cannot be used: it
  // cannot be read or is no regular file, everybody may write to it, or it is no TokenList. That
  // others may read it is no reason: who has a hash has no token. `teller` is called now
  // and by Poll.
  static absl::StatusOr<std::unique_ptr<TokensFile>> Open(std::string path, Teller teller);

  TokenVerdict Judge(const std::optional<TokenHash>& presented, TokenUse use,
                     std::string_view app_id) const override;

  // Reads the file, by its name: another file may have that by now, as when Kubernetes renews a
  // Secret. New content takes effect when two polls in a row have read the same, so that half of a
  // file that is being written does not; the times of a file could not tell. A file that cannot be
  // used changes nothing, and is told once. Blocks on the disk. From one thread at a time.
  void Poll() WORMHOLE_EXCLUDES(mutex_);

 private:
  TokensFile(std::string path, Teller teller, std::string content, TokenList list);

  // Of the file, or why there is none.
  using Content = absl::StatusOr<std::string>;
  static Content Read(const std::string& path);
  static absl::Status WithName(const std::string& path, const absl::Status& status);
  static bool Same(const Content& one, const Content& other);

  const std::string path_;
  const Teller teller_;
  // Of the thread that polls. No secrets: hashes.
  Content last_seen_;
  Content last_told_;

  mutable sync::Mutex mutex_;
  std::shared_ptr<const TokenList> list_ WORMHOLE_GUARDED_BY(mutex_);  // never null
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SERVER_TOKENS_FILE_H_
