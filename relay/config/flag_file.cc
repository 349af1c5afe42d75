#include "relay/config/flag_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace wormhole::relay {
namespace {

constexpr size_t kMostBytes = 1 << 20;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

std::string_view Stripped(std::string_view text) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(View(text));
  return {stripped.data(), stripped.size()};
}

absl::Status Wrong(int number, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(number, ": ", View(what)));
}

// Where the quotes that `text` begins with end; npos when they do not.
size_t EndOfQuotes(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

absl::StatusOr<std::string> ReadValue(std::string_view text, int number) {
  if (!text.starts_with('"')) return std::string(text);
  const size_t end = EndOfQuotes(text);
  if (end == std::string_view::npos) return Wrong(number, "the quotes are not closed");
  const std::string_view rest = Stripped(text.substr(end + 1));
  if (!rest.empty() && !rest.starts_with('#')) {
    return Wrong(number, "nothing but a comment may stand behind a value in quotes");
  }
  std::string value;
  if (!absl::CUnescape(View(text.substr(1, end - 1)), &value)) {
    return Wrong(number, "an escape in the quotes is none of C's");
  }
  return value;
}

}  // namespace

absl::StatusOr<std::vector<FlagLine>> ParseFlagFile(std::string_view text) {
  std::vector<FlagLine> lines;
  // Some editors put a byte order mark before the first line.
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = Stripped(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("--")) line.remove_prefix(2);
    const size_t equals = line.find('=');
    FlagLine flag{.number = number, .name = std::string(Stripped(line.substr(0, equals)))};
    if (equals != std::string_view::npos) {
      absl::StatusOr<std::string> value = ReadValue(Stripped(line.substr(equals + 1)), number);
      if (!value.ok()) return value.status();
      if (value->find('\0') != std::string::npos) return Wrong(number, "a value holds a NUL");
      flag.value = *std::move(value);
    }
    lines.push_back(std::move(flag));
  }
  return lines;
}

std::string QuoteFlagValue(std::string_view value) {
  return "\"" + absl::Utf8SafeCEscape(View(value)) + "\"";
}

absl::StatusOr<std::string> LoadFlagFile(const std::string& path) {
  struct Closer {
    void operator()(FILE* file) const { fclose(file); }
  };
  const std::unique_ptr<FILE, Closer> file(fopen(path.c_str(), "rbe"));
  std::string text(kMostBytes + 1, '\0');
  const size_t size = file == nullptr ? 0 : fread(text.data(), 1, text.size(), file.get());
  if (file == nullptr || ferror(file.get()) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot be read: ", strerror(errno)));
  }
  if (size > kMostBytes) return absl::InvalidArgumentError("has more than 1 MiB");
  text.resize(size);
  return text;
}

}  // namespace wormhole::relay
