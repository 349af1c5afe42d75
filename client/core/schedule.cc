#include "client/core/schedule.h"

#include <algorithm>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace wormhole::core {
namespace {

constexpr absl::Duration kShortestInterval = absl::Milliseconds(10);
constexpr absl::Duration kLongest = absl::Hours(24 * 366);
constexpr size_t kMaxEntries = 1000;
constexpr std::string_view kExample = "write it as seconds:interval pairs, for example 0:0.5,60:5";

absl::Status Invalid(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the schedule ", absl::string_view(what.data(), what.size())));
}

// Takes 1 to 9 digits from the front of `text`.
bool TakeDigits(std::string_view& text, std::string_view& digits) {
  size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  if (n == 0 || n > 9) return false;
  digits = text.substr(0, n);
  text.remove_prefix(n);
  return true;
}

int64_t Number(std::string_view digits) {
  int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Takes "12" or "0.25" (seconds, up to nine decimals) from the front of `text`. By hand, because a
// double would not give the same value back after formatting.
bool TakeSeconds(std::string_view& text, absl::Duration& out) {
  std::string_view digits;
  if (!TakeDigits(text, digits)) return false;
  out = absl::Seconds(Number(digits));
  if (text.empty() || text.front() != '.') return true;
  text.remove_prefix(1);
  if (!TakeDigits(text, digits)) return false;
  int64_t nanos = Number(digits);
  for (size_t i = digits.size(); i < 9; ++i) nanos *= 10;
  out += absl::Nanoseconds(nanos);
  return true;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::string FormatSeconds(absl::Duration duration) {
  const int64_t nanos = absl::ToInt64Nanoseconds(duration);
  std::string text = absl::StrCat(nanos / 1'000'000'000);
  std::string decimals = absl::StrCat(absl::Dec(nanos % 1'000'000'000, absl::kZeroPad9));
  while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
  if (!decimals.empty()) absl::StrAppend(&text, ".", decimals);
  return text;
}

}  // namespace

absl::Status CheckSchedule(const Schedule& schedule) {
  if (schedule.empty()) return Invalid("is empty; give at least one entry, for example 0:0.5");
  if (schedule.size() > kMaxEntries) return Invalid("has more than 1000 entries");
  if (schedule.front().when != absl::ZeroDuration()) return Invalid("must begin at second 0");
  for (size_t i = 0; i < schedule.size(); ++i) {
    const ScheduleEntry& entry = schedule[i];
    if (i > 0 && entry.when <= schedule[i - 1].when) {
      return Invalid("is not sorted: each entry must begin later than the one before");
    }
    if (entry.interval < kShortestInterval) return Invalid("has an interval below 10 ms");
    if (entry.interval > kLongest || entry.when > kLongest) {
      return Invalid("has a time above 366 days");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Schedule> ParseSchedule(std::string_view text) {
  Schedule schedule;
  do {
    ScheduleEntry entry;
    if (schedule.size() >= kMaxEntries) return Invalid("has more than 1000 entries");
    if (!TakeSeconds(text, entry.when) || !TakeChar(text, ':') ||
        !TakeSeconds(text, entry.interval)) {
      return Invalid(absl::StrCat("cannot be read; ", absl::string_view(kExample.data())));
    }
    schedule.push_back(entry);
  } while (TakeChar(text, ','));
  if (!text.empty()) {
    return Invalid(absl::StrCat("cannot be read; ", absl::string_view(kExample.data())));
  }
  if (absl::Status status = CheckSchedule(schedule); !status.ok()) return status;
  return schedule;
}

std::string FormatSchedule(const Schedule& schedule) {
  std::string text;
  for (const ScheduleEntry& entry : schedule) {
    absl::StrAppend(&text, text.empty() ? "" : ",", FormatSeconds(entry.when), ":",
                    FormatSeconds(entry.interval));
  }
  return text;
}

absl::Duration NextInterval(const Schedule& schedule, absl::Duration elapsed, double unit) {
  const auto next = std::upper_bound(
      schedule.begin(), schedule.end(), elapsed,
      [](absl::Duration at, const ScheduleEntry& entry) { return at < entry.when; });
  const ScheduleEntry& entry = next == schedule.begin() ? *next : *(next - 1);
  const absl::Duration interval = entry.interval * (0.9 + 0.2 * unit);
  if (next == schedule.end() || next == schedule.begin()) return interval;
  return std::min(interval, next->when - elapsed);
}

}  // namespace wormhole::core
