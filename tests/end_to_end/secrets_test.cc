// A busy relay, and nothing of what it must not tell in anything that it shows.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "client/client_access.h"
#include "gtest/gtest.h"
#include "relay/admission/token_list.h"
#include "tests/end_to_end/secret_ledger.h"
#include "tests/end_to_end/secret_search.h"
#include "tests/end_to_end/watched_relay.h"
#include "tests/support/attach_client.h"
#include "tests/support/temp_folder.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using service_test::AttachClient;
using service_test::AttachRequest;

constexpr char kApp[] = "example.com/secrets-of-many";
// Agreed codes of words that the relay has no other reason to write.
constexpr char kWaitersCode[] = "721-giraffe-tortoise";
constexpr char kWrongWords[] = "walnut-zebra";

std::string RandomText(size_t size) {
  static std::atomic<uint32_t> count = 0;  // each has another, the same ones in each run
  std::mt19937 random(++count);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

class SecretsTest : public ::testing::TestWithParam<const char*> {
 protected:
  // It lets in who has bearer_token_.
  void StartRelay(std::vector<std::string> flags) {
    const std::string tokens = folder_.File("tokens");
    const relay::TokenHash hash = relay::HashToken(bearer_token_);
    std::ofstream(tokens)
        << relay::TokenList::Write(hash, "allocate,claim", "example.com/*").value() << "\n";
    flags.push_back("--tokens-file=" + tokens);
    ledger_->Add("bearer token", bearer_token_);
    relay_ = std::make_unique<WatchedRelay>(folder_.path(), kApp, flags);
    ASSERT_NE(relay_->address(), "");
    client_ = ClientAccess::WithTransport(std::make_shared<LedgerTransport>(ledger_)).value();
    channel_ = service_test::Connect(relay_->address());
  }

  Options NewOptions() {
    Options options;
    options.app_id = kApp;
    options.rendezvous = relay_->address();
    options.schedule = {{absl::ZeroDuration(), absl::Milliseconds(100)}};
    options.timeout = absl::Minutes(2);
    options.client = client_;
    options.bearer_token = bearer_token_;
    options.on_save = [ledger = ledger_](std::string_view state) {
      ledger->AddState(state);
      return absl::OkStatus();
    };
    return options;
  }

  std::string NewData() {
    const std::string data = RandomText(100);
    ledger_->Add("data", data);
    return data;
  }

  std::string CodeOf(Initiator& initiator) {
    const std::string code = initiator.GetCode().value();
    ledger_->AddCode(code);
    return code;
  }

  static void Finish(Party& party) {
    EXPECT_TRUE(party.GetData().ok());
    EXPECT_TRUE(party.Finish(absl::Seconds(30)).ok());
  }

  void Meet();
  void MeetWithAWaiter();
  void UseTheWrongCode();
  void ComeAsAThird();
  void GoOnFromASavedState();
  void GiveUp();
  void SendWhatNobodyShould();
  void BeBusy();

  // A raw request with a token of its own.
  AttachRequest WithToken(AttachRequest request) {
    const std::string token = RandomText(32);
    ledger_->Add("token", token);
    request.mutable_open()->set_token(token);
    return request;
  }

  std::vector<Output> AllOutput(int signal, int exit) {
    std::vector<Output> outputs = relay_->Look();
    EXPECT_EQ(relay_->End(signal), exit);
    for (Output& output : relay_->Written()) outputs.push_back(std::move(output));
    return outputs;
  }

  SecretSearch Secrets() const {
    SecretSearch search;
    for (const auto& [name, secret] : ledger_->all()) search.Add(name, secret);
    for (const char* word : {"giraffe", "tortoise", "walnut", "zebra"}) search.Add("word", word);
    return search;
  }

  // Addresses with a port in `text` that are none of the relay's own.
  std::set<std::string> ClientAddresses(const std::string& text) const {
    static const std::regex with_port("127\\.0\\.0\\.1\\]?(:|%3[aA])([0-9]+)");
    const std::vector<std::string> own = relay_->listeners();
    std::set<std::string> addresses;
    for (std::sregex_iterator at(text.begin(), text.end(), with_port), end; at != end; ++at) {
      const std::string address = "127.0.0.1:" + (*at)[2].str();
      if (std::ranges::find(own, address) == own.end() && (*at)[2] != "0")
        addresses.insert(address);
    }
    return addresses;
  }

  const TempFolder folder_;
  const std::string bearer_token_ = RandomText(43);
  const std::shared_ptr<SecretLedger> ledger_ = std::make_shared<SecretLedger>();
  std::unique_ptr<WatchedRelay> relay_;
  std::shared_ptr<Client> client_;
  std::shared_ptr<grpc::Channel> channel_;
};

void SecretsTest::Meet() {
  Initiator initiator = Initiator::Create(NewOptions(), NewData()).value();
  Receiver receiver = Receiver::Create(NewOptions(), CodeOf(initiator), NewData()).value();
  Finish(initiator);
  Finish(receiver);
}

void SecretsTest::MeetWithAWaiter() {
  ledger_->AddCode(kWaitersCode);
  Options waits = NewOptions();
  waits.wait = true;
  std::promise<void> waiting;
  waits.on_progress = [&, told = false](const ProgressEvent& event) mutable {
    if (event.kind == ProgressEvent::Kind::kWaiting && !std::exchange(told, true)) {
      waiting.set_value();
    }
  };
  Receiver receiver = Receiver::Create(waits, kWaitersCode, NewData()).value();
  waiting.get_future().wait();
  Options agreed = NewOptions();
  agreed.code = kWaitersCode;
  Initiator initiator = Initiator::Create(agreed, NewData()).value();
  Finish(initiator);
  Finish(receiver);
}

void SecretsTest::UseTheWrongCode() {
  ledger_->Add("code", kWrongWords);
  Initiator initiator = Initiator::Create(NewOptions(), NewData()).value();
  const std::string code = CodeOf(initiator);
  Receiver receiver =
      Receiver::Create(NewOptions(), code.substr(0, code.find('-') + 1) + kWrongWords, NewData())
          .value();
  EXPECT_EQ(ReasonOf(receiver.GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(ReasonOf(initiator.GetData().status()), Reason::kWrongCode);
}

void SecretsTest::ComeAsAThird() {
  Options careful = NewOptions();
  careful.confirm_verifier = true;  // holds the exchange while the third comes
  Initiator initiator = Initiator::Create(careful, NewData()).value();
  const std::string code = CodeOf(initiator);
  Receiver receiver = Receiver::Create(NewOptions(), code, NewData()).value();
  ASSERT_TRUE(initiator.GetVerifier().ok());
  Receiver third = Receiver::Create(NewOptions(), code, NewData()).value();
  EXPECT_EQ(ReasonOf(third.GetData().status()), Reason::kCrowded);
  initiator.AcceptVerifier(true);
  Finish(initiator);
  Finish(receiver);
}

void SecretsTest::GoOnFromASavedState() {
  std::optional<Initiator> first = Initiator::Create(NewOptions(), NewData()).value();
  const std::string code = CodeOf(*first);
  const std::string state = first->Serialize().value();
  ledger_->AddState(state);
  first.reset();
  Initiator initiator = Initiator::FromSerialized(state, NewOptions()).value();
  Receiver receiver = Receiver::Create(NewOptions(), code, NewData()).value();
  Finish(initiator);
  Finish(receiver);
}

void SecretsTest::GiveUp() {
  Initiator initiator = Initiator::Create(NewOptions(), NewData()).value();
  CodeOf(initiator);
  initiator.Cancel();
  EXPECT_TRUE(initiator.Finish(absl::Seconds(30)).ok());
}

void SecretsTest::SendWhatNobodyShould() {
  const std::string secret = NewData();
  AttachRequest short_token = service_test::OpenAllocate('a');
  short_token.mutable_open()->set_token(secret.substr(0, 31));
  AttachRequest hostile_app = WithToken(service_test::OpenAllocate('a'));
  hostile_app.mutable_open()->set_app_id(secret + "\n\x1b[2J");
  AttachRequest unreadable = WithToken(service_test::OpenAllocate('a'));
  unreadable.mutable_open()->set_app_id("\xff" + secret);  // no UTF-8: it does not parse
  for (const AttachRequest& request :
       {short_token, hostile_app, unreadable, service_test::Post(1, secret),
        WithToken(service_test::OpenAllocate('a')), WithToken(service_test::OpenClaim('a', 999)),
        WithToken(service_test::OpenResume('a', 999))}) {
    AttachClient client(channel_, {{"authorization", "Bearer " + secret}});
    client.Send(request);
    EXPECT_FALSE(client.Finish().ok());
  }
  AttachClient cancelled(channel_, {{"authorization", "Bearer " + bearer_token_}});
  cancelled.Send(WithToken(service_test::OpenAllocate('a')));
  EXPECT_TRUE(cancelled.Receive()->has_opened());
  cancelled.Send(service_test::Post(1, secret));
  cancelled.ReceiveNews();
  cancelled.Send(service_test::Post(7, secret));  // not the next one
}

void SecretsTest::BeBusy() {
  std::vector<std::future<void>> running;
  for (void (SecretsTest::*exchange)() :
       {&SecretsTest::Meet, &SecretsTest::Meet, &SecretsTest::Meet, &SecretsTest::MeetWithAWaiter,
        &SecretsTest::UseTheWrongCode, &SecretsTest::ComeAsAThird,
        &SecretsTest::GoOnFromASavedState, &SecretsTest::GiveUp,
        &SecretsTest::SendWhatNobodyShould}) {
    running.push_back(std::async(std::launch::async, exchange, this));
  }
  for (std::future<void>& exchange : running) exchange.get();
}

TEST_P(SecretsTest, NothingThatTheRelayShowsHoldsASecret) {
  StartRelay({GetParam()});
  BeBusy();
  // Stays, so that there is something to see.
  Initiator alone = Initiator::Create(NewOptions(), NewData()).value();
  CodeOf(alone);
  const std::vector<Output> outputs = AllOutput(SIGTERM, 0);
  const SecretSearch secrets = Secrets();
  EXPECT_GT(ledger_->all().size(), 100u);
  for (const Output& output : outputs) {
    EXPECT_EQ(secrets.FindIn(output.text), std::set<std::string>()) << output.text;
    EXPECT_EQ(ClientAddresses(output.text), std::set<std::string>()) << output.text;
  }
  // It has had its chance: each stream is there. And the search finds what is there.
  const std::string& log = outputs.back().text;
  EXPECT_NE(log.find("721"), std::string::npos);
  SecretSearch known;
  known.Add("app-id", kApp);
  for (const Output& output : outputs) {
    if (output.name == "GetRelay" || output.name == "standard output") continue;
    EXPECT_EQ(known.FindIn(output.text), (std::set<std::string>{"app-id as it is"}))
        << output.name << ": " << output.text;
  }
  for (const auto& [name, secret] : ledger_->all()) {
    const std::string part = secret.size() < 32 ? secret : secret.substr(secret.size() / 3, 16);
    EXPECT_NE(secrets.FindIn(log + "x=" + absl::BytesToHexString(part)), std::set<std::string>())
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, SecretsTest,
                         ::testing::Values("--log-format=text", "--log-format=json"),
                         [](const auto& info) { return std::string(info.param).substr(13); });

TEST_F(SecretsTest, AddressesAreFoundWhereTheyAreAskedFor) {
  StartRelay({"--log-addresses"});
  Meet();
  EXPECT_FALSE(ClientAddresses(AllOutput(SIGTERM, 0).back().text).empty());
}

TEST_F(SecretsTest, ACrashLeavesNoCore) {
  rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
  const auto files = [] {
    const auto here = std::filesystem::directory_iterator(".");
    return std::distance(begin(here), end(here));
  };
  const auto before = files();
  StartRelay({});
  Meet();
  AllOutput(SIGABRT, 128 + SIGABRT);
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace wormhole::testing
