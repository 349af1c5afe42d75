// A ScriptedChannel behind gRPC, on a port of its own on loopback.
#ifndef WORMHOLE_TESTS_CONFORMANCE_SCRIPTED_RELAY_H_
#define WORMHOLE_TESTS_CONFORMANCE_SCRIPTED_RELAY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "proto/sync/mutex.h"
#include "tests/conformance/scripted_channel.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::conformance {

class ScriptedRelay final : public rendezvous::v1::RendezvousService::CallbackService {
 public:
  ScriptedRelay(Role client, std::string app_id, std::string peer_data, Script script,
                std::shared_ptr<grpc::ServerCredentials> credentials);
  ~ScriptedRelay() override;

  const std::string& address() const { return address_; }
  void Learn(const std::string& words);
  // Cuts all streams and returns what was said.
  Transcript Stop();
  std::optional<std::string> PeerData();

 private:
  class Reactor;
  friend class Reactor;

  grpc::ServerBidiReactor<AttachRequest, AttachResponse>* Attach(
      grpc::CallbackServerContext* context) override;

  void Took(size_t stream, const AttachRequest& request);
  void Gone(size_t stream);
  // Hands the channel's outputs to their reactors.
  void Deliver();

  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  sync::Mutex mutex_;
  ScriptedChannel channel_ WORMHOLE_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Reactor>> reactors_ WORMHOLE_GUARDED_BY(mutex_);  // by stream
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_SCRIPTED_RELAY_H_
