#include "tests/bench/library_exchange.h"

#include <cstdio>

#include "tests/bench/raw_side.h"
#include "tests/bench/usage.h"

namespace wormhole::bench {
namespace {

constexpr char kInitiatorData[] = "the initiator's data, 32 bytes..";
constexpr char kReceiverData[] = "the receiver's data, 32 bytes...";

}  // namespace

void LibraryExchange::Start(const std::shared_ptr<Client>& client, const Targets& targets,
                            OnEnd on_end) {
  Options options;
  options.app_id = kAppId;
  options.rendezvous = targets.initiator;
  options.client = client;
  Options receiver_options = options;
  receiver_options.rendezvous = targets.receiver;
  auto exchange = std::make_shared<LibraryExchange>(std::move(options), std::move(receiver_options),
                                                    std::move(on_end));
  exchange->Begin();
}

void LibraryExchange::Begin() {
  absl::StatusOr<Initiator> initiator = Initiator::Create(initiator_options_, kInitiatorData);
  if (!initiator.ok()) return Fail(initiator.status());
  initiator_ = std::move(*initiator);
  initiator_->WhenCode(
      [self = shared_from_this()](absl::StatusOr<std::string> code) { self->OnCode(code); });
}

void LibraryExchange::OnCode(const absl::StatusOr<std::string>& code) {
  if (!code.ok()) return Fail(code.status());
  claimed_at_ = NowMicros();
  absl::StatusOr<Receiver> receiver = Receiver::Create(receiver_options_, *code, kReceiverData);
  if (!receiver.ok()) return Fail(receiver.status());
  receiver_ = std::move(*receiver);
  receiver_->WhenData([self = shared_from_this()](absl::StatusOr<std::string> data) {
    self->OnData(data, /*receiver=*/true);
  });
  initiator_->WhenData([self = shared_from_this()](absl::StatusOr<std::string> data) {
    self->OnData(data, /*receiver=*/false);
  });
}

void LibraryExchange::OnData(const absl::StatusOr<std::string>& data, bool receiver) {
  if (!data.ok()) return Fail(data.status());
  if (receiver) claim_to_data_ = NowMicros() - claimed_at_;
  if (--without_data_ == 0) on_end_(shared_from_this(), claim_to_data_);
}

void LibraryExchange::Fail(const absl::Status& status) {
  if (failed_.exchange(true)) return;
  std::fprintf(stderr, "bench: an exchange failed: %s\n", status.ToString().c_str());
  on_end_(shared_from_this(), -1);
}

void LibraryExchange::Finish() {
  for (Party* party : {static_cast<Party*>(initiator_ ? &*initiator_ : nullptr),
                       static_cast<Party*>(receiver_ ? &*receiver_ : nullptr)}) {
    if (party == nullptr) continue;
    const absl::Status status = party->Finish();
    if (!status.ok()) std::fprintf(stderr, "bench: Finish: %s\n", status.ToString().c_str());
  }
}

Farewell::Farewell() : thread_([this] { Run(); }) {}

Farewell::~Farewell() {
  {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Farewell::Take(std::shared_ptr<LibraryExchange> exchange) {
  const std::scoped_lock lock(mutex_);
  queue_.push_back(std::move(exchange));
  changed_.notify_all();
}

void Farewell::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return over_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::list<std::shared_ptr<LibraryExchange>> batch = std::exchange(queue_, {});
    lock.unlock();
    for (const auto& exchange : batch) exchange->Finish();
    batch.clear();
    lock.lock();
  }
}

}  // namespace wormhole::bench
