// What the end-to-end tests of the command-line tool share: a relay, and the tool with and without
// a terminal.
#ifndef WORMHOLE_TESTS_CLI_FIXTURE_H_
#define WORMHOLE_TESTS_CLI_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/cli/terminal_child.h"
#include "tests/support/child_process.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::testing {

using Words = std::vector<std::string>;

// Where Bazel put the tool.
std::string ToolPath();

class CliTest : public ::testing::Test {
 protected:
  // The relay has `relay_flags` beside those that make it one of this test.
  explicit CliTest(const Words& relay_flags = {"--motd=be\u202e kind"});

  // `words` and the relay's address, for commands that go to the network.
  Words WithRelay(Words words) const;

  // The tool without a terminal anywhere: in a session of its own. Standard input holds `input`
  // and then ends.
  std::unique_ptr<ChildProcess> Start(Words words, std::string input = "");
  // The same with the standard input left open.
  std::unique_ptr<ChildProcess> StartOpen(Words words, std::string input = "");
  // All of the tool on a terminal.
  std::unique_ptr<TerminalChild> StartOnTerminal(Words words);

  // The code that an initiator has printed; a test failure and empty when there is none.
  static std::string CodeOf(ChildProcess& initiator);
  // `code` with its last word replaced.
  static std::string WrongCode(const std::string& code);

  std::string PathOf(const std::string& name) const { return folder_.File(name); }
  std::string MakeFile(const std::string& name, const std::string& content) const;
  std::string FileContent(const std::string& name) const;
  bool Exists(const std::string& name) const;

  RelayProcess& relay() { return relay_; }
  const std::string& address() const { return address_; }

 private:
  ChildProcess::Options ToolOptions(Words words, std::string input);

  const TempFolder folder_;
  RelayProcess relay_;
  const std::string address_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_CLI_FIXTURE_H_
