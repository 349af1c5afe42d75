#include "tests/faults/event_log.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace wormhole::faults {

EventLog::EventLog(const std::string& path)
    : file_(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {
  if (file_ >= 0) return;
  perror(path.c_str());
  abort();
}

EventLog::~EventLog() { close(file_); }

void EventLog::Add(std::string_view text) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const int64_t time = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  const std::string line =
      absl::StrCat(time, " ", absl::string_view(text.data(), text.size()), "\n");
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    perror("the event log");
    abort();
  }
  const std::scoped_lock lock(mutex_);
  ++lines_;
  added_.notify_all();
}

void EventLog::AwaitMore(uint64_t lines, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  added_.wait_for(lock, limit, [this, end = lines_ + lines] { return lines_ >= end; });
}

std::string HashOf(std::string_view bytes) {
  std::string hash(16, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                     0);
  return Hex(hash);
}

std::string Hex(std::string_view bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

}  // namespace wormhole::faults
