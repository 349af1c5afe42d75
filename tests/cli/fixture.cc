#include "tests/cli/fixture.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace wormhole::testing {
namespace {

Words WithDefaults(const Words& flags) {
  Words all = {"--listen=127.0.0.1:0", "--store=memory"};
  all.insert(all.end(), flags.begin(), flags.end());
  return all;
}

}  // namespace

std::string ToolPath() {
  const char* value = getenv("WORMHOLE_SYNC");
  EXPECT_NE(value, nullptr) << "WORMHOLE_SYNC is set by the BUILD file";
  return value == nullptr ? "" : std::filesystem::absolute(value).string();
}

CliTest::CliTest(const Words& relay_flags)
    : relay_(WithDefaults(relay_flags)), address_(relay_.AwaitListening()) {
  EXPECT_FALSE(address_.empty()) << relay_.error();
}

Words CliTest::WithRelay(Words words) const {
  words.push_back("--rendezvous=" + address_);
  return words;
}

ChildProcess::Options CliTest::ToolOptions(Words words, std::string input) {
  // setsid, so that a terminal of whoever runs the tests is out of reach.
  Words arguments = {"/usr/bin/setsid", ToolPath()};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return {.arguments = std::move(arguments), .input = std::move(input)};
}

std::unique_ptr<ChildProcess> CliTest::Start(Words words, std::string input) {
  return std::make_unique<ChildProcess>(ToolOptions(std::move(words), std::move(input)));
}

std::unique_ptr<ChildProcess> CliTest::StartOpen(Words words, std::string input) {
  ChildProcess::Options options = ToolOptions(std::move(words), std::move(input));
  options.close_input = false;
  return std::make_unique<ChildProcess>(std::move(options));
}

std::unique_ptr<TerminalChild> CliTest::StartOnTerminal(Words words) {
  Words arguments = {ToolPath()};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return std::make_unique<TerminalChild>(TerminalChild::Options{.arguments = std::move(arguments)});
}

std::string CliTest::CodeOf(ChildProcess& initiator) {
  std::string code = initiator.WaitForLine(ChildProcess::kErr, "Invitation code: ");
  EXPECT_FALSE(code.empty()) << initiator.err();
  return code;
}

std::string CliTest::WrongCode(const std::string& code) {
  const std::string before = code.substr(0, code.rfind('-') + 1);
  return code == before + "zoo" ? before + "zone" : before + "zoo";
}

std::string CliTest::MakeFile(const std::string& name, const std::string& content) const {
  std::ofstream(PathOf(name), std::ios::binary) << content;
  chmod(PathOf(name).c_str(), 0600);
  return PathOf(name);
}

std::string CliTest::FileContent(const std::string& name) const {
  std::ifstream in(PathOf(name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool CliTest::Exists(const std::string& name) const {
  return std::filesystem::exists(std::filesystem::symlink_status(PathOf(name)));
}

}  // namespace wormhole::testing
