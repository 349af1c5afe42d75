// A client's process and the person in front of it: drives the shipped core, keeps what its save
// hook is given, is killed and restored.
#ifndef WORMHOLE_TESTS_SIMULATION_SIM_CLIENT_H_
#define WORMHOLE_TESTS_SIMULATION_SIM_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/core/exchange.h"
#include "tests/simulation/random.h"
#include "tests/simulation/stage.h"
#include "tests/simulation/transport.h"
#include "wormhole/outcome.h"

namespace wormhole::simulation {

struct ClientPlan {
  // What is started again after the process has been killed.
  enum class Return { kLatest, kOlder, kNever };

  core::ExchangeConfig config;
  bool hook = true;
  Return returns = Return::kLatest;
  double crash_at_effect = 0;                           // chance, while faults are on
  absl::Duration mean_life = absl::InfiniteDuration();  // of the process, while faults are on
  absl::Duration max_pause = absl::Seconds(10);         // before it is started again
  int most_crashes = 8;
  std::optional<absl::Duration> cancel_after;
  bool accepts_verifier = true;
  int failing_save = 0;       // the save hook fails at this call; 0: never
  absl::Duration clock_skew;  // of the wall clock
  // It stands still once, for so long: its machine sleeps, and the steady clock with it, or it is
  // stopped.
  std::optional<absl::Duration> sleeps_after;  // from its start
  absl::Duration sleep;
  bool clock_sleeps = false;
};

// How an exchange went on for one client, over all of its processes.
struct ClientReport {
  std::set<std::string> codes;
  std::set<std::string> verifiers;
  std::set<std::string> derived_keys;
  std::vector<std::string> data;       // each delivery
  std::vector<absl::Status> failures;  // each Failed, and a restore that was refused
  bool failed_before_data = false;     // in whatever processes, and for good
  bool failed_after_data = false;
  // What the state had come to that could not be restored since it is used up.
  std::optional<Reason> spent_on;
  bool over = false;       // Over, or killed for good
  bool killed = false;     // for good
  bool went_back = false;  // an older copy was restored
  int crashes = 0;
  // Crashes that came before it had saved what it made of the peer's first frame: it has not
  // answered that, and does not know of it any more.
  size_t lost_guesses = 0;
  std::vector<std::string> wrongs;  // what no core may do, whatever happens
};

class SimClient final : public StreamEvents {
 public:
  SimClient(const Stage* stage, Transport* transport, SimRandom random, int party, ClientPlan plan);

  // The first code, once; then the end, once.
  void Listen(std::function<void(std::string)> on_code, std::function<void()> on_over);
  void Start();
  // Before Start: begins as a second process with what another has saved.
  void Adopt(const SimClient& other) { copies_ = other.copies_; }

  const ClientPlan& plan() const { return plan_; }
  const ClientReport& report() const { return report_; }
  // What it began with, where it was let in last, and when it first said that it leaves.
  const rendezvous::v1::AttachRequest& opening() const { return opening_; }
  const rendezvous::v1::Opened& joined() const { return joined_; }
  std::optional<absl::Duration> closing_since() const { return closing_since_; }
  bool has_saved() const { return !copies_.empty(); }

  // StreamEvents
  void OnResponse(const rendezvous::v1::AttachResponse& response) override;
  void OnEnded(const absl::Status& status) override;

 private:
  void StartProcess();
  absl::StatusOr<std::unique_ptr<core::Exchange>> MakeExchange();
  void NoteSpent(const std::string& copy);
  void Handle(core::Event event);
  // Whether the effects that follow may be carried out.
  bool Carry(const core::Effect& effect);
  bool CarrySave(const core::Save& save);
  void CarrySend(const rendezvous::v1::AttachRequest& request);
  void CarryVerifier(const core::VerifierReady& verifier);
  void CarryData(const core::DataReady& ready);
  void CarryFailure(const absl::Status& status);
  void PlanCrash();
  void Crash();
  void EndProcess();
  void Finish();
  void AwaitWake();
  void Sleep();
  void WakeUp();
  // `action`, which comes from outside; while it sleeps, when it has woken up.
  void Meet(std::function<void()> action);
  // `action` after `delay`, unless the process ends before.
  void Later(absl::Duration delay, std::function<void()> action);
  core::Instant Now() const;

  const Stage* const stage_;
  Transport* const transport_;
  SimRandom random_;
  const int party_;
  const ClientPlan plan_;
  ClientReport report_;
  std::function<void(std::string)> on_code_;
  std::function<void()> on_over_;

  uint64_t process_ = 0;
  absl::Duration process_start_;
  bool asleep_ = false;
  absl::Duration slept_;                          // by which the steady clock is late
  std::vector<std::function<void()>> meanwhile_;  // what has come while it slept
  uint64_t wake_ = 0;                             // counts planned wakes; only the last one counts
  std::unique_ptr<core::Exchange> exchange_;
  std::shared_ptr<ClientStream> stream_;
  rendezvous::v1::AttachRequest opening_;
  rendezvous::v1::Opened joined_;
  std::optional<absl::Duration> closing_since_;
  std::vector<std::string> copies_;  // what was saved, oldest first
  int saves_ = 0;
  bool data_in_process_ = false;
  bool failed_in_process_ = false;
  bool fails_now_ = false;            // among the effects that it carries out; its key is gone
  bool failed_for_good_ = false;      // in whatever process
  std::set<uint64_t> posted_before_;  // numbers sent on earlier streams: for a flaw
  std::set<uint64_t> posted_now_;
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_SIM_CLIENT_H_
