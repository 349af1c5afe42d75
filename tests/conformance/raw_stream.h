// A stream to a relay that the suite speaks itself.
#ifndef WORMHOLE_TESTS_CONFORMANCE_RAW_STREAM_H_
#define WORMHOLE_TESTS_CONFORMANCE_RAW_STREAM_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "grpcpp/grpcpp.h"
#include "wormhole/rendezvous/v1/rendezvous.grpc.pb.h"

namespace wormhole::conformance {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;

// A raw client of one Attach stream. Every call of it ends at the deadline at the latest.
class RawStream {
 public:
  RawStream(const std::shared_ptr<grpc::Channel>& channel, std::chrono::seconds patience);
  ~RawStream();

  bool Send(const AttachRequest& request);
  // The next response; nothing when the stream is over.
  std::optional<AttachResponse> Receive();
  void HalfClose() { stream_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  // Reads to the end, and says how it was ended.
  grpc::Status Finish();

 private:
  std::unique_ptr<rendezvous::v1::RendezvousService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<AttachRequest, AttachResponse>> stream_;
  std::optional<grpc::Status> status_;
};

// A channel that shares its connection with no other; plaintext.
std::shared_ptr<grpc::Channel> ConnectTo(const std::string& address);

AttachRequest OpenOf(const std::string& app_id, const std::string& token, uint64_t cursor = 0);
AttachRequest Allocate(const std::string& app_id, const std::string& token, uint32_t id = 0);
AttachRequest Claim(const std::string& app_id, const std::string& token, uint32_t id,
                    bool wait = false);
AttachRequest Resume(const std::string& app_id, const std::string& token, uint32_t id,
                     uint64_t cursor = 0);
AttachRequest Post(uint64_t number, std::string frame);
AttachRequest Ack(uint64_t number);
AttachRequest CloseIn(rendezvous::v1::Mood mood);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_RAW_STREAM_H_
