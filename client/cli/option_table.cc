#include "client/cli/option_table.h"

#include <charconv>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/duration.h"
#include "client/core/code.h"
#include "client/core/schedule.h"
#include "proto/wire/app_id.h"
#include "proto/wire/limits.h"
#include "wormhole/schedule.h"

namespace wormhole::cli {
namespace {

constexpr unsigned kNewOnes = kForInitiate | kForReceive;
constexpr unsigned kAll = kNewOnes | kForResume;

constexpr absl::Duration kMaxTimeout = absl::Hours(24 * 7);

template <bool Arguments::*Member>
absl::Status SetFlag(std::string_view, Arguments& arguments) {
  arguments.*Member = true;
  return absl::OkStatus();
}

template <std::string Arguments::*Member>
absl::Status SetText(std::string_view value, Arguments& arguments) {
  if (value.empty()) return absl::InvalidArgumentError("an empty value means nothing here");
  arguments.*Member = std::string(value);
  return absl::OkStatus();
}

template <std::optional<absl::Duration> Arguments::*Member>
absl::Status SetDuration(std::string_view value, Arguments& arguments) {
  absl::StatusOr<absl::Duration> parsed = ParseDuration(value);
  if (!parsed.ok()) return parsed.status();
  if (*parsed < absl::Milliseconds(1) || *parsed > kMaxTimeout) {
    return absl::InvalidArgumentError("must be between 1ms and 7d");
  }
  arguments.*Member = *parsed;
  return absl::OkStatus();
}

absl::Status SetData(std::string_view value, Arguments& arguments) {
  if (value.size() > wire::kMaxDataBytes) {
    return absl::InvalidArgumentError(
        "more than 65,000 bytes; send a file's name or a key instead");
  }
  arguments.data = std::string(value);
  return absl::OkStatus();
}

absl::Status SetCode(std::string_view value, Arguments& arguments) {
  if (!arguments.code.empty()) return absl::InvalidArgumentError("the code is given already");
  return SetText<&Arguments::code>(value, arguments);
}

absl::Status SetAppId(std::string_view value, Arguments& arguments) {
  arguments.app_id = std::string(value);
  return wire::CheckAppId(value);
}

absl::Status SetWords(std::string_view value, Arguments& arguments) {
  size_t count = 0;
  const char* end = value.data() + value.size();
  const auto [parsed, error] = std::from_chars(value.data(), end, count);
  if (error != std::errc() || parsed != end || count < core::kMinWords || count > core::kMaxWords) {
    return absl::InvalidArgumentError("must be a number from 2 to 8");
  }
  arguments.words = count;
  return absl::OkStatus();
}

absl::Status SetSchedule(std::string_view value, Arguments& arguments) {
  absl::StatusOr<Schedule> parsed = core::ParseSchedule(value);
  if (!parsed.ok()) return parsed.status();
  arguments.schedule = *std::move(parsed);
  return absl::OkStatus();
}

constexpr OptionSpec kOptions[] = {
    {"--app-id", "A", kNewOnes, SetAppId,
     "scopes the codes; both sides must name the same one. By convention\n"
     "a domain name of yours with a path. Default: wormhole-sync/cli"},
    {"--rendezvous", "R", kAll, SetText<&Arguments::rendezvous>,
     "the relay, as HOST:PORT; several that serve as one, as dns:///HOST:PORT\n"
     "or ipv4:A:PORT,B:PORT. Default: $WORMHOLE_RENDEZVOUS, else the one\n"
     "this program was built with (for resume: the one in the state file)"},
    {"--data", "TEXT", kNewOnes, SetData,
     "what the other side gets, 0 to 65,000 bytes. Other users of this\n"
     "machine can see it; --file and standard input keep it private"},
    {"--file", "F", kNewOnes, SetText<&Arguments::file>,
     "send what is in the file F. Without --data and --file: standard input"},
    {"--words", "N", kNewOnes, SetWords,
     "initiate: how many words the code has, 2 to 8. Default: 2\n"
     "receive: refuse a code with another number of words"},
    {"--code", "CODE", kNewOnes, SetCode,
     "initiate: use this code, agreed beforehand, instead of a drawn one\n"
     "receive: the same as CODE. Other users of this machine can see it"},
    {"--allow-other-words", "", kNewOnes, SetFlag<&Arguments::allow_other_words>,
     "take words that are not in the list; the other side needs it as well"},
    {"--wait", "", kForReceive, SetFlag<&Arguments::wait>,
     "come first and wait for an initiator that uses --code with this code"},
    {"--timeout", "D", kNewOnes, SetDuration<&Arguments::timeout>,
     "give up after this long: 90s, 5m, 3d, at most 7d. Default: 3m"},
    {"--ttl", "D", kNewOnes, SetDuration<&Arguments::ttl>,
     "how long the relay keeps the channel, at least the timeout.\n"
     "Default: the timeout and one minute"},
    {"--schedule", "S", kNewOnes, SetSchedule,
     "when to try again without a connection, WHEN:INTERVAL in seconds:\n"
     "\"0:0.5,60:5\" is each half second, after a minute each 5 s. Default: 0:0.5"},
    {"--check-in", "", kNewOnes, SetFlag<&Arguments::check_in>,
     "connect only when the schedule says so, and hang up in between"},
    {"--verify", "", kNewOnes, SetFlag<&Arguments::verify>,
     "show eight words to compare with the other side, and ask, before\n"
     "your data is sent and the other's is printed"},
    {"--qr", "", kForInitiate, SetFlag<&Arguments::qr>, "show the code as a QR code as well"},
    {"--state", "FILE", kNewOnes, SetText<&Arguments::state>,
     "keep the state in FILE, a secret, so that the exchange survives a\n"
     "crash: go on with `wormhole-sync resume FILE`. FILE must not exist"},
    {"--keep-state", "", kAll, SetFlag<&Arguments::keep_state>,
     "do not remove the state file when the exchange is finished"},
    {"--plaintext", "", kAll, SetFlag<&Arguments::plaintext>,
     "no TLS to the relay. Default: TLS, except to this very machine"},
    {"--tls-ca", "F", kAll, SetText<&Arguments::tls_ca>,
     "PEM file of the authorities to trust. Default: the system's"},
    {"--tls-cert", "F", kAll, SetText<&Arguments::tls_cert>,
     "PEM file with a certificate for relays that ask for one"},
    {"--tls-key", "F", kAll, SetText<&Arguments::tls_key>,
     "PEM file with the private key of --tls-cert"},
    {"--bearer-token-file", "F", kAll, SetText<&Arguments::bearer_token_file>,
     "file with the token for relays that ask for one. Default:\n"
     "$WORMHOLE_BEARER_TOKEN_FILE, else none"},
    {"--verbose", "", kAll, SetFlag<&Arguments::verbose>,
     "say why no relay was reached in the libraries' own words, too"},
};

constexpr CommandSpec kCommands[] = {
    {"initiate", Command::kInitiate, kForInitiate, "",
     "make an invitation code and wait for the other side",
     "Prints `Invitation code: 4-purity-sausage` on standard error, waits for the one who was\n"
     "told the code, and writes that side's data to standard output."},
    {"receive", Command::kReceive, kForReceive, "[CODE]",
     "meet the one who gave you an invitation code",
     "Without CODE it asks for it; Tab completes words. A CODE on the command line can be seen by\n"
     "other users of this machine. It may be typed with spaces and in capitals, and pasted with\n"
     "what stands around it. The other side's data goes to standard output."},
    {"resume", Command::kResume, kForResume, "FILE", "go on with an exchange from its state file",
     "FILE is one that --state wrote. Credentials are not in it: give the same --tls-... and\n"
     "--bearer-token-file options as before. FILE is removed when the exchange is finished."},
};

}  // namespace

std::span<const OptionSpec> OptionTable() { return kOptions; }

std::span<const CommandSpec> CommandTable() { return kCommands; }

const CommandSpec& SpecOf(Command command) { return kCommands[static_cast<size_t>(command)]; }

}  // namespace wormhole::cli
