// How the value of a flag is read and written. Pure.
#ifndef WORMHOLE_RELAY_CONFIG_FLAG_VALUES_H_
#define WORMHOLE_RELAY_CONFIG_FLAG_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/net/address.h"
#include "relay/config/config.h"

namespace wormhole::relay {

// Each reader answers INVALID_ARGUMENT with what it wants instead ("should be ..."), without the
// flag's name, which the caller knows.

// `true`, `false`, and what YAML files make of them: 1, 0, yes, no, on, off.
absl::StatusOr<bool> ReadBool(std::string_view text);

// Decimal digits, within [min, max].
absl::StatusOr<uint32_t> ReadNumber(std::string_view text, uint32_t min, uint32_t max);

// A number with a unit, `90s`, `1h30m`, `7d`, within [min, max].
absl::StatusOr<absl::Duration> ReadDuration(std::string_view text, absl::Duration min,
                                            absl::Duration max);
// `7d`, `1h`, `20s`. ReadDuration reads it back.
std::string WriteDuration(absl::Duration duration);

// `memory`, `sqlite:FILE` or `etcd:HOST:PORT[,HOST:PORT...]`. Leaves alone what other flags set.
absl::Status ReadStore(std::string_view text, StoreChoice& store);
std::string WriteStore(const StoreChoice& store);

// `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; the port is a number from 0 to 65535.
absl::StatusOr<std::string> ReadListen(std::string_view text);

// `HOST:PORT`, `[IPV6]:PORT`, or `off`, which is empty.
absl::StatusOr<std::string> ReadListenOrOff(std::string_view text);

// App-ids with commas between them, at most 100, no two the same. An app-id that has a comma itself
// cannot be named.
absl::StatusOr<std::vector<std::string>> ReadApps(std::string_view text);

// `3`, `example.com/a=4`, or several of these with commas between them: a number alone is for the
// app-ids that are not named. At most one of those and 100 others, no two of the same app-id.
absl::StatusOr<MinDigits> ReadMinDigits(std::string_view text);
std::string WriteMinDigits(const MinDigits& digits);

// `10.0.0.0/8`, `2001:db8::/32`, or addresses, with commas between them, at most 100.
absl::StatusOr<std::vector<net::Network>> ReadNetworks(std::string_view text);
// Each with its bits. ReadNetworks reads it back.
std::string WriteNetworks(const std::vector<net::Network>& networks);

// `text` or `json`; `debug`, `info`, `warn` or `error`.
absl::StatusOr<LogChoice::Format> ReadLogFormat(std::string_view text);
std::string WriteLogFormat(LogChoice::Format format);
absl::StatusOr<LogChoice::Level> ReadLogLevel(std::string_view text);
std::string WriteLogLevel(LogChoice::Level level);

// 1 to 255 bytes without control characters, the last of them '/'.
absl::StatusOr<std::string> ReadEtcdPrefix(std::string_view text);

// At most 1,000 bytes of UTF-8 without control characters other than a line feed.
absl::StatusOr<std::string> ReadMotd(std::string_view text);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_CONFIG_FLAG_VALUES_H_
