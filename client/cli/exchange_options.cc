#include "client/cli/exchange_options.h"

#include <sys/stat.h>

#include <cstddef>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/data_source.h"
#include "client/core/failure.h"
#include "proto/tls/pem.h"
#include "wormhole/outcome.h"

namespace wormhole::cli {
namespace {

// Bundles of all authorities of the world are a quarter of it.
constexpr size_t kMaxPemBytes = 1 << 20;
// The relay takes 8 KiB of headers in all.
constexpr size_t kMaxTokenBytes = 4096;

absl::Status BadFile(std::string_view option, const std::string& path, std::string_view what) {
  return core::Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                       absl::StrCat(std::string(option), " ", path, " ", std::string(what)));
}

// `check` says what is wrong with the contents, in words that go behind the file's name.
absl::Status ReadPem(std::string_view option, const std::string& path, Interrupt& interrupt,
                     absl::Status (*check)(std::string_view), std::string& pem) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> text = ReadFile(option, path, kMaxPemBytes, interrupt);
  if (!text.ok()) return text.status();
  if (absl::Status sound = check(*text); !sound.ok()) {
    return BadFile(option, path, std::string(sound.message()));
  }
  pem = *std::move(text);
  return absl::OkStatus();
}

// `option` is where the path comes from.
absl::Status ReadToken(std::string_view option, const std::string& path, Console& console,
                       Interrupt& interrupt, std::string& token) {
  absl::StatusOr<std::string> text = ReadFile(option, path, kMaxTokenBytes, interrupt);
  if (!text.ok()) return text.status();
  text->erase(text->find_last_not_of(" \t\r\n") + 1);
  if (text->rfind("\xef\xbb\xbf", 0) == 0) text->erase(0, 3);  // some editors begin with a mark
  if (text->empty()) return BadFile(option, path, "is empty; it has to hold the token");
  for (char c : *text) {
    if (c <= ' ' || c > '~') return BadFile(option, path, "holds more than a token in one line");
  }
  struct stat info = {};
  if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0) {
    console.Warn(absl::StrCat(path, " can be read by other users; `chmod 600` it"));
  }
  token = *std::move(text);
  return absl::OkStatus();
}

// The path may come from the environment, the token itself not: children inherit that.
absl::Status FindToken(const Arguments& arguments, Console& console, Interrupt& interrupt,
                       std::string& token) {
  if (!arguments.bearer_token_file.empty()) {
    return ReadToken("--bearer-token-file", arguments.bearer_token_file, console, interrupt, token);
  }
  const char* const path = std::getenv("WORMHOLE_BEARER_TOKEN_FILE");
  if (path == nullptr || *path == '\0') return absl::OkStatus();
  return ReadToken("WORMHOLE_BEARER_TOKEN_FILE", path, console, interrupt, token);
}

absl::Status ReadCredentials(const Arguments& arguments, Console& console, Interrupt& interrupt,
                             Options& options) {
  absl::Status status = ReadPem("--tls-ca", arguments.tls_ca, interrupt, &tls::CheckCertificates,
                                options.tls.root_certificates);
  if (status.ok()) {
    status = ReadPem("--tls-cert", arguments.tls_cert, interrupt, &tls::CheckCertificates,
                     options.tls.certificate_chain);
  }
  if (status.ok()) {
    status = ReadPem("--tls-key", arguments.tls_key, interrupt, &tls::CheckPrivateKey,
                     options.tls.private_key);
  }
  if (!status.ok()) return status;
  if (!arguments.tls_cert.empty() && !arguments.tls_key.empty()) {
    status = tls::CheckKeyFits(options.tls.certificate_chain, options.tls.private_key);
    if (!status.ok()) {
      return BadFile("--tls-key", arguments.tls_key,
                     absl::StrCat(status.message(), " (--tls-cert is ", arguments.tls_cert, ")"));
    }
  }
  return FindToken(arguments, console, interrupt, options.bearer_token);
}

// For a POSIX shell.
std::string Quote(const std::string& word) {
  constexpr char kPlain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace

absl::StatusOr<Options> MakeOptions(const Arguments& arguments, Console& console,
                                    Interrupt& interrupt) {
  Options options;
  options.app_id = arguments.app_id;
  options.rendezvous = arguments.rendezvous;
  if (arguments.plaintext) options.security = Security::kPlaintext;
  if (!arguments.tls_ca.empty() || !arguments.tls_cert.empty()) options.security = Security::kTls;
  if (arguments.schedule.has_value()) options.schedule = *arguments.schedule;
  options.timeout = arguments.timeout.value_or(options.timeout);
  options.ttl = arguments.ttl.value_or(options.ttl);
  options.check_in = arguments.check_in;
  options.allow_other_words = arguments.allow_other_words;
  options.wait = arguments.wait;
  options.confirm_verifier = arguments.verify;
  if (arguments.command == Command::kInitiate) {
    options.code = arguments.code;
    if (arguments.words != 0) options.words = arguments.words;
  }
  absl::Status credentials = ReadCredentials(arguments, console, interrupt, options);
  if (!credentials.ok()) return credentials;
  return options;
}

std::string ResumeCommand(const Arguments& arguments) {
  // A name that looks like an option would be taken for one.
  const bool dash = !arguments.state.empty() && arguments.state[0] == '-';
  std::string command =
      absl::StrCat("wormhole-sync resume ", dash ? "./" : "", Quote(arguments.state));
  const std::pair<const char*, const std::string&> values[] = {
      {"--rendezvous", arguments.rendezvous},
      {"--tls-ca", arguments.tls_ca},
      {"--tls-cert", arguments.tls_cert},
      {"--tls-key", arguments.tls_key},
      {"--bearer-token-file", arguments.bearer_token_file},
  };
  for (const auto& [option, value] : values) {
    if (!value.empty()) absl::StrAppend(&command, " ", option, " ", Quote(value));
  }
  if (arguments.plaintext) absl::StrAppend(&command, " --plaintext");
  if (arguments.keep_state) absl::StrAppend(&command, " --keep-state");
  return command;
}

}  // namespace wormhole::cli
