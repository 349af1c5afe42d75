#include "relay/config/flag_file.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/config/flag_help.h"
#include "relay/config/flag_table.h"
#include "relay/config/flags.h"

namespace wormhole::relay {
namespace {

using testing::HasSubstr;
using testing::Not;

using Texts = std::map<std::string, std::string>;

absl::StatusOr<CommandLine> Read(const std::vector<std::string>& args, const Texts& files,
                                 const Texts& variables = {}) {
  const auto find = [](const Texts& texts, const std::string& name) {
    const auto found = texts.find(name);
    return found == texts.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
  return ReadCommandLine(
      args, [&](const std::string& name) { return find(variables, name); },
      [&](const std::string& path) -> absl::StatusOr<std::string> {
        if (const auto text = find(files, path)) return *text;
        return absl::InvalidArgumentError("cannot be read: No such file or directory");
      });
}

CommandLine ReadText(const std::string& text, const std::vector<std::string>& args = {},
                     const Texts& variables = {}) {
  std::vector<std::string> all = {"--flagfile=f"};
  all.insert(all.end(), args.begin(), args.end());
  const auto line = Read(all, {{"f", text}}, variables);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.ok() ? *line : CommandLine{};
}

std::string Refusal(const std::string& text) {
  const auto line = Read({"--flagfile=f"}, {{"f", text}});
  EXPECT_FALSE(line.ok()) << text;
  EXPECT_THAT(std::string(line.status().message()), Not(HasSubstr("\n")));
  return std::string(line.status().message());
}

TEST(FlagFileTest, AByteOrderMarkAtTheHeadDoesNotCount) {
  EXPECT_EQ(ReadText("\ufefflisten=127.0.0.1:1\n").config.listen,
            ReadText("listen=127.0.0.1:1\n").config.listen);
  EXPECT_TRUE(Read({"--flagfile=f"}, {{"f", "\ufeff"}}).ok());
  EXPECT_FALSE(Read({"--flagfile=f"}, {{"f", "\n\ufefflisten=127.0.0.1:1"}}).ok());
}

TEST(FlagFileTest, OneFlagALineWithOrWithoutDashes) {
  const RelayConfig config = ReadText(
                                 "# a comment\n"
                                 "\n"
                                 "  --listen=127.0.0.1:1\r\n"
                                 "heartbeat = 5s\n"
                                 "admin-channelz\n"
                                 "motd=Room #5: \"quiet\"  \n"
                                 "store=\"sqlite:/a b.db\"  # a comment too\n"
                                 "drain-timeout=1m")
                                 .config;
  EXPECT_EQ(config.listen, "127.0.0.1:1");
  EXPECT_EQ(config.heartbeat, absl::Seconds(5));
  EXPECT_TRUE(config.admin_channelz);
  EXPECT_EQ(config.motd, "Room #5: \"quiet\"");
  EXPECT_EQ(config.store.path, "/a b.db");
  EXPECT_EQ(config.drain_timeout, absl::Minutes(1));
}

TEST(FlagFileTest, QuotesTakeEscapes) {
  EXPECT_EQ(ReadText("motd=\"two\\nlines \\\"here\\\" \\303\\251 #\"").config.motd,
            "two\nlines \"here\" \xc3\xa9 #");
}

TEST(FlagFileTest, TheCommandLineWinsThenTheEnvironment) {
  const std::string text = "window-frames=5\nmotd=file\nheartbeat=7s\n";
  const CommandLine line =
      ReadText(text, {"--window-frames=9"},
               {{"WORMHOLE_RELAY_WINDOW_FRAMES", "8"}, {"WORMHOLE_RELAY_MOTD", "environment"}});
  EXPECT_EQ(line.config.limits.window_frames, 9u);
  EXPECT_EQ(line.config.motd, "environment");
  EXPECT_EQ(line.config.heartbeat, absl::Seconds(7));
  EXPECT_EQ(line.origins,
            (std::map<std::string, std::string, std::less<>>{{"window-frames", "command line"},
                                                             {"motd", "WORMHOLE_RELAY_MOTD"},
                                                             {"heartbeat", "f:3"}}));
  // The relay does not check a value that another one wins over.
  EXPECT_EQ(ReadText("window-frames=x", {"--window-frames=9"}).config.limits.window_frames, 9u);
}

TEST(FlagFileTest, TheEnvironmentMayNameTheFile) {
  const Texts files = {{"f", "heartbeat=7s"}, {"g", "heartbeat=8s"}};
  const Texts variables = {{"WORMHOLE_RELAY_FLAGFILE", "f"}};
  EXPECT_EQ(Read({}, files, variables)->config.heartbeat, absl::Seconds(7));
  EXPECT_EQ(Read({"--flagfile", "g"}, files, variables)->config.heartbeat, absl::Seconds(8));
  EXPECT_EQ(Read({}, files, {{"WORMHOLE_RELAY_FLAGFILE", ""}})->config.heartbeat,
            absl::Seconds(20));
  EXPECT_TRUE(Read({"--help", "--flagfile=nowhere"}, {})->help);
}

TEST(FlagFileTest, MistakesNameFileAndLine) {
  const struct {
    const char* text;
    const char* says;
  } kCases[] = {
      {"\nheartbeat=20", "f:2: heartbeat=20: should be a time with a unit"},
      {"nope=1", "f:1: nope is an unknown flag"},
      {"listen 127.0.0.1:1", "f:1: listen 127.0.0.1:1 is an unknown flag"},
      {"listen", "f:1: listen needs a value"},
      {"=1", "f:1:  is an unknown flag"},
      {"motd=a\n#\nmotd=b", "f:3: motd is given twice"},
      {"flagfile=f", "f:1: flagfile has no place in a flag file"},
      {"--help", "f:1: help has no place in a flag file"},
      {"version", "f:1: version has no place in a flag file"},
      {"print-config", "f:1: print-config has no place in a flag file"},
      {"motd=\"a", "f:1: the quotes are not closed"},
      {"motd=\"a\\\"", "f:1: the quotes are not closed"},
      {"motd=\"a\" b", "f:1: nothing but a comment"},
      {"motd=\"\\q\"", "f:1: an escape in the quotes is none of C's"},
      {"tls-key=\"a\\000b\"", "f:1: a value holds a NUL"},
      {"heartbeat=20s # a comment", "f:1: heartbeat=20s # a comment: should be a time"},
      {"tls-cert=c", "--tls-cert and --tls-key are given both"},
  };
  for (const auto& c : kCases) EXPECT_THAT(Refusal(c.text), HasSubstr(c.says));
  const auto missing = Read({"--flagfile=nowhere"}, {});
  EXPECT_THAT(std::string(missing.status().message()),
              HasSubstr("--flagfile=nowhere: cannot be read: No such file"));
}

TEST(FlagFileTest, FilesThatCannotBeReadSaySo) {
  EXPECT_THAT(std::string(LoadFlagFile("/nowhere/at/all").status().message()),
              HasSubstr("No such file"));
  EXPECT_THAT(std::string(LoadFlagFile("/").status().message()), HasSubstr("Is a directory"));
  EXPECT_THAT(std::string(LoadFlagFile("/dev/zero").status().message()), HasSubstr("1 MiB"));
  EXPECT_EQ(LoadFlagFile("/dev/null").value_or("?"), "");
}

TEST(PrintConfigTest, ShowsEveryValueAndWhereItComesFrom) {
  const CommandLine line = ReadText("\nmotd=\"two\\nlines\"", {"--heartbeat=5s", "--print-config"},
                                    {{"WORMHOLE_RELAY_STORE", "memory"}});
  EXPECT_TRUE(line.print_config);
  std::string text = PrintConfig(line);
  absl::RemoveExtraAsciiWhitespace(&text);
  for (const char* setting : {
           "\n--listen=\"[::]:47180\" # default\n",
           "\n--heartbeat=\"5s\" # command line\n",
           "\n--store=\"memory\" # WORMHOLE_RELAY_STORE\n",
           "\n--motd=\"two\\nlines\" # f:2\n",
           "\n# --tls-cert=\"\" # default\n",
       }) {
    EXPECT_THAT(text, HasSubstr(setting));
  }
}

void ExpectReadsBack(const CommandLine& line) {
  const auto again = Read({"--flagfile=f"}, {{"f", PrintConfig(line)}});
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << PrintConfig(line);
  for (const Flag& flag : Flags()) {
    EXPECT_EQ(flag.write(again->config), flag.write(line.config)) << flag.name;
  }
}

TEST(PrintConfigTest, IsAFlagFile) {
  ExpectReadsBack(CommandLine{});
  ExpectReadsBack(
      ReadText("store=etcd:a:1,[::1]:2\netcd-tls-ca=c\netcd-prefix=\"a #\\\"/\"\netcd-user-file=u\n"
               "etcd-password-file=p\nmetrics-listen=[::]:9\nmetrics-apps=a,b c\nadmin-listen=off\n"
               "max-stream-age=0s\nquarantine=90m\nmotd= \nlog-format=json\ntls-cert=\"\xff\\n\"\n"
               "tls-key=\\n\n"));
}

// Any text: flags or one line, and flags read back as they were.
TEST(PrintConfigTest, RandomFilesAreHarmless) {
  std::mt19937 random(1);
  const std::string letters = "\"\\n#= \n\t-a1s:0/\r\x01\xff\xc3\xa9,";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t left = random() % 4; left > 0; --left) {
      text += std::string(Flags()[random() % Flags().size()].name) + (random() % 9 ? "=" : "");
      for (size_t more = random() % 8; more > 0; --more) text += letters[random() % letters.size()];
      text += '\n';
    }
    const auto line = Read({"--flagfile=f"}, {{"f", text}});
    ASSERT_THAT(std::string(line.status().message()), Not(HasSubstr("\n")));
    if (line.ok()) ExpectReadsBack(*line);
  }
}

}  // namespace
}  // namespace wormhole::relay
