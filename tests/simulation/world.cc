#include "tests/simulation/world.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/code.h"
#include "proto/wire/side.h"

namespace wormhole::simulation {
namespace {

// A run that needs more goes in circles: the longest ones need about a tenth.
constexpr size_t kMostEvents = 400'000;
// Longer than any client may take that does not sleep. Who sleeps may wait for as long again.
constexpr absl::Duration kMostTime = absl::Minutes(30);
// Longer than any channel may live for which nobody sleeps, and rest in quarantine.
constexpr absl::Duration kCleanTime = absl::Minutes(120);
// How often relays look at the clock then. Over etcd they renew leases of a few seconds.
constexpr absl::Duration kRareTick = absl::Seconds(5);
constexpr absl::Duration kRareTickOverEtcd = absl::Seconds(1);

// See stage.h.
constexpr int kFirstRawClient = 900;
constexpr int kFirstCheat = 940;
constexpr int kFirstSquatter = 950;
constexpr int kFirstLurker = 970;
constexpr int kFirstStraggler = 1000;

// When all relays over etcd have begun.
constexpr absl::Duration kBegun = absl::Seconds(20);

// No copy is on its way for so long, stalls and tries to reach the store included.
constexpr absl::Duration kLongestDelay = absl::Seconds(60);

// A relay whose machine's clock is set believes it by so much.
constexpr absl::Duration kClockError = absl::Minutes(1);

// Apart from the plan's own draws, so that the runs without etcd stay what they were.
bool IsOverEtcd(uint64_t seed, const RunPlan& plan) {
  return plan.group.relays > 1 && SimRandom(~seed).Chance(0.5);
}

// With clients for whom what is lost is an excuse; chats know none.
bool GoesBack(uint64_t seed, const RunPlan& plan) {
  return plan.group.etcd && plan.chats.empty() && !IsSteady(plan) &&
         SimRandom(seed ^ 0xbacc).Chance(0.2);
}

// Not where a channel lives too short to be waited for.
bool HasSleeper(uint64_t seed, const RunPlan& plan) {
  return seed % 97 == 0 && plan.relay.options.limits.ttl_max > absl::Minutes(3);
}

RunPlan DrawWorld(uint64_t seed, SimRandom& random) {
  RunPlan plan = DrawPlan(random);
  plan.group.etcd = IsOverEtcd(seed, plan);
  plan.group.goes_back = GoesBack(seed, plan);
  if (HasSleeper(seed, plan)) {
    SimRandom of_sleep(seed ^ 0x51ee9);
    AddSleeper(of_sleep, plan);
  }
  return plan;
}

}  // namespace

RunReport RunSeed(uint64_t seed, const Flaws& flaws, bool trace) {
  return World(seed, flaws, trace).Run();
}

World::World(uint64_t seed, const Flaws& flaws, bool trace)
    : trace_(&loop_, trace),
      random_(seed),
      plan_(DrawWorld(seed, random_)),
      stage_{.loop = &loop_,
             .trace = &trace_,
             .flaws = flaws,
             .faults_end = plan_.faults_end,
             .quarantine = plan_.relay.options.limits.quarantine,
             .steady = IsSteady(plan_),
             .alone = plan_.group.relays == 1 && !plan_.relay.forgets} {
  MakeRelays();
  for (const PairPlan& plan : plan_.pairs) {
    auto pair = std::make_unique<Pair>();
    pair->index = static_cast<int>(pairs_.size());
    pair->plan = plan;
    if (plan_.group.goes_back) pair->plan.Excuse(Excuse::kForgetting);
    pairs_.push_back(std::move(pair));
  }
}

// While somebody sleeps relays look at the clock, and others say that they are there.
size_t World::MostEvents() const {
  return kMostEvents + static_cast<size_t>(plan_.longest_sleep / absl::Milliseconds(10));
}

void World::MakeRelays() {
  std::vector<RelayStore*> ends;
  if (plan_.group.relays == 1) {
    store_ = std::make_unique<SimStore>(&stage_, plan_.store, random_.Fork());
    truth_ = store_.get();
    ends.push_back(store_.get());
  } else if (plan_.group.etcd) {
    etcd_ = std::make_unique<EtcdWorld>(&stage_, plan_.store, plan_.group, plan_.relay.tick,
                                        random_.Fork());
    truth_ = etcd_.get();
    if (etcd_->clocks_are_set()) stage_.clock_error = kClockError;
    for (int i = 0; i < plan_.group.relays; ++i) ends.push_back(etcd_->AddRelay());
  } else {
    group_ = std::make_unique<SimGroup>(&stage_, plan_.store, plan_.group, random_.Fork());
    truth_ = group_.get();
    for (int i = 0; i < plan_.group.relays; ++i) ends.push_back(group_->AddRelay());
  }
  wire_judge_ = std::make_unique<WireJudge>(&stage_, truth_);
  network_ =
      std::make_unique<SimNetwork>(&stage_, plan_.network, wire_judge_.get(), random_.Fork());
  for (RelayStore* end : ends) {
    const int number = static_cast<int>(relays_.size()) + 1;
    relays_.push_back(
        std::make_unique<SimRelay>(&stage_, plan_.relay, random_.Fork(), end, number));
    network_->Add(relays_.back().get());
  }
}

std::unique_ptr<SimClient> World::MakeClient(Pair& pair, int place, ClientPlan plan) {
  auto client = std::make_unique<SimClient>(&stage_, network_.get(), random_.Fork(),
                                            10 * pair.index + place, std::move(plan));
  ++waiting_for_;
  client->Listen([](const std::string&) {}, [this, &pair] { EndClient(pair); });
  return client;
}

std::string World::WithWords(const std::string& code, const std::string& words) {
  if (words.empty()) return code;
  return absl::StrCat(code.substr(0, code.find('-')), "-", words);
}

void World::StartPair(Pair& pair) {
  pair.initiator = MakeClient(pair, 0, pair.plan.initiator);
  // It may have to start a receiver before it ends.
  pair.initiator->Listen(
      [this, &pair](const std::string& code) {
        pair.code = code;
        if (!pair.plan.receiver_comes_first) StartReceiver(pair);
        StartRival(pair);
        StartIntruders(pair, false);
      },
      [this, &pair] { EndClient(pair); });
  loop_.After(pair.plan.initiator_delay, [&pair] { pair.initiator->Start(); });
  if (pair.plan.twin_after.has_value()) {
    loop_.After(*pair.plan.twin_after, [this, &pair] { StartTwin(pair); });
  }
  if (!pair.plan.receiver_comes_first) return;
  pair.code = pair.plan.initiator.config.code;
  StartReceiver(pair);
}

void World::StartReceiver(Pair& pair) {
  ClientPlan plan = pair.plan.receiver;
  plan.config.code = WithWords(pair.code, pair.plan.other_words);
  pair.receiver = MakeClient(pair, 1, std::move(plan));
  loop_.After(pair.plan.receiver_delay, [this, &pair] {
    pair.receiver->Start();
    WatchForClaim(pair);
  });
}

void World::StartRival(Pair& pair) {
  if (!pair.plan.rival.has_value()) return;
  ClientPlan plan = *pair.plan.rival;
  plan.config.code = WithWords(pair.code, pair.plan.rival_words);
  pair.rival = MakeClient(pair, 2, std::move(plan));
  loop_.After(pair.plan.rival_delay, [&pair] { pair.rival->Start(); });
}

void World::StartTwin(Pair& pair) {
  const SimClient* const source =
      pair.plan.twin_of_initiator ? pair.initiator.get() : pair.receiver.get();
  if (source == nullptr || source->report().over || !source->has_saved()) return;
  pair.twin = MakeClient(pair, 9, source->plan());
  pair.twin->Adopt(*source);
  pair.twin->Start();
}

void World::StartIntruders(Pair& pair, bool after_claim) {
  const absl::StatusOr<core::Code> code = core::ParseCode(pair.code, true);
  if (!code.ok()) return;
  for (const IntruderPlan& plan : pair.plan.intruders) {
    if (plan.after_claim != after_claim) continue;
    const int party = 10 * pair.index + 3 + static_cast<int>(pair.intruders.size());
    pair.intruders.push_back(std::make_unique<Intruder>(
        &stage_, network_.get(), random_.Fork(), party, plan, pair.plan.initiator.config.app_id));
    pair.intruders.back()->Attack(code->channel_id);
  }
}

void World::StartSquatters() {
  for (int i = 0; i < plan_.squatters; ++i) {
    const RawClientPlan plan{.peer_frames = 1, .ttl = absl::Minutes(10)};  // nobody comes
    squatters_.push_back(std::make_unique<RawClient>(&stage_, network_.get(), random_.Fork(),
                                                     kFirstSquatter + i, plan));
    squatters_.back()->Start(
        0, [](uint32_t) {}, [] {});
  }
}

void World::StartLurkers() {
  if (!plan_.lurkers) return;
  for (uint32_t id = 1; id <= 9; ++id) {
    lurkers_.push_back(std::make_unique<Lurker>(&stage_, network_.get(), random_.Fork(),
                                                kFirstLurker + static_cast<int>(id)));
    lurkers_.back()->Wait(kChatApp, id);
  }
}

// A channel ends when the second side leaves. Behind its quarantine a copy is a stranger's.
void World::SendCopies(const rendezvous::v1::AttachRequest& opening,
                       const rendezvous::v1::Opened& own, absl::Duration left,
                       const std::vector<absl::Duration>& delays) {
  const absl::Duration rests_until = left + plan_.relay.options.limits.quarantine;
  for (const absl::Duration delay : delays) {
    if (loop_.now() + delay + kLongestDelay > rests_until) continue;
    const int party = kFirstStraggler + static_cast<int>(stragglers_.size());
    stragglers_.push_back(
        std::make_unique<Straggler>(&stage_, network_.get(), party, opening, own));
    loop_.After(delay,
                [straggler = stragglers_.back().get()] { straggler->Arrive(absl::Seconds(10)); });
  }
}

// One of the pair's has ended.
void World::EndClient(const Pair& pair) {
  --waiting_for_;
  const SimClient* const initiator = pair.initiator.get();
  const SimClient* const receiver = pair.receiver.get();
  if (pair.plan.excuses != 0 || receiver == nullptr) return;
  if (!initiator->report().over || !receiver->report().over) return;
  const std::optional<absl::Duration> one = initiator->closing_since();
  const std::optional<absl::Duration> other = receiver->closing_since();
  if (!one.has_value() || !other.has_value()) return;
  const absl::Duration left = std::max(*one, *other);
  SendCopies(initiator->opening(), initiator->joined(), left, pair.plan.initiator_copies);
  SendCopies(receiver->opening(), receiver->joined(), left, pair.plan.receiver_copies);
}

// The next one, if there is one.
void World::StartChat() {
  const size_t chat = raw_clients_.size() / 2;
  if (chat == plan_.chats.size()) {
    for (const auto& squatter : squatters_) squatter->Leave();
    for (const auto& lurker : lurkers_) lurker->Leave();
    return;
  }
  for (const RawClientPlan& plan : {plan_.chats[chat].first, plan_.chats[chat].second}) {
    const int party =
        (plan.cheats ? kFirstCheat : kFirstRawClient) + static_cast<int>(raw_clients_.size());
    raw_clients_.push_back(
        std::make_unique<RawClient>(&stage_, network_.get(), random_.Fork(), party, plan));
  }
  waiting_for_ += 2;
  RawClient* const first = raw_clients_[2 * chat].get();
  RawClient* const second = raw_clients_[2 * chat + 1].get();
  const auto on_over = [this, chat, first, second] {
    if (first->over() && second->over()) {
      const ChatPlan& plan = plan_.chats[chat];
      const absl::Duration left = std::max(first->closing_since(), second->closing_since());
      // Both have heard that they have left.
      SendCopies(first->opening(), {}, left, plan.first_copies);
      SendCopies(second->opening(), {}, left, plan.second_copies);
      StartChat();
    }
    --waiting_for_;
  };
  first->Start(
      0,
      [this, chat, second, on_over](uint32_t id) {
        loop_.After(plan_.chats[chat].second_delay, [second, id, on_over] {
          second->Start(
              id, [](uint32_t) {}, on_over);
        });
      },
      on_over);
}

// The receiver is a member, durably, when it is handed the initiator's first frame.
void World::WatchForClaim(Pair& pair) {
  if (pair.receiver->report().over) return;
  if (wire_judge_->Guesses(10 * pair.index + 1) > 0) return StartIntruders(pair, true);
  loop_.After(absl::Milliseconds(200), [this, &pair] { WatchForClaim(pair); });
}

RunReport World::Run() {
  RunReport report;
  report.relays = plan_.group.relays;
  report.etcd = plan_.group.etcd;
  report.sleeper = plan_.longest_sleep != absl::ZeroDuration();
  for (const auto& relay : relays_) {
    relay->Start([this, lost = relay.get()] { network_->LoseRelay(lost); });
  }
  // A relay that has not begun to serve says that its store is away.
  if (etcd_ != nullptr && stage_.steady) loop_.Run(kBegun, kMostEvents, [] { return false; });
  for (const auto& pair : pairs_) StartPair(*pair);
  StartSquatters();
  StartLurkers();
  StartChat();
  const EventLoop::Stop stop = loop_.Run(kMostTime + 2 * plan_.longest_sleep, MostEvents(),
                                         [this] { return waiting_for_ == 0; });
  Judge(stop, report);
  report.events = loop_.events();
  network_->TearDown();
  for (const auto& relay : relays_) relay->Stop();
  report.trace = trace_.lines();
  return report;
}

void World::Judge(EventLoop::Stop stop, RunReport& report) {
  if (stop == EventLoop::Stop::kEvents) {
    report.violations.push_back("the run goes in circles");
  }
  for (const std::string& wrong : wire_judge_->violations()) report.violations.push_back(wrong);
  report.presence = wire_judge_->has_judged_presence();
  for (const auto& pair : pairs_) JudgePair(*pair, report);
  JudgeRawClients(report);
  if (stop == EventLoop::Stop::kDone && report.violations.empty()) JudgeRemains(report);
}

void World::JudgePair(const Pair& pair, RunReport& report) {
  std::vector<Ended> ended;
  const auto add = [&](const char* name, const SimClient* client, int place, bool initiator,
                       const std::string& other_words) {
    if (client == nullptr) return;
    const int party = 10 * pair.index + place;
    ended.push_back({.name = absl::StrCat(name, " ", party),
                     .client = client,
                     .guesses = wire_judge_->Guesses(party),
                     .initiator = initiator,
                     .same_code = other_words.empty()});
  };
  const bool twin_of_initiator = pair.plan.twin_of_initiator;
  add("initiator", pair.initiator.get(), 0, true, "");
  add("receiver", pair.receiver.get(), 1, false, pair.plan.other_words);
  add("rival", pair.rival.get(), 2, false, pair.plan.rival_words);
  add("twin", pair.twin.get(), 9, twin_of_initiator, "");
  for (std::string& wrong : JudgeOutcome(pair.plan, ended)) {
    report.violations.push_back(std::move(wrong));
  }
  ++report.exchanges;
  if (pair.receiver != nullptr && !pair.initiator->report().data.empty() &&
      !pair.receiver->report().data.empty()) {
    ++report.finished;
  }
}

bool World::IsTakenByCopy(size_t chat) const {
  const auto side_of = [this](size_t client) {
    return wire::SideFromToken(raw_clients_[client]->opening().open().token()).value_or("");
  };
  for (const WireJudge::Arrival& receiver : wire_judge_->ReceiversOf(side_of(2 * chat))) {
    for (size_t client = 0; client < 2 * chat; ++client) {
      if (receiver.side != side_of(client)) continue;
      const size_t first = client & ~size_t{1};
      // The channel ends when the second side leaves.
      const absl::Duration left =
          std::max(raw_clients_[first]->closing_since(), raw_clients_[first + 1]->closing_since());
      if (receiver.at > left + stage_.quarantine - stage_.clock_error) return true;
    }
  }
  return false;
}

void World::JudgeRawClients(RunReport& report) {
  for (const auto& lurker : lurkers_) {
    if (lurker->joined()) report.violations.push_back("a waiter is joined to an id that was drawn");
  }
  for (const auto& straggler : stragglers_) {
    if (!straggler->joined()) continue;
    report.violations.push_back("a side of an ended channel is let into another one");
  }
  for (size_t i = 0; i < raw_clients_.size(); ++i) {
    if (IsTakenByCopy(i / 2)) continue;
    const RawClient& client = *raw_clients_[i];
    const std::string name = absl::StrCat(i % 2 == 0 ? "first" : "second", " of chat ", i / 2 + 1);
    if (!client.over()) report.violations.push_back(absl::StrCat(name, " never ends"));
    if (client.failure().empty()) continue;
    report.violations.push_back(absl::StrCat(name, " fails: ", client.failure()));
  }
}

void World::JudgeRemains(RunReport& report) {
  stage_.least_tick = etcd_ == nullptr ? kRareTick : kRareTickOverEtcd;
  loop_.Run(loop_.now() + kCleanTime + plan_.longest_sleep, 2 * MostEvents(),
            [this] { return !truth_->HasChannels(); });
  if (const int broken = truth_->BrokenRests(); broken > 0) {
    report.violations.push_back(absl::StrCat(broken, " ids were drawn while they rested"));
  }
  if (truth_->HasChannels()) report.violations.push_back("channels are left when all have expired");
  for (const std::string& wrong : truth_->Wrongs()) report.violations.push_back(wrong);
  const absl::Duration settle = loop_.now() + absl::Minutes(5);
  loop_.Run(settle, 2 * MostEvents(), [] { return false; });
  for (const std::string& wrong : truth_->WrongsAtLast()) report.violations.push_back(wrong);
  if (truth_->HasPresence()) report.violations.push_back("a side is left as attached");
  if (const int leaks = network_->Leaks(); leaks > 0) {
    report.violations.push_back(absl::StrCat("the switchboard still holds ", leaks, " streams"));
  }
}

}  // namespace wormhole::simulation
