#include "relay/config/flags.h"

#include <algorithm>
#include <map>
#include <random>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "relay/config/flag_help.h"
#include "relay/config/flag_table.h"
#include "relay/config/flag_values.h"

namespace wormhole::relay {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string>;

absl::StatusOr<CommandLine> Read(const std::vector<std::string>& args,
                                 const Variables& variables = {}) {
  return ReadCommandLine(
      args,
      [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
      },
      [](const std::string&) { return absl::InvalidArgumentError("is not there"); });
}

RelayConfig Config(const std::vector<std::string>& args, const Variables& variables = {}) {
  const auto line = Read(args, variables);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.ok() ? line->config : RelayConfig{};
}

std::string Refusal(const std::vector<std::string>& args, const Variables& variables = {}) {
  const auto line = Read(args, variables);
  EXPECT_FALSE(line.ok());
  const std::string message(line.status().message());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

TEST(FlagsTest, DefaultsAreValidAndReadBack) {
  const RelayConfig defaults = Config({});
  EXPECT_EQ(defaults.listen, "[::]:47180");
  EXPECT_EQ(defaults.limits.ttl_default, absl::Hours(1));
  EXPECT_EQ(defaults.limits.ttl_max, absl::Hours(24 * 7));
  EXPECT_EQ(defaults.heartbeat, absl::Seconds(20));
  EXPECT_TRUE(defaults.reflection);
  EXPECT_EQ(defaults.store.kind, StoreChoice::Kind::kSqlite);
  for (const Flag& flag : Flags()) {
    const std::string text = flag.write(defaults);
    if (text.empty()) continue;
    RelayConfig config;
    EXPECT_TRUE(flag.read(text, config).ok()) << flag.name << "=" << text;
    EXPECT_EQ(flag.write(config), text) << flag.name;
  }
}

TEST(FlagsTest, EveryFlagIsReadInAllItsForms) {
  const std::string etcd = "--store=etcd:h:1";
  const struct {
    std::string name;
    std::string value;
    std::vector<std::string> args;  // flags that it needs
  } kSamples[] = {
      {"listen", "127.0.0.1:0", {}},
      {"tls-cert", "c.pem", {"--tls-key=k"}},
      {"tls-key", "k.pem", {"--tls-cert=c"}},
      {"tls-client-ca", "ca.pem", {"--tls-cert=c", "--tls-key=k"}},
      {"reflection", "false", {}},
      {"motd", "Hello, \xc3\xa9", {}},
      {"heartbeat", "5s", {}},
      {"max-stream-age", "2h", {}},
      {"drain-timeout", "0s", {}},
      {"drain-delay", "5s", {}},
      {"max-connections", "100", {}},
      {"max-connections-per-address", "10", {}},
      {"proxy-from", "10.0.0.0/8,2001:db8::1/128", {}},
      {"tokens-file", "tokens", {}},
      {"max-connections-per-minute", "10", {}},
      {"max-stream-opens-per-minute", "10", {}},
      {"max-allocations-per-minute", "10", {}},
      {"max-claims-per-minute", "10", {}},
      {"max-failed-claims-per-minute", "0", {}},
      {"max-streams", "10", {}},
      {"max-streams-per-address", "10", {}},
      {"max-channels-per-address", "10", {}},
      {"max-streams-per-connection", "10", {}},
      {"max-header-bytes", "2000", {}},
      {"handshake-timeout", "5s", {}},
      {"open-timeout", "5s", {}},
      {"write-timeout", "5s", {}},
      {"idle-timeout", "5s", {}},
      {"max-memory", "512", {}},
      {"max-channels", "10", {}},
      {"max-channels-per-app", "0", {}},
      {"max-stored-bytes", "1000000", {}},
      {"max-posted-bytes-per-second", "100000", {}},
      {"min-digits", "2,example.com/a=3,example.com/b=9", {}},
      {"admin-listen", "off", {}},
      {"admin-channelz", "true", {}},
      {"probe-listen", "127.0.0.1:0", {}},
      {"metrics-listen", "[::1]:9090", {}},
      {"metrics-apps", "example.com/a,example.com/b", {"--metrics-listen=[::]:1"}},
      {"log-format", "json", {}},
      {"log-level", "warn", {}},
      {"log-addresses", "true", {}},
      {"core-dumps", "true", {}},
      {"store", "memory", {}},
      {"channel-ttl-default", "2h", {}},
      {"channel-ttl-max", "3d", {}},
      {"quarantine", "1m", {}},
      {"etcd-tls-ca", "ca.pem", {etcd}},
      {"etcd-tls-cert", "c.pem", {etcd, "--etcd-tls-ca=ca", "--etcd-tls-key=k"}},
      {"etcd-tls-key", "k.pem", {etcd, "--etcd-tls-ca=ca", "--etcd-tls-cert=c"}},
      {"etcd-user-file", "user", {etcd, "--etcd-password-file=p"}},
      {"etcd-password-file", "password", {etcd, "--etcd-user-file=u"}},
      {"etcd-prefix", "w/", {etcd}},
      {"max-frame-bytes", "100000", {}},
      {"window-frames", "4", {}},
      {"window-bytes", "262144", {}},
  };
  ASSERT_EQ(std::size(kSamples), Flags().size());
  for (size_t i = 0; i < Flags().size(); ++i) {
    const Flag& flag = Flags()[i];
    const auto& [name, value, args] = kSamples[i];
    ASSERT_EQ(name, flag.name);
    auto joined = args;
    joined.push_back("--" + name + "=" + value);
    EXPECT_NE(flag.write(Config(joined)), flag.write(RelayConfig{})) << name;
    EXPECT_EQ(flag.write(Config(args, {{EnvironmentTwin(name), value}})),
              flag.write(Config(joined)));
    if (flag.value.empty()) continue;
    auto apart = args;
    apart.push_back("--" + name);
    apart.push_back(value);
    EXPECT_EQ(flag.write(Config(apart)), flag.write(Config(joined)));
  }
}

TEST(FlagsTest, TheCommandLineWinsOverTheEnvironment) {
  EXPECT_EQ(EnvironmentTwin("channel-ttl-max"), "WORMHOLE_RELAY_CHANNEL_TTL_MAX");
  const Variables variables = {{"WORMHOLE_RELAY_WINDOW_FRAMES", "8"}};
  EXPECT_EQ(Config({}, variables).limits.window_frames, 8u);
  EXPECT_EQ(Config({"--window-frames=9"}, variables).limits.window_frames, 9u);
  // The relay does not check a value that another one wins over.
  EXPECT_EQ(
      Config({"--window-frames=9"}, {{"WORMHOLE_RELAY_WINDOW_FRAMES", "x"}}).limits.window_frames,
      9u);
}

TEST(FlagsTest, EmptyAndForeignVariablesAreLeftAlone) {
  EXPECT_EQ(Config({}, {{"WORMHOLE_RELAY_LISTEN", ""}, {"WORMHOLE_RELAY_PORT", "tcp://10.0.0.1:1"}})
                .listen,
            RelayConfig{}.listen);
}

TEST(FlagsTest, AVariableIsNamedInItsError) {
  EXPECT_EQ(Refusal({}, {{"WORMHOLE_RELAY_HEARTBEAT", "20"}}),
            "WORMHOLE_RELAY_HEARTBEAT=20: should be a time with a unit, such as 90s, 5m, 1h or 7d, "
            "from 100ms to 10m; see wormhole-relay --help");
}

TEST(FlagsTest, SwitchesStandAloneOrWithAValue) {
  EXPECT_TRUE(Config({"--reflection"}).reflection);
  EXPECT_FALSE(Config({"--reflection=false", "--store=memory"}).reflection);
  EXPECT_FALSE(Config({"--reflection=off"}).reflection);
  EXPECT_THAT(Refusal({"--reflection", "false"}), HasSubstr("'false' is not a flag"));
  EXPECT_THAT(Refusal({"--reflection=maybe"}), HasSubstr("true or false"));
}

TEST(FlagsTest, MistakesAreOneClearLine) {
  const struct {
    std::vector<std::string> args;
    const char* says;
  } kCases[] = {
      {{"--nope"}, "unknown flag --nope"},
      {{"--window_frames=8"}, "unknown flag --window_frames"},
      {{"-h"}, "'-h' is not a flag"},
      {{"--"}, "'--' is not a flag"},
      {{"serve"}, "'serve' is not a flag"},
      {{"--listen"}, "--listen needs a value"},
      {{"--motd=a", "--motd=b"}, "--motd is given twice"},
      {{"--help=yes"}, "--help takes no value"},
      {{"--flagfile"}, "--flagfile needs a value"},
      {{"--flagfile=a", "--flagfile=b"}, "--flagfile is given twice"},
      {{"--flagfile=a"}, "--flagfile=a: is not there"},
      {{"--listen=47180"}, "should be ADDRESS:PORT"},
      {{"--listen=:1"}, "should be ADDRESS:PORT"},
      {{"--listen=::1:1"}, "should be ADDRESS:PORT"},
      {{"--listen=localhost:65536"}, "should be ADDRESS:PORT"},
      {{"--listen=unix:"}, "should be ADDRESS:PORT"},
      {{"--listen=unix:/tmp/"}, "should be ADDRESS:PORT"},
      {{"--listen=unix:/tmp/a b"}, "should be ADDRESS:PORT"},
      {{"--listen=unix-abstract:x"}, "should be ADDRESS:PORT"},
      {{"--admin-listen=unix:/tmp/x"}, "should be ADDRESS:PORT"},
      {{"--store=sqlite:"}, "should be memory, sqlite:FILE or etcd:HOST:PORT"},
      {{"--store=etcd:"}, "should be memory, sqlite:FILE or etcd:HOST:PORT"},
      {{"--store=etcd:host"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:host:0"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:::1:1"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:a:1,"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:a:1,,b:1"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:a:1, b:1"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:http://a:1"}, "or etcd:HOST:PORT"},
      {{"--store=etcd:a:1", "--etcd-tls-cert=c", "--etcd-tls-ca=a"}, "both or not at all"},
      {{"--store=etcd:a:1", "--etcd-tls-cert=c", "--etcd-tls-key=k"}, "needs --etcd-tls-ca"},
      {{"--store=etcd:a:1", "--etcd-user-file=u"}, "--etcd-password-file are given both"},
      {{"--etcd-tls-ca=a"}, "need --store=etcd:HOST:PORT"},
      {{"--store=memory", "--etcd-prefix=w/"}, "need --store=etcd:HOST:PORT"},
      {{"--etcd-user-file=u", "--etcd-password-file=p"}, "need --store=etcd:HOST:PORT"},
      {{"--etcd-user-file="}, "path of a file"},
      {{"--etcd-prefix="}, "1 to 255 bytes"},
      {{"--etcd-prefix=wormhole"}, "the last of them /"},
      {{"--etcd-prefix=a\n/"}, "without control characters"},
      {{"--etcd-prefix=" + std::string(255, 'x') + "/"}, "1 to 255 bytes"},
      {{"--window-frames=3"}, "from 4 to 4096"},
      {{"--window-frames=-5"}, "from 4 to 4096"},
      {{"--window-frames= 5"}, "from 4 to 4096"},
      {{"--window-bytes=262143"}, "from 262144 to"},
      {{"--max-frame-bytes=65999"}, "from 66000 to"},
      {{"--max-frame-bytes=18446744073709617616"}, "from 66000 to"},
      {{"--channel-ttl-max=0"}, "time with a unit"},
      {{"--channel-ttl-max=1e9h"}, "time with a unit"},
      {{"--channel-ttl-max=99999999999d"}, "time with a unit"},
      {{"--channel-ttl-max=30m"}, "is longer than --channel-ttl-max (30m)"},
      {{"--window-bytes=262144", "--max-frame-bytes=300000"}, "has no room for a frame"},
      {{"--drain-delay=10s"}, "leaves nothing of --drain-timeout (10s)"},
      {{"--tls-cert=x"}, "both or not at all"},
      {{"--tls-client-ca=x"}, "needs --tls-cert"},
      {{"--tls-cert="}, "path of a file"},
      {{"--motd=a\tb"}, "without control characters"},
      {{"--motd=\xff"}, "UTF-8"},
      {{"--motd=" + std::string(1001, 'x')}, "at most 1000 bytes"},
      {{"--mo\ntd"}, "unknown flag --mo\\ntd"},
      {{"--max-connections-per-minute=1000001"}, "0 to 1000000"},
      {{"--max-stream-opens-per-minute=-1"}, "0 to 1000000"},
      {{"--max-allocations-per-minute=1e3"}, "0 to 1000000"},
      {{"--max-claims-per-minute=1000001"}, "0 to 1000000"},
      {{"--max-failed-claims-per-minute="}, "0 to 1000000"},
      {{"--max-streams=1000001"}, "0 to 1000000"},
      {{"--max-streams-per-address=1000001"}, "0 to 1000000"},
      {{"--max-streams-per-connection=0"}, "1 to 1000000"},
      {{"--max-channels-per-address=1000001"}, "0 to 1000000"},
      {{"--max-header-bytes=1023"}, "1024 to 1048576"},
      {{"--max-header-bytes=1048577"}, "1024 to 1048576"},
      {{"--handshake-timeout=61s"}, "1s to 1m"},
      {{"--open-timeout=0s"}, "1s to 1h"},
      {{"--write-timeout=30"}, "time with a unit"},
      {{"--idle-timeout=2h"}, "1s to 1h"},
      {{"--max-memory=63"}, "should be 0, or 64 to 1048576 MiB"},
      {{"--max-memory=1048577"}, "should be 0, or 64 to 1048576 MiB"},
      {{"--max-channels=1000001"}, "0 to 1000000"},
      {{"--max-channels-per-app=-1"}, "0 to 1000000"},
      {{"--max-stored-bytes=4000000001"}, "0 to 4000000000"},
      {{"--max-stored-bytes=64MiB"}, "0 to 4000000000"},
      {{"--max-posted-bytes-per-second=4000000001"}, "0 to 4000000000"},
      {{"--max-posted-bytes-per-second=1000"}, "too little for --heartbeat (20s)"},
      {{"--max-posted-bytes-per-second=50000", "--heartbeat=2s"},
       "too little for --heartbeat (2s)"},
      {{"--min-digits="}, "1 to 9"},
      {{"--min-digits=0"}, "1 to 9"},
      {{"--min-digits=a=10"}, "1 to 9"},
      {{"--min-digits=2,3"}, "different app-ids"},
      {{"--min-digits=a=2,a=2"}, "different app-ids"},
      {{"--min-digits==2"}, "APP-ID=N"},
      {{"--metrics-apps=a"}, "needs --metrics-listen"},
      {{"--metrics-listen=[::]:1", "--metrics-apps=a,a"}, "different app-ids"},
      {{"--admin-channelz", "--admin-listen=off"}, "needs --admin-listen"},
      {{"--max-connections=0"}, "from 1 to 1000000"},
      {{"--max-connections-per-address=1000001"}, "from 1 to 1000000"},
      {{"--proxy-from="}, "should be networks"},
      {{"--proxy-from=10.0.0.0/33"}, "should be networks"},
      {{"--proxy-from=10.0.0.1, 10.0.0.2"}, "should be networks"},
      {{"--proxy-from=haproxy.example.com"}, "should be networks"},
      {{"--proxy-from=::ffff:10.0.0.0/104"}, "not ::ffff:10.0.0.5"},
      {{"--proxy-from=10.0.0.1", "--listen=unix:/tmp/x"},
       "--proxy-from needs --listen=ADDRESS:PORT"},
      {{"--tokens-file="}, "path of a file"},
      {{"--log-level=loud"}, "debug, info, warn or error"},
      {{"--log-format=xml"}, "text or json"},
      {{"--listen=127.0.0.1:47181"},
       "--listen (127.0.0.1:47181) and --admin-listen (127.0.0.1:47181) cannot have the same port"},
      {{"--listen=[::]:47181"}, "cannot have the same port"},
      {{"--probe-listen=0.0.0.0:47181"}, "cannot have the same port"},
      {{"--probe-listen=10.0.0.1:9", "--metrics-listen=0.0.0.0:9"}, "cannot have the same port"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Refusal(c.args), AllOf(HasSubstr(c.says), EndsWith("; see wormhole-relay --help")));
  }
}

// Who reads the one line knows which flag it is about; who reads the help, what it is for.
TEST(FlagsTest, LimitsOnStrangersNameThemselvesAndTheirAttack) {
  int limits = 0;
  for (const Flag& flag : Flags()) {
    if (flag.group != "Strangers" || flag.value == "FILE") continue;
    const std::string name = "--" + std::string(flag.name);
    EXPECT_THAT(Refusal({name + "=-1"}), HasSubstr(name));
    if (name == "--proxy-from") continue;
    EXPECT_THAT(std::string(flag.help), HasSubstr("gainst")) << name;
    ++limits;
  }
  EXPECT_GT(limits, 20);
}

TEST(FlagsTest, ListenersMayHaveTheSamePortElsewhereAndAnyNumberOfUnknownOnes) {
  Config({"--listen=[::]:0", "--admin-listen=127.0.0.1:0", "--probe-listen=[::]:0"});
  Config({"--listen=10.0.0.1:443", "--metrics-listen=10.0.0.2:443"});
  Config({"--listen=unix:/run/wormhole/relay.sock"});
  Config({"--listen=0.0.0.0:443", "--metrics-listen=[::1]:443"});
}

// A command line, an environment and a flag file are for everybody to read.
TEST(FlagsTest, SecretsComeFromFilesOnly) {
  int secret = 0;
  for (const Flag& flag : Flags()) {
    for (const char* word : {"password", "token", "key", "secret", "user", "credential"}) {
      if (flag.name.find(word) == std::string_view::npos) continue;
      EXPECT_EQ(flag.value, "FILE") << flag.name;
      ++secret;
      break;
    }
  }
  EXPECT_EQ(secret, 5);
}

TEST(FlagsTest, EtcdHasItsEndpointsInAnyOrderOfFlags) {
  const RelayConfig config =
      Config({"--etcd-prefix=here/", "--store=etcd:127.0.0.1:2379,[::1]:2379,etcd.example:1",
              "--etcd-tls-ca=ca.pem"});
  const EtcdChoice& etcd = config.store.etcd;
  EXPECT_EQ(config.store.kind, StoreChoice::Kind::kEtcd);
  EXPECT_THAT(etcd.endpoints,
              testing::ElementsAre("127.0.0.1:2379", "[::1]:2379", "etcd.example:1"));
  EXPECT_EQ(WriteStore(config.store), "etcd:127.0.0.1:2379,[::1]:2379,etcd.example:1");
  EXPECT_EQ(etcd.prefix, "here/");
  EXPECT_TRUE(etcd.tls());
  EXPECT_FALSE(Config({"--store=etcd:a:1"}).store.etcd.tls());
  EXPECT_EQ(Config({"--store=etcd:a:1"}).store.etcd.prefix, "wormhole/");
}

TEST(FlagsTest, HelpExplainsEveryFlagWithItsDefault) {
  const std::string help = HelpText();
  for (const Flag& flag : Flags()) {
    EXPECT_THAT(help, HasSubstr("  --" + std::string(flag.name)));
    const std::string initial = flag.write(RelayConfig{});
    EXPECT_THAT(help, HasSubstr(initial.empty() ? "(not set by default)" : "default " + initial));
    // What has a range says so.
    const bool ranged = flag.value == "N" || flag.value == "TIME";
    EXPECT_TRUE(!ranged || flag.help.find(" to ") != std::string_view::npos) << flag.name;
    EXPECT_EQ(std::ranges::count(FlagGroups(), flag.group, &FlagGroup::name), 1) << flag.name;
  }
  std::istringstream lines(help);
  for (std::string text; std::getline(lines, text);) EXPECT_LE(text.size(), 100u) << text;
  EXPECT_THAT(help, HasSubstr("--channel-ttl-max=TIME  (default 7d)"));
  EXPECT_TRUE(Read({"--help"})->help);
  EXPECT_TRUE(Read({"--version", "--tls-cert=x"})->version);
  EXPECT_TRUE(Read({"--help"}, {{"WORMHOLE_RELAY_HEARTBEAT", "bad"}})->help);
}

TEST(FlagValuesTest, DurationsReadBackWhatIsWritten) {
  const absl::Duration kDurations[] = {
      absl::ZeroDuration(), absl::Milliseconds(1500), absl::Seconds(20),  absl::Minutes(90),
      absl::Hours(24),      absl::Hours(25),          absl::Hours(24 * 7)};
  for (const absl::Duration duration : kDurations) {
    const auto read =
        ReadDuration(WriteDuration(duration), absl::ZeroDuration(), absl::Hours(24 * 366));
    ASSERT_TRUE(read.ok()) << WriteDuration(duration);
    EXPECT_EQ(*read, duration);
  }
}

TEST(FlagValuesTest, OverlongAndSurrogateTextIsNoMotd) {
  for (const char* text : {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3",
                           "\xf8\x88\x80\x80\x80", "\x7f", "\xc2\x85"}) {
    EXPECT_FALSE(ReadMotd(text).ok());
  }
  EXPECT_TRUE(ReadMotd("two\nlines \xf0\x9f\x8e\x81").ok());
}

// Any bytes as a value: a value or one line, never a crash.
TEST(FlagsTest, HostileValuesAreHarmless) {
  std::mt19937 random(1);
  const std::string letters = "0123456789:.[]-dhms \n\xff=sqlite,/";
  for (int round = 0; round < 20'000; ++round) {
    std::string value(random() % 12, '\0');
    for (char& c : value) c = letters[random() % letters.size()];
    const Flag& flag = Flags()[random() % Flags().size()];
    const auto line = Read({"--" + std::string(flag.name) + "=" + value});
    EXPECT_THAT(std::string(line.status().message()), Not(HasSubstr("\n")));
  }
}

}  // namespace
}  // namespace wormhole::relay
