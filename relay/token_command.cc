#include "relay/token_command.h"

#include <sodium.h>

#include <array>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "relay/admission/token_hash.h"
#include "relay/admission/token_list.h"

namespace wormhole::relay {
namespace {

constexpr std::string_view kMake = "make-token";
constexpr std::string_view kHash = "hash-token";

// What a file with a token may have around it does not count.
std::string ReadToken(std::istream& in) {
  std::string text(kMaxPresentedToken, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

absl::Status Written(std::ostream& out) {
  out.flush();
  return out ? absl::OkStatus() : absl::UnavailableError("cannot write to standard output");
}

absl::Status Make(std::ostream& out) {
  std::array<unsigned char, 32> random;
  randombytes_buf(random.data(), random.size());
  std::string token = TokenFrom(random);
  out << token << "\n";
  sodium_memzero(random.data(), random.size());
  sodium_memzero(token.data(), token.size());
  return Written(out);
}

absl::Status Hash(std::string_view uses, std::string_view app_id, std::istream& in,
                  std::ostream& out) {
  std::string token = ReadToken(in);
  const absl::Status drawn = CheckToken(token);
  const TokenHash hash = HashToken(token);
  sodium_memzero(token.data(), token.size());
  if (!drawn.ok()) return drawn;
  const absl::StatusOr<std::string> line = TokenList::Write(hash, uses, app_id);
  if (!line.ok()) return line.status();
  out << *line << "\n";
  return Written(out);
}

absl::Status Usage(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(what), "; see wormhole-relay --help"));
}

}  // namespace

bool IsTokenCommand(const std::vector<std::string>& args) {
  return !args.empty() && (args[0] == kMake || args[0] == kHash);
}

absl::Status RunTokenCommand(const std::vector<std::string>& args, std::istream& in,
                             std::ostream& out) {
  if (sodium_init() < 0) return absl::UnavailableError("libsodium finds no source of randomness");
  if (args[0] == kMake) {
    if (args.size() > 1) return Usage("make-token takes no arguments");
    return Make(out);
  }
  if (args.size() > 3) {
    return Usage(
        "hash-token takes what the token is for and an app-id, and the token on standard "
        "input");
  }
  return Hash(args.size() > 1 ? args[1] : "allocate,claim", args.size() > 2 ? args[2] : "*", in,
              out);
}

}  // namespace wormhole::relay
