// Everything of some exchanges that only their two sides may know, noted on its way.
#ifndef WORMHOLE_TESTS_END_TO_END_SECRET_LEDGER_H_
#define WORMHOLE_TESTS_END_TO_END_SECRET_LEDGER_H_

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "client/stream/grpc_transport.h"
#include "client/stream/transport.h"
#include "proto/sync/mutex.h"

namespace wormhole::testing {

// Thread-safe.
class SecretLedger {
 public:
  using Secrets = std::set<std::pair<std::string, std::string>>;  // name, bytes

  void Add(const std::string& name, std::string_view secret);
  // What the relay keeps of it but the associated data, which is no secret: sides, names, versions.
  void AddFrame(std::string_view frame);
  // The keys, tokens, words and data of a saved state.
  void AddState(std::string_view state);
  // `4-purple-sausages`: the words.
  void AddCode(const std::string& code);

  Secrets all() const;

 private:
  mutable sync::Mutex mutex_;
  Secrets secrets_ WORMHOLE_GUARDED_BY(mutex_);
};

// gRPC, with a note of each token and frame.
class LedgerTransport final : public Transport {
 public:
  explicit LedgerTransport(std::shared_ptr<SecretLedger> ledger) : ledger_(std::move(ledger)) {}

  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override;

 private:
  const std::shared_ptr<SecretLedger> ledger_;
  GrpcTransport grpc_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_END_TO_END_SECRET_LEDGER_H_
