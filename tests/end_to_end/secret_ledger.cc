#include "tests/end_to_end/secret_ledger.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::testing {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

// Fields of a saved state (proto/PROTOCOL.md section 7) that are secrets, in base64.
constexpr const char* kStateFields[] = {"token",     "words",      "scalar", "prk",      "sid",
                                        "own_share", "peer_share", "data",   "peer_data"};

std::string Decoded(const nlohmann::json& field) {
  std::string bytes;
  absl::Base64Unescape(field.get<std::string>(), &bytes);
  return bytes;
}

class NotedStream final : public Stream, public StreamListener {
 public:
  NotedStream(std::shared_ptr<SecretLedger> ledger, std::shared_ptr<StreamListener> listener)
      : ledger_(std::move(ledger)), listener_(std::move(listener)) {}

  // Before anything else.
  void Wrap(std::shared_ptr<Stream> stream) { stream_ = std::move(stream); }

  void Send(AttachRequest request) override {
    if (request.has_open()) ledger_->Add("token", request.open().token());
    if (request.has_post()) ledger_->AddFrame(request.post().frame());
    stream_->Send(std::move(request));
  }
  void ReadMore() override { stream_->ReadMore(); }
  void Abandon() override { stream_->Abandon(); }

  void OnResponse(AttachResponse response) override { listener_->OnResponse(std::move(response)); }
  void OnEnd(absl::Status status) override { listener_->OnEnd(std::move(status)); }

 private:
  const std::shared_ptr<SecretLedger> ledger_;
  const std::shared_ptr<StreamListener> listener_;
  std::shared_ptr<Stream> stream_;
};

}  // namespace

void SecretLedger::Add(const std::string& name, std::string_view secret) {
  if (secret.empty()) return;
  sync::MutexLock lock(mutex_);
  secrets_.emplace(name, secret);
}

void SecretLedger::AddFrame(std::string_view frame) {
  exchange::v1::ExchangeFrame read;
  read.ParseFromArray(frame.data(), static_cast<int>(frame.size()));
  const std::string& known = read.has_pake_initiator() ? read.pake_initiator().associated_data()
                                                       : read.pake_receiver().associated_data();
  const size_t at = known.empty() ? frame.size() : frame.find(known);
  Add("frame", frame.substr(0, at));
  if (at < frame.size()) Add("frame", frame.substr(at + known.size()));
}

void SecretLedger::AddState(std::string_view state) {
  const nlohmann::json fields = nlohmann::json::parse(state);
  for (const char* field : kStateFields) {
    if (fields.contains(field)) Add(std::string("state's ") + field, Decoded(fields[field]));
  }
  if (!fields.contains("frames")) return;
  for (const auto& frame : fields["frames"]) AddFrame(Decoded(frame));
}

void SecretLedger::AddCode(const std::string& code) {
  Add("code", code.substr(code.find('-') + 1));
}

SecretLedger::Secrets SecretLedger::all() const {
  sync::MutexLock lock(mutex_);
  return secrets_;
}

std::shared_ptr<Stream> LedgerTransport::Open(const StreamTarget& target,
                                              std::shared_ptr<StreamListener> listener) {
  auto noted = std::make_shared<NotedStream>(ledger_, std::move(listener));
  noted->Wrap(grpc_.Open(target, noted));
  return noted;
}

}  // namespace wormhole::testing
