#include "tests/end_to_end/secret_search.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace wormhole::testing {
namespace {

constexpr size_t kWindow = 8;
constexpr size_t kBase64Window = 9;  // twelve characters

// Each byte alike: as `format` of printf has it, with `between` between two.
struct ByteForm {
  const char* name;
  const char* format;
  const char* between;
};
constexpr ByteForm kByteForms[] = {
    {"hexadecimal", "%02x", ""},
    {"hexadecimal", "%02X", ""},
    {"hexadecimal", "%02x", " "},
    {"hexadecimal", "%02X", " "},
    {"hexadecimal", "%02x", ":"},
    {"hexadecimal", "%02X", ":"},
    {"hexadecimal", "0x%02x", ", "},
    {"hexadecimal escapes", "\\x%02x", ""},
    {"hexadecimal escapes", "\\x%02X", ""},
    {"JSON's escapes", "\\u00%02x", ""},
    {"JSON's escapes", "\\u00%02X", ""},
    {"octal escapes", "\\%03o", ""},
    {"decimal escapes", "\\%03u", ""},
    {"percent signs", "%%%02X", ""},
    {"percent signs", "%%%02x", ""},
    {"numbers", "%u", ","},
    {"numbers", "%u", ", "},
    {"numbers", "%u", " "},
};

std::string Write(const ByteForm& form, std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (!text.empty()) text += form.between;
    char written[16];
    snprintf(written, sizeof(written), form.format, static_cast<unsigned>(c & 0xff));
    text += written;
  }
  return text;
}

// Those that leave printable bytes as they are.
std::string WithPercentSigns(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    text += plain ? std::string(1, c) : Write({"", "%%%02X", ""}, {&c, 1});
  }
  return text;
}

uint64_t BeginningOf(std::string_view text) {
  uint64_t beginning = 0;
  std::memcpy(&beginning, text.data(), sizeof(beginning));
  return beginning;
}

}  // namespace

void SecretSearch::Add(const std::string& name, std::string_view secret) {
  const size_t width = std::min(kWindow, secret.size());
  for (size_t at = 0; at + width <= secret.size(); ++at) {
    const absl::string_view window(secret.data() + at, width);
    AddNeedle(std::string(window), name + " as it is");
    for (const ByteForm& form : kByteForms) {
      AddNeedle(Write(form, {window.data(), window.size()}), name + " as " + form.name);
    }
    AddNeedle(absl::CEscape(window), name + " as C's octal escapes");
    AddNeedle(absl::CHexEscape(window), name + " as C's hexadecimal escapes");
    AddNeedle(WithPercentSigns({window.data(), window.size()}), name + " as percent signs");
  }
  for (size_t at = 0; at + kBase64Window <= secret.size(); ++at) {
    const absl::string_view window(secret.data() + at, kBase64Window);
    AddNeedle(absl::Base64Escape(window), name + " as base64");
    AddNeedle(absl::WebSafeBase64Escape(window), name + " as base64");
  }
}

void SecretSearch::AddNeedle(const std::string& needle, const std::string& found_as) {
  if (!needles_.try_emplace(needle, names_.size()).second) return;
  if (names_.empty() || names_.back() != found_as) names_.push_back(found_as);
  needles_[needle] = names_.size() - 1;
  if (needle.size() < sizeof(uint64_t)) return short_.push_back(needle);
  beginnings_.insert(BeginningOf(needle));
  lengths_.insert(needle.size());
}

std::set<std::string> SecretSearch::FindIn(std::string_view text) const {
  std::set<std::string> found;
  for (size_t at = 0; at + sizeof(uint64_t) <= text.size(); ++at) {
    if (!beginnings_.contains(BeginningOf(text.substr(at)))) continue;
    for (const size_t length : lengths_) {
      const auto needle = needles_.find(std::string(text.substr(at, length)));
      if (needle != needles_.end()) found.insert(names_[needle->second]);
    }
  }
  for (const std::string& needle : short_) {
    if (text.find(needle) != std::string_view::npos) found.insert(names_[needles_.at(needle)]);
  }
  return found;
}

}  // namespace wormhole::testing
