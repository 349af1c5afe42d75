#include "relay/monitor/log_line.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "relay/config/flag_values.h"

namespace wormhole::relay {
namespace {

// A pipe takes up to 4096 bytes as a whole.
constexpr size_t kMostBytes = 1024;

std::string_view Cut(std::string_view text) { return text.substr(0, kMostBytes); }

std::string WriteTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string Escaped(std::string_view text) {
  return absl::CHexEscape(absl::string_view(text.data(), text.size()));
}

bool IsPlain(std::string_view text) {
  constexpr std::string_view kSigns = "-_.:/,@+%[]";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           kSigns.find(c) != std::string_view::npos;
  });
}

struct TextValue {
  std::string operator()(const std::string& value) const {
    const std::string_view cut = Cut(value);
    return IsPlain(cut) ? std::string(cut) : "\"" + Escaped(cut) + "\"";
  }
  std::string operator()(uint64_t value) const { return absl::StrCat(value); }
  std::string operator()(double value) const { return absl::StrFormat("%.3f", value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
};

struct JsonValue {
  nlohmann::ordered_json operator()(const std::string& value) const {
    return std::string(Cut(value));
  }
  nlohmann::ordered_json operator()(double value) const { return std::round(value * 1e3) / 1e3; }
  template <typename T>
  nlohmann::ordered_json operator()(T value) const {
    return value;
  }
};

}  // namespace

std::string WriteTextLine(const LogLine& line) {
  const std::string_view message = Cut(line.message);
  const bool printable = std::ranges::all_of(
      message, [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
  std::string text = absl::StrCat(WriteTime(line.time), " ", WriteLogLevel(line.level), " ",
                                  printable ? std::string(message) : Escaped(message));
  for (const LogField& field : line.fields) {
    absl::StrAppend(&text, " ", absl::string_view(field.name.data(), field.name.size()), "=",
                    std::visit(TextValue{}, field.value));
  }
  text += '\n';
  return text;
}

std::string WriteJsonLine(const LogLine& line) {
  nlohmann::ordered_json object = {{"time", WriteTime(line.time)},
                                   {"level", WriteLogLevel(line.level)},
                                   {"message", std::string(Cut(line.message))}};
  for (const LogField& field : line.fields) {
    object[std::string(field.name)] = std::visit(JsonValue{}, field.value);
  }
  return object.dump(-1, ' ', /*ensure_ascii=*/true,
                     nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

}  // namespace wormhole::relay
