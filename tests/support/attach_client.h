// A raw blocking client of one Attach stream, for tests of the service.
#ifndef WORMHOLE_TESTS_SUPPORT_ATTACH_CLIENT_H_
#define WORMHOLE_TESTS_SUPPORT_ATTACH_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::service_test {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

// A channel that shares its connection with no other; plaintext.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

// Every call ends after this at the latest, so that a test that fails does not hang.
inline constexpr std::chrono::seconds kPatience(30);

class AttachClient {
 public:
  // `headers`: sent with the stream, which ends after `patience` at the latest.
  explicit AttachClient(const std::shared_ptr<grpc::Channel>& channel,
                        const std::map<std::string, std::string>& headers = {},
                        std::chrono::seconds patience = kPatience);
  ~AttachClient();

  // False when the stream is over.
  bool Send(const AttachRequest& request);
  // The next response, nothing when the stream is over.
  std::optional<AttachResponse> Receive();
  // The next response that is not a Heartbeat or a PeerStatus.
  std::optional<AttachResponse> ReceiveNews();
  void HalfClose();
  void Cancel() { context_.TryCancel(); }
  // Reads to the end and returns how it ended, with its detail.
  absl::Status Finish();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<rendezvous::v1::RendezvousService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<AttachRequest, AttachResponse>> stream_;
  std::optional<absl::Status> status_;
};

// Requests. `token` is made of one repeated character; an `id` of 0 lets the relay draw one.
AttachRequest OpenAllocate(char token, uint32_t id = 0, uint64_t cursor = 0);
AttachRequest OpenClaim(char token, uint32_t id, bool wait = false);
AttachRequest OpenResume(char token, uint32_t id, uint64_t cursor = 0);
AttachRequest Post(uint64_t number, std::string_view frame);
AttachRequest Ack(uint64_t number);
AttachRequest Beat();
AttachRequest Close(rendezvous::v1::Mood mood);

}  // namespace wormhole::service_test

#endif  // WORMHOLE_TESTS_SUPPORT_ATTACH_CLIENT_H_
