#include "relay/config/flag_values.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/wire/app_id.h"
#include "proto/wire/utf8.h"
#include "relay/config/socket_address.h"

namespace wormhole::relay {
namespace {

// By LogChoice::Level.
constexpr std::string_view kLogLevels[] = {"debug", "info", "warn", "error"};

constexpr size_t kMaxMotdBytes = 1000;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

// One to ten digits: no value here has more, and SimpleAtoi takes blanks and signs too.
bool AllDigits(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Whether `text` is UTF-8 (RFC 3629) without control characters other than a line feed.
bool IsPlainText(std::string_view text) {
  while (!text.empty()) {
    const std::optional<uint32_t> rune = wire::TakeCodePoint(text);
    if (!rune) return false;
    if ((*rune < 0x20 && *rune != '\n') || (*rune >= 0x7f && *rune < 0xa0)) return false;
  }
  return true;
}

bool IsHostPort(std::string_view text, uint32_t min_port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.find('/') != std::string_view::npos ||
      !std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; }) ||
      !ReadNumber(text.substr(colon + 1), min_port, 65535).ok()) {
    return false;
  }
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
  return bracketed || host.find_first_of(":[]") == std::string_view::npos;
}

bool IsSocket(std::string_view text) {
  const std::string path = SocketPath(text);
  return !path.empty() && FitsSocketAddress(path) && !path.ends_with('/') &&
         !path.starts_with("//") &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

absl::StatusOr<bool> ReadBool(std::string_view text) {
  bool value = false;
  if (text == "on") return true;
  if (text == "off") return false;
  if (absl::SimpleAtob(View(text), &value)) return value;
  return absl::InvalidArgumentError("should be true or false");
}

absl::StatusOr<uint32_t> ReadNumber(std::string_view text, uint32_t min, uint32_t max) {
  uint64_t value = 0;
  if (AllDigits(text) && absl::SimpleAtoi(View(text), &value) && value >= min && value <= max) {
    return static_cast<uint32_t>(value);
  }
  return absl::InvalidArgumentError(absl::StrCat("should be a number from ", min, " to ", max));
}

absl::StatusOr<absl::Duration> ReadDuration(std::string_view text, absl::Duration min,
                                            absl::Duration max) {
  absl::Duration value;
  bool read = false;
  if (!text.empty() && text.back() == 'd' && AllDigits(text.substr(0, text.size() - 1))) {
    int64_t days = 0;
    read = absl::SimpleAtoi(View(text.substr(0, text.size() - 1)), &days);
    value = absl::Hours(24) * days;
  } else {
    read = absl::ParseDuration(View(text), &value);
  }
  if (read && value >= min && value <= max) return value;
  return absl::InvalidArgumentError(
      absl::StrCat("should be a time with a unit, such as 90s, 5m, 1h or 7d, from ",
                   WriteDuration(min), " to ", WriteDuration(max)));
}

std::string WriteDuration(absl::Duration duration) {
  constexpr absl::Duration kDay = absl::Hours(24);
  if (duration >= kDay && duration % kDay == absl::ZeroDuration()) {
    return absl::StrCat(duration / kDay, "d");
  }
  if (duration == absl::ZeroDuration()) return "0s";
  return absl::FormatDuration(duration);
}

absl::Status ReadStore(std::string_view text, StoreChoice& store) {
  constexpr std::string_view kSqlite = "sqlite:";
  constexpr std::string_view kEtcd = "etcd:";
  if (text == "memory") {
    store.kind = StoreChoice::Kind::kMemory;
    return absl::OkStatus();
  }
  if (text.starts_with(kSqlite) && text.size() > kSqlite.size()) {
    store.kind = StoreChoice::Kind::kSqlite;
    store.path = std::string(text.substr(kSqlite.size()));
    return absl::OkStatus();
  }
  if (text.starts_with(kEtcd)) {
    std::vector<std::string> endpoints = absl::StrSplit(View(text.substr(kEtcd.size())), ',');
    if (std::ranges::all_of(endpoints, [](const auto& one) { return IsHostPort(one, 1); })) {
      store.kind = StoreChoice::Kind::kEtcd;
      store.etcd.endpoints = std::move(endpoints);
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      "should be memory, sqlite:FILE or etcd:HOST:PORT[,HOST:PORT...]");
}

std::string WriteStore(const StoreChoice& store) {
  switch (store.kind) {
    case StoreChoice::Kind::kMemory:
      return "memory";
    case StoreChoice::Kind::kSqlite:
      return "sqlite:" + store.path;
    case StoreChoice::Kind::kEtcd:
      break;
  }
  return "etcd:" + absl::StrJoin(store.etcd.endpoints, ",");
}

absl::StatusOr<std::string> ReadEtcdPrefix(std::string_view text) {
  constexpr size_t kMaxBytes = 255;
  const bool plain = std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (plain && text.ends_with('/') && text.size() <= kMaxBytes) return std::string(text);
  return absl::InvalidArgumentError(absl::StrCat(
      "should be 1 to ", kMaxBytes, " bytes without control characters, the last of them /"));
}

absl::StatusOr<std::string> ReadListen(std::string_view text) {
  if (IsHostPort(text, 0) || IsSocket(text)) return std::string(text);
  return absl::InvalidArgumentError(
      "should be ADDRESS:PORT, such as 127.0.0.1:47180 or [::]:47180, or unix:PATH of at most 107 "
      "bytes; port 0 lets the system pick");
}

absl::StatusOr<std::string> ReadListenOrOff(std::string_view text) {
  if (text == "off") return std::string();
  if (IsHostPort(text, 0)) return std::string(text);
  return absl::InvalidArgumentError(
      "should be ADDRESS:PORT, such as 127.0.0.1:9090 or [::]:9090, or off");
}

absl::StatusOr<std::vector<std::string>> ReadApps(std::string_view text) {
  constexpr size_t kMost = 100;
  std::vector<std::string> apps = absl::StrSplit(View(text), ',');
  const std::set<std::string> different(apps.begin(), apps.end());
  const bool good =
      std::ranges::all_of(apps, [](const std::string& app) { return wire::CheckAppId(app).ok(); });
  if (good && different.size() == apps.size() && apps.size() <= kMost) return apps;
  return absl::InvalidArgumentError(
      absl::StrCat("should be at most ", kMost,
                   " different app-ids with commas between them, such as "
                   "example.com/app1,example.com/app2"));
}

absl::StatusOr<MinDigits> ReadMinDigits(std::string_view text) {
  constexpr size_t kMost = 100;
  MinDigits digits;
  std::set<std::string> seen;
  for (const absl::string_view part : absl::StrSplit(View(text), ',')) {
    const size_t equals = part.rfind('=');
    const bool named = equals != absl::string_view::npos;
    const std::string app_id(named ? part.substr(0, equals) : "");
    const absl::string_view number = named ? part.substr(equals + 1) : part;
    const auto read = ReadNumber({number.data(), number.size()}, 1, kMaxIdDigits);
    const bool good = read.ok() && (!named || wire::CheckAppId(app_id).ok());
    if (!good || !seen.insert(app_id).second || digits.of_app.size() == kMost) {
      return absl::InvalidArgumentError(absl::StrCat(
          "should be a number from 1 to ", kMaxIdDigits, ", and APP-ID=N for at most ", kMost,
          " different app-ids, with commas between them, such as 2,", "example.com/app1=4"));
    }
    (named ? digits.of_app[app_id] : digits.otherwise) = static_cast<int>(*read);
  }
  return digits;
}

std::string WriteMinDigits(const MinDigits& digits) {
  std::string text = absl::StrCat(digits.otherwise);
  for (const auto& [app_id, number] : digits.of_app) {
    absl::StrAppend(&text, ",", app_id, "=", number);
  }
  return text;
}

absl::StatusOr<std::vector<net::Network>> ReadNetworks(std::string_view text) {
  constexpr size_t kMost = 100;
  std::vector<net::Network> networks;
  for (const absl::string_view part : absl::StrSplit(View(text), ',')) {
    const std::optional<net::Network> network = net::Network::Parse({part.data(), part.size()});
    // The relay looks for a client's IPv4 address, which ::ffff:10.0.0.0/104 never contains.
    const bool mapped = network && network->address.Unmapped() != network->address;
    if (!network || mapped || networks.size() == kMost) {
      return absl::InvalidArgumentError(
          absl::StrCat("should be networks or addresses, at most ", kMost,
                       ", with commas between them, such as 10.0.0.5,2001:db8::/32; IPv4 as "
                       "10.0.0.5, not ::ffff:10.0.0.5"));
    }
    networks.push_back(*network);
  }
  return networks;
}

std::string WriteNetworks(const std::vector<net::Network>& networks) {
  std::vector<std::string> parts;
  for (const net::Network& network : networks) {
    parts.push_back(absl::StrCat(network.address.ToString(), "/", network.bits));
  }
  return absl::StrJoin(parts, ",");
}

absl::StatusOr<LogChoice::Format> ReadLogFormat(std::string_view text) {
  if (text == "text") return LogChoice::Format::kText;
  if (text == "json") return LogChoice::Format::kJson;
  return absl::InvalidArgumentError("should be text or json");
}

std::string WriteLogFormat(LogChoice::Format format) {
  return format == LogChoice::Format::kJson ? "json" : "text";
}

absl::StatusOr<LogChoice::Level> ReadLogLevel(std::string_view text) {
  for (size_t level = 0; level < std::size(kLogLevels); ++level) {
    if (text == kLogLevels[level]) return static_cast<LogChoice::Level>(level);
  }
  return absl::InvalidArgumentError("should be debug, info, warn or error");
}

std::string WriteLogLevel(LogChoice::Level level) {
  return std::string(kLogLevels[static_cast<size_t>(level)]);
}

absl::StatusOr<std::string> ReadMotd(std::string_view text) {
  if (text.size() <= kMaxMotdBytes && IsPlainText(text)) return std::string(text);
  return absl::InvalidArgumentError(absl::StrCat(
      "should be at most ", kMaxMotdBytes, " bytes of UTF-8 text without control characters"));
}

}  // namespace wormhole::relay
