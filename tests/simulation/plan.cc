#include "tests/simulation/plan.h"

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/code.h"

namespace wormhole::simulation {
namespace {

constexpr absl::Duration kZero = absl::ZeroDuration();

std::string Words(SimRandom& random) { return core::DrawWords(2, random); }

std::string Data(SimRandom& random, std::string_view owner) {
  const uint32_t kind = random.Below(20);
  size_t size = random.Below(300);
  if (kind == 0) size = random.Below(65'000 - 100);
  if (kind == 1) size = 0;
  // Of which pair and side it is: a mix-up shows.
  return absl::StrCat(absl::string_view(owner.data(), owner.size()), " ", random.Next(), " ",
                      std::string(size, 'd'));
}

NetworkPlan DrawNetwork(SimRandom& random) {
  NetworkPlan plan;
  if (random.Chance(0.2)) plan.max_delay = absl::Seconds(2);
  if (random.Chance(0.7)) {
    plan.mean_life = random.Between(absl::Milliseconds(50), absl::Seconds(20));
  }
  if (random.Chance(0.5)) plan.failing_connects = 0.5 * random.Unit();
  if (random.Chance(0.2)) plan.max_write = absl::Milliseconds(400);
  plan.in_turn = random.Chance(0.5);
  return plan;
}

StorePlan DrawStore(SimRandom& random) {
  StorePlan plan;
  if (random.Chance(0.3)) plan.max_commit = random.Between(kZero, absl::Seconds(2));
  plan.scattered_answers = random.Chance(0.3);
  if (random.Chance(0.3)) plan.failing_batches = 0.3 * random.Unit();
  return plan;
}

GroupPlan DrawGroup(SimRandom& random) {
  GroupPlan plan;
  if (random.Chance(0.5)) plan.relays = 2 + static_cast<int>(random.Below(2));
  if (random.Chance(0.3)) plan.max_news = random.Between(kZero, absl::Seconds(2));
  if (random.Chance(0.4)) {
    plan.mean_watch_life = random.Between(absl::Seconds(1), absl::Seconds(30));
  }
  plan.lease = random.Between(absl::Seconds(1), absl::Seconds(15));
  plan.echoes = random.Chance(0.3);
  return plan;
}

RelayPlan DrawRelay(SimRandom& random) {
  RelayPlan plan;
  relay::ChannelLimits& limits = plan.options.limits;
  limits.window_frames = 4 + random.Below(12);
  limits.window_bytes = 262'144 + random.Below(1 << 20);
  limits.quarantine = random.Between(absl::Seconds(1), absl::Minutes(5));
  if (random.Chance(0.08)) limits.ttl_max = random.Between(absl::Seconds(2), absl::Seconds(90));
  plan.options.heartbeat = random.Between(absl::Seconds(2), absl::Seconds(20));
  plan.options.motd = random.Chance(0.1) ? "Hello, all" : "";
  plan.tick = random.Between(absl::Milliseconds(200), absl::Seconds(1));
  if (random.Chance(0.6)) {
    plan.mean_life = random.Between(absl::Milliseconds(100), absl::Seconds(30));
  }
  if (random.Chance(0.3)) {
    plan.mean_store_life = random.Between(absl::Seconds(1), absl::Seconds(30));
  }
  if (random.Chance(0.2)) {
    plan.options.max_stream_age = random.Between(absl::Seconds(15), absl::Seconds(60));
  }
  return plan;
}

// One thing alone goes wrong, often: such courses are rare when everything does.
void Focus(SimRandom& random, RunPlan& run) {
  const NetworkPlan network = run.network;
  const StorePlan store = run.store;
  const RelayPlan relay = run.relay;
  run.network = {.min_delay = network.min_delay, .max_delay = network.max_delay};
  run.store = {.max_commit = store.max_commit, .scattered_answers = store.scattered_answers};
  run.relay.mean_life = run.relay.mean_store_life = absl::InfiniteDuration();
  run.group.mean_watch_life = absl::InfiniteDuration();
  run.steady_clients = random.Chance(0.8);
  switch (random.Below(run.group.relays > 1 ? 7 : 4)) {
    case 0:
      run.network = network;
      break;
    case 1:
      run.store.failing_batches = 0.4 * random.Unit();
      break;
    case 2:
      run.relay.mean_life = random.Between(absl::Milliseconds(50), absl::Seconds(5));
      break;
    case 3:
      run.steady_clients = false;
      break;
    case 4:
      run.relay.mean_store_life = random.Between(absl::Milliseconds(500), absl::Seconds(5));
      break;
    case 5:
      run.group.mean_watch_life = random.Between(absl::Milliseconds(500), absl::Seconds(5));
      break;
    default:
      // Where somebody is has to be known soon after who asked has gone without an answer.
      run.store.max_commit = random.Between(absl::Milliseconds(50), absl::Milliseconds(500));
      run.store.failing_batches = 0.3 + 0.4 * random.Unit();
      run.group.lease = absl::Seconds(1);
      run.group.max_news = absl::Milliseconds(50);
      run.hasty_clients = true;
      break;
  }
}

// Crashes that a hook survives.
void AddCrashes(SimRandom& random, ClientPlan& client) {
  if (random.Chance(0.4)) client.crash_at_effect = 0.1 * random.Unit();
  if (random.Chance(0.4)) {
    client.mean_life = random.Between(absl::Milliseconds(100), absl::Seconds(20));
  }
}

void SetTimes(SimRandom& random, absl::Duration faults_end, ClientPlan& client) {
  core::ExchangeConfig& config = client.config;
  config.timeout = faults_end + absl::Seconds(300);
  config.check_in = random.Chance(0.25);
  if (config.check_in) {
    const absl::Duration tick = random.Between(absl::Seconds(1), absl::Seconds(15));
    config.schedule = {{kZero, tick}};
    config.timeout += 25 * tick;
  } else if (random.Chance(0.3)) {
    config.schedule = {{kZero, absl::Milliseconds(300)}, {absl::Seconds(20), absl::Seconds(3)}};
  }
}

ClientPlan DrawClient(SimRandom& random, const RunPlan& run, pake::Role role, std::string app_id,
                      std::string_view name) {
  ClientPlan client;
  client.config.role = role;
  client.config.app_id = std::move(app_id);
  client.config.relay = "simulated:1";
  client.config.data = Data(random, name);
  client.config.confirm_verifier = random.Chance(0.2);
  client.clock_skew = random.Between(-absl::Hours(30), absl::Hours(30));
  SetTimes(random, run.faults_end, client);
  if (!run.steady_clients) AddCrashes(random, client);
  return client;
}

ClientPlan& Either(SimRandom& random, PairPlan& pair) {
  return random.Chance(0.5) ? pair.initiator : pair.receiver;
}

// Mostly too soon for an answer. The one who comes second: else nobody is there to see.
void MakeHasty(SimRandom& random, PairPlan& pair) {
  ClientPlan& client = pair.receiver_comes_first ? pair.initiator : pair.receiver;
  client.mean_life = random.Between(absl::Milliseconds(50), absl::Milliseconds(500));
  client.max_pause = absl::Seconds(30);
}

// Without a hook a crash loses everything, or what was serialized in time.
void MakeForgetful(SimRandom& random, PairPlan& pair) {
  ClientPlan& client = Either(random, pair);
  client.hook = false;
  const bool crashes = client.crash_at_effect > 0 || client.mean_life != absl::InfiniteDuration();
  if (crashes) pair.Excuse(Excuse::kStale);
}

void MakeGoBack(SimRandom& random, PairPlan& pair) {
  ClientPlan& client = Either(random, pair);
  client.returns = ClientPlan::Return::kOlder;
  client.crash_at_effect = 0.1;
  client.most_crashes = 1 + random.Below(3);
  pair.Excuse(Excuse::kStale);
}

void MakeGiveUp(SimRandom& random, const RunPlan& run, PairPlan& pair) {
  ClientPlan& client = Either(random, pair);
  const absl::Duration while_it_goes_on = random.Between(kZero, run.faults_end);
  switch (random.Below(5)) {
    case 0:
      client.cancel_after = while_it_goes_on;
      break;
    case 1:
      client.config.timeout = while_it_goes_on + absl::Milliseconds(100);
      break;
    case 2:
      client.config.confirm_verifier = true;
      client.accepts_verifier = false;
      break;
    case 3:
      client.returns = ClientPlan::Return::kNever;
      client.mean_life = absl::Seconds(5);
      break;
    default:
      client.failing_save = 1 + static_cast<int>(random.Below(8));
      break;
  }
  pair.Excuse(Excuse::kGaveUp);
}

void AddRival(SimRandom& random, const RunPlan& run, PairPlan& pair, int index) {
  pair.rival = DrawClient(random, run, pake::Role::kReceiver, pair.receiver.config.app_id,
                          absl::StrCat("rival of pair ", index));
  if (random.Chance(0.6)) pair.rival_words = Words(random);
  pair.rival_delay = random.Between(kZero, 2 * pair.receiver_delay);
  pair.Excuse(Excuse::kRival);
}

void AddIntruders(SimRandom& random, PairPlan& pair) {
  const bool named = !pair.initiator.config.code.empty();
  for (uint32_t left = 1 + random.Below(3); left > 0; --left) {
    IntruderPlan intruder;
    intruder.trick = static_cast<IntruderPlan::Trick>(random.Below(4));
    intruder.after_claim = random.Chance(0.5);
    intruder.delay = random.Between(kZero, absl::Seconds(20));
    const bool joins = intruder.trick == IntruderPlan::Trick::kClaim ||
                       (intruder.trick == IntruderPlan::Trick::kWait && named);
    if (joins && !intruder.after_claim) pair.Excuse(Excuse::kRival);
    pair.intruders.push_back(intruder);
  }
}

void AddTrouble(SimRandom& random, const RunPlan& run, PairPlan& pair, int index) {
  const uint32_t kind = random.Below(100);
  if (kind < 10) {
    pair.other_words = Words(random);
    pair.Excuse(Excuse::kWrongCode);
  } else if (kind < 22) {
    AddIntruders(random, pair);
  } else if (kind < 29) {
    AddRival(random, run, pair, index);
  } else if (kind < 37) {
    MakeForgetful(random, pair);
  } else if (kind < 44) {
    MakeGoBack(random, pair);
  } else if (kind < 54) {
    MakeGiveUp(random, run, pair);
  } else if (kind < 57) {
    pair.twin_after = random.Between(kZero, absl::Seconds(20));
    pair.twin_of_initiator = random.Chance(0.5);
    pair.Excuse(Excuse::kTwin);
  }
}

std::vector<absl::Duration> DrawCopies(SimRandom& random) {
  std::vector<absl::Duration> copies;
  for (uint32_t left = random.Below(3); left > 0; --left) {
    copies.push_back(random.Between(kZero, absl::Seconds(random.Chance(0.7) ? 4 : 60)));
  }
  return copies;
}

PairPlan DrawPair(SimRandom& random, const RunPlan& run, int index) {
  PairPlan pair;
  const std::string app_id = absl::StrCat("example.com/app", random.Below(2));
  pair.initiator = DrawClient(random, run, pake::Role::kInitiator, app_id,
                              absl::StrCat("initiator of pair ", index));
  pair.receiver = DrawClient(random, run, pake::Role::kReceiver, app_id,
                             absl::StrCat("receiver of pair ", index));
  pair.initiator_delay = random.Between(kZero, absl::Seconds(random.Chance(0.5) ? 1 : 20));
  pair.receiver_delay = random.Between(kZero, absl::Seconds(random.Chance(0.5) ? 2 : 30));
  if (random.Chance(0.3)) {
    // Four digits, so that no id that is drawn gets in the way.
    pair.initiator.config.code =
        absl::StrCat(1000 * (index + 1) + random.Below(1000), "-", Words(random));
    pair.receiver_comes_first = random.Chance(0.6);
    pair.receiver.config.wait = pair.receiver_comes_first || random.Chance(0.3);
  }
  if (run.hasty_clients) MakeHasty(random, pair);
  AddTrouble(random, run, pair, index);
  pair.initiator_copies = DrawCopies(random);
  pair.receiver_copies = DrawCopies(random);
  if (run.relay.options.limits.ttl_max < absl::Minutes(3)) pair.Excuse(Excuse::kExpiry);
  if (run.relay.forgets) pair.Excuse(Excuse::kForgetting);
  return pair;
}

ChatPlan DrawChat(SimRandom& random, uint32_t most_frames) {
  ChatPlan plans;
  for (RawClientPlan* plan : {&plans.first, &plans.second}) {
    plan->frames = 1 + random.Below(most_frames);
    if (random.Chance(0.2)) plan->largest_frame = 65'000;
    plan->eager_ack = random.Chance(0.3) ? 0 : random.Unit();
    if (random.Chance(0.5)) plan->mean_pause = absl::Milliseconds(200);
    plan->cheats = random.Chance(0.3);
  }
  plans.first.peer_frames = plans.second.frames;
  plans.second.peer_frames = plans.first.frames;
  return plans;
}

// What a relay has to say of a side comes when the id is another channel's, whose sides then talk
// for longer than it takes until all relays agree.
void MakeWordsLate(SimRandom& random, RunPlan& run) {
  run.group.max_words = random.Between(absl::Seconds(1), absl::Seconds(4));
  run.group.lease = absl::Seconds(1);
  run.group.max_news = run.store.max_commit = absl::Milliseconds(50);
  run.relay.options.limits.quarantine = absl::Seconds(1);
  for (ChatPlan& chat : run.chats) {
    for (RawClientPlan* plan : {&chat.first, &chat.second}) plan->mean_pause = absl::Seconds(1);
  }
}

void AddChats(SimRandom& random, RunPlan& run) {
  if (random.Chance(0.5)) {
    run.chats.push_back(DrawChat(random, 80));
    return;
  }
  for (uint32_t left = 2 + random.Below(4); left > 0; --left) {
    run.chats.push_back(DrawChat(random, 12));
    ChatPlan& chat = run.chats.back();
    if (random.Chance(0.5)) chat.second_delay = random.Between(kZero, absl::Seconds(4));
    chat.first_copies = DrawCopies(random);
    chat.second_copies = DrawCopies(random);
  }
  run.squatters = 8;
  run.lurkers = random.Chance(0.7);
  // Longer than the run; else it may be shorter than one chat.
  if (random.Chance(0.5)) run.relay.options.limits.quarantine = absl::Minutes(30);
  for (PairPlan& pair : run.pairs) {
    // Others come late, or with an old copy, when the id may be a chat's; so do intruders.
    if (pair.excuses != 0 || !pair.intruders.empty() || random.Chance(0.5)) continue;
    pair.initiator.config.app_id = pair.receiver.config.app_id = kChatApp;
  }
  if (run.group.relays > 1 && run.pairs.size() == 1 && random.Chance(0.5)) {
    MakeWordsLate(random, run);
  }
}

// Little, mostly, so that a chat of large frames waits again and again. What the flags let an
// operator choose at the least: two of the largest frames in a heartbeat.
void LimitPosts(SimRandom& random, RunPlan& run) {
  relay::SwitchboardOptions& options = run.relay.options;
  const double least =
      2.0 * options.limits.max_frame_bytes / absl::ToDoubleSeconds(options.heartbeat);
  const double share = random.Unit();
  options.max_posted_bytes_per_second = static_cast<uint64_t>(least + share * share * 500'000) + 1;
  if (random.Chance(0.5)) return;
  options.limits.window_bytes = 262'144;
  for (ChatPlan& chat : run.chats) {
    for (RawClientPlan* plan : {&chat.first, &chat.second}) plan->largest_frame = 65'000;
  }
}

}  // namespace

void AddSleeper(SimRandom& random, RunPlan& run) {
  PairPlan& pair = run.pairs.front();
  ClientPlan& sleeper = Either(random, pair);
  sleeper.sleeps_after = random.Exponential(absl::Seconds(5));
  // Ten minutes to three hours, the shorter the more often.
  const double share = random.Unit();
  sleeper.sleep = absl::Minutes(10) * std::pow(18.0, share * share);
  sleeper.clock_sleeps = random.Chance(0.5);
  for (ClientPlan* client : {&pair.initiator, &pair.receiver}) {
    client->config.timeout += sleeper.sleep;
  }
  if (pair.rival.has_value()) pair.rival->config.timeout += sleeper.sleep;
  run.longest_sleep = sleeper.sleep;
}

bool IsSteady(const RunPlan& run) {
  const absl::Duration never = absl::InfiniteDuration();
  // What is said on a stream may wait for three commits: one under way, one of what came before.
  const bool answers_soon = 3 * run.store.max_commit <= run.relay.options.heartbeat;
  return answers_soon && run.longest_sleep == kZero && run.network.mean_life == never &&
         run.network.failing_connects == 0 && run.store.failing_batches == 0 &&
         run.relay.mean_life == never && run.relay.mean_store_life == never &&
         run.group.mean_watch_life == never;
}

RunPlan DrawPlan(SimRandom& random) {
  RunPlan run;
  run.faults_end = random.Between(absl::Seconds(5), absl::Seconds(90));
  run.network = DrawNetwork(random);
  run.store = DrawStore(random);
  run.group = DrawGroup(random);
  run.relay = DrawRelay(random);
  run.relay.forgets = run.group.relays == 1 && random.Chance(0.05);
  if (random.Chance(0.4)) Focus(random, run);
  const int pairs = random.Chance(0.7) ? 1 : 2 + static_cast<int>(random.Below(2));
  // Else somebody who comes late with an ended channel's code may meet another pair under its id.
  if (pairs > 1) run.relay.options.limits.quarantine = absl::Minutes(30);
  for (int i = 0; i < pairs; ++i) run.pairs.push_back(DrawPair(random, run, i));
  const bool keeps = !run.relay.forgets && run.relay.options.limits.ttl_max > absl::Minutes(3);
  if (keeps && random.Chance(0.2)) AddChats(random, run);
  if (random.Chance(0.5)) LimitPosts(random, run);
  return run;
}

}  // namespace wormhole::simulation
