// The conformance suite: see README.md beside it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/bad_peer_case.h"
#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/crypto.h"
#include "tests/conformance/honest_relay.h"
#include "tests/conformance/relay_case.h"

namespace wormhole::conformance {
namespace {

constexpr char kUsage[] =
    "usage: conformance [OPTION...]\n"
    "  --initiate=CMD         a client that gives out a code; {rendezvous}, {app_id} and "
    "{timeout}\n"
    "                         (seconds) are filled in, its data is standard input\n"
    "  --receive=CMD          a client that takes one; {code} is filled in as well\n"
    "  --receive-waiting=CMD  the same, for a receiver that comes first and waits\n"
    "  --saving=OPTIONS       put behind a command so that the client saves in the file {state}\n"
    "  --resume=CMD           goes on from {state} after the client was killed\n"
    "  --tls=OPTIONS          put behind a command for TLS with the authority in {tls_ca}\n"
    "  --check-in=OPTIONS     put behind a command for check-in mode, each second\n"
    "  --relay=ADDRESS        a relay, HOST:PORT, to be tried out in plaintext; `self` is the\n"
    "                         one of --relay-binary\n"
    "  --relay-binary=PATH    wormhole-relay, for cases that need an honest relay\n"
    "  --relay-flag=FLAG      one more flag for it\n"
    "  --exit-codes=TABLE     as 0=done,3=wrong-code,*=failed; wormhole-sync's when not given\n"
    "  --code-prefix=TEXT     what stands before the code on standard error\n"
    "  --only=TEXT            cases whose name begins so\n"
    "  --jobs=N               how many at a time; 16 when not given, 5 with AddressSanitizer\n"
    "  --list                 names the cases, and runs none\n"
    "  --check-page=FILE      compares the cases with the rows of a page that lists them\n";

// A client that has the sanitizer in it, as this program then has, takes seconds of the processor,
// and its timeouts stay what they are.
#ifdef __SANITIZE_ADDRESS__
constexpr int kJobs = 5;
#else
constexpr int kJobs = 16;
#endif

struct Flags {
  ClientCommands commands;
  std::string only, page, relay, relay_binary;
  std::vector<std::string> relay_flags;
  int jobs = kJobs;
  bool list = false;
};

bool Take(std::string_view argument, std::string_view name, std::string* value) {
  if (argument.substr(0, name.size()) != name) return false;
  *value = std::string(argument.substr(name.size()));
  return true;
}

bool Read(int argc, char** argv, Flags& flags) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    std::string value;
    if (argument == "--list") {
      flags.list = true;
    } else if (Take(argument, "--relay-flag=", &value)) {
      flags.relay_flags.push_back(value);
    } else if (Take(argument, "--jobs=", &value)) {
      flags.jobs = atoi(value.c_str());
    } else if (Take(argument, "--exit-codes=", &value)) {
      const auto read = ExitCodes::Read(value);
      if (!read) return false;
      flags.commands.exit_codes = *read;
    } else if (!Take(argument, "--initiate=", &flags.commands.initiate) &&
               !Take(argument, "--receive=", &flags.commands.receive) &&
               !Take(argument, "--receive-waiting=", &flags.commands.receive_waiting) &&
               !Take(argument, "--saving=", &flags.commands.saving) &&
               !Take(argument, "--resume=", &flags.commands.resume) &&
               !Take(argument, "--tls=", &flags.commands.tls) &&
               !Take(argument, "--check-in=", &flags.commands.check_in) &&
               !Take(argument, "--code-prefix=", &flags.commands.code_prefix) &&
               !Take(argument, "--relay=", &flags.relay) &&
               !Take(argument, "--relay-binary=", &flags.relay_binary) &&
               !Take(argument, "--check-page=", &flags.page) &&
               !Take(argument, "--only=", &flags.only)) {
      return false;
    }
  }
  return flags.jobs > 0;
}

// All cases. Those that need an honest relay get `honest_relay`.
std::vector<Case> AllCases(const Flags& flags, const std::string& honest_relay) {
  std::vector<Case> all = BadRelayCases(flags.commands);
  for (Case& one : BadPeerCases(flags.commands, honest_relay)) all.push_back(std::move(one));
  for (Case& one : RelayCases(flags.relay == "self" ? honest_relay : flags.relay)) {
    all.push_back(std::move(one));
  }
  return all;
}

// What there is something to run against, unless they are only listed.
bool IsChosen(const Case& one, const Flags& flags) {
  if (one.name.compare(0, flags.only.size(), flags.only) != 0) return false;
  if (flags.list || !flags.page.empty()) return true;
  const bool of_relays = one.name.compare(0, 6, "relay/") == 0;
  return of_relays ? !flags.relay.empty()
                   : !flags.commands.initiate.empty() || !flags.commands.receive.empty();
}

std::string RowOf(const Case& one) {
  return "| " + one.name + " | " + one.section + " | " + one.shows + " |";
}

// Every case has its row in the page, in the same words, and every row its case.
int CheckPage(const std::vector<Case>& cases, const std::string& path) {
  std::set<std::string> rows, expected;
  for (const Case& one : cases) expected.insert(RowOf(one));
  std::ifstream page(path);
  for (std::string line; std::getline(page, line);) {
    for (const char* group : {"| bad-relay/", "| bad-peer/", "| relay/"}) {
      if (line.compare(0, strlen(group), group) == 0) rows.insert(line);
    }
  }
  int wrongs = 0;
  for (const std::string& row : expected) {
    if (rows.count(row) == 0 && ++wrongs) printf("missing in the page: %s\n", row.c_str());
  }
  for (const std::string& row : rows) {
    if (expected.count(row) == 0 && ++wrongs) printf("in the page only: %s\n", row.c_str());
  }
  return wrongs == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  Flags flags;
  if (!Read(argc, argv, flags)) {
    fputs(kUsage, stderr);
    return 2;
  }
  StartCrypto();
  std::unique_ptr<HonestRelay> relay;
  if (!flags.relay_binary.empty()) {
    relay = std::make_unique<HonestRelay>(flags.relay_binary, flags.relay_flags);
  }
  std::vector<Case> cases;
  for (Case& one : AllCases(flags, relay == nullptr ? "" : relay->address())) {
    if (IsChosen(one, flags)) cases.push_back(std::move(one));
  }
  if (flags.list) {
    for (const Case& one : cases) {
      printf("%s\n", RowOf(one).c_str());
    }
    return 0;
  }
  if (!flags.page.empty()) return CheckPage(cases, flags.page);
  const char* const xml = getenv("XML_OUTPUT_FILE");
  return RunCases(cases, flags.jobs, xml == nullptr ? "" : xml) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace wormhole::conformance

int main(int argc, char** argv) { return wormhole::conformance::Main(argc, argv); }
