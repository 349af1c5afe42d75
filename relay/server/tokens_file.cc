#include "relay/server/tokens_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "relay/accept/descriptor.h"

namespace wormhole::relay {
namespace {

absl::Status Unreadable(int error) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot be read: ", std::generic_category().message(error)));
}

absl::Status CheckKind(const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError("is no regular file");
  if ((info.st_mode & S_IWOTH) != 0) {
    return absl::InvalidArgumentError(
        "everybody may write to it, and give himself a token: `chmod o-w` it");
  }
  return absl::OkStatus();
}

// At most a byte more than a list may have.
absl::StatusOr<std::string> ReadUpToLimit(int fd) {
  std::string content(TokenList::kMaxBytes + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(fd, content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable(errno);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  content.resize(size);
  return content;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TokensFile>> TokensFile::Open(std::string path, Teller teller) {
  Content content = Read(path);
  if (!content.ok()) return WithName(path, content.status());
  absl::StatusOr<TokenList> list = TokenList::Parse(*content);
  if (!list.ok()) return WithName(path, list.status());
  teller(list->size());
  return std::unique_ptr<TokensFile>(
      new TokensFile(std::move(path), std::move(teller), *std::move(content), *std::move(list)));
}

TokensFile::TokensFile(std::string path, Teller teller, std::string content, TokenList list)
    : path_(std::move(path)),
      teller_(std::move(teller)),
      last_seen_(std::move(content)),
      last_told_(last_seen_),
      list_(std::make_shared<const TokenList>(std::move(list))) {}

TokenVerdict TokensFile::Judge(const std::optional<TokenHash>& presented, TokenUse use,
                               std::string_view app_id) const {
  std::shared_ptr<const TokenList> list;
  {
    sync::MutexLock lock(mutex_);
    list = list_;
  }
  return list->Judge(presented, use, app_id);
}

void TokensFile::Poll() {
  Content seen = Read(path_);
  std::swap(seen, last_seen_);
  if (!Same(last_seen_, seen) || Same(last_seen_, last_told_)) return;
  last_told_ = last_seen_;
  if (!last_told_.ok()) return teller_(WithName(path_, last_told_.status()));
  absl::StatusOr<TokenList> list = TokenList::Parse(*last_told_);
  if (!list.ok()) return teller_(WithName(path_, list.status()));
  const size_t grants = list->size();
  {
    sync::MutexLock lock(mutex_);
    list_ = std::make_shared<const TokenList>(*std::move(list));
  }
  teller_(grants);
}

// Without waiting at a pipe for somebody to write.
TokensFile::Content TokensFile::Read(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return Unreadable(errno);
  struct stat info = {};
  if (fstat(file.number(), &info) != 0) return Unreadable(errno);
  if (absl::Status kind = CheckKind(info); !kind.ok()) return kind;
  return ReadUpToLimit(file.number());
}

// The message of a list begins with the number of a line, if it is of one.
absl::Status TokensFile::WithName(const std::string& path, const absl::Status& status) {
  const absl::string_view message = status.message();
  const bool of_line = !message.empty() && message[0] >= '0' && message[0] <= '9';
  return absl::InvalidArgumentError(
      absl::StrCat("--tokens-file=", path, of_line ? ":" : ": ", message));
}

bool TokensFile::Same(const Content& one, const Content& other) {
  if (one.ok() != other.ok()) return false;
  return one.ok() ? *one == *other : one.status() == other.status();
}

}  // namespace wormhole::relay
