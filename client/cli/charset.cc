#include "client/cli/charset.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/ascii.h"

namespace wormhole::cli {
namespace {

// POSIX: the first of these that is set and not empty counts.
std::string NameOfLocale() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return "C";
}

// What stands behind the dot: `de_DE.UTF-8@euro`.
std::string CodesetIn(const std::string& name) {
  const size_t dot = name.find('.');
  return dot == std::string::npos ? "" : name.substr(dot + 1, name.find('@', dot) - dot - 1);
}

std::string LocaleCodeset() {
  const locale_t locale = newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return CodesetIn(NameOfLocale());
  std::string codeset = nl_langinfo_l(CODESET, locale);
  freelocale(locale);
  return codeset;
}

}  // namespace

Charset LocaleCharset() {
  const std::string codeset = absl::AsciiStrToLower(LocaleCodeset());
  return codeset == "utf-8" || codeset == "utf8" ? Charset::kUtf8 : Charset::kAscii;
}

}  // namespace wormhole::cli
