#include "tests/observability/traffic.h"

#include <atomic>

#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"

namespace wormhole::testing {

using service_test::AttachClient;

namespace {

constexpr char kWords[] = "-abandon-zoo";
constexpr char kOtherWords[] = "-zebra-ability";

// The request as one of a side that nobody else is.
service_test::AttachRequest AsNewSide(service_test::AttachRequest request) {
  static std::atomic<int> sides = 0;
  std::string token = std::to_string(++sides);
  token.resize(32, '.');
  request.mutable_open()->set_token(token);
  return request;
}

std::string IdOf(const std::string& code) { return code.substr(0, code.find('-')); }

}  // namespace

Traffic::Traffic(const std::string& relay)
    : relay_(relay), channel_(service_test::Connect(relay)), waiting_(channel_) {
  EXPECT_TRUE(waiting_.Send(AsNewSide(service_test::OpenClaim('w', 999'999'999, /*wait=*/true))));
  EXPECT_TRUE(waiting_.ReceiveNews().has_value());
}

void Traffic::Round() {
  for (int i = 0; i < 5; ++i) Finish();
  WrongCode();
  UnknownCode();
  GiveUp();
  Crowd();
  Expire();
  CheckHealth();
  waiting_.Send(service_test::Beat());
}

Options Traffic::NewOptions() const {
  Options options;
  options.app_id = kApp;
  options.rendezvous = relay_;
  return options;
}

void Traffic::Finish() {
  auto initiator = Initiator::Create(NewOptions(), "a");
  auto receiver = Receiver::Create(NewOptions(), initiator->GetCode().value(), "b");
  EXPECT_EQ(initiator->GetData().value_or("failed"), "b");
  EXPECT_EQ(receiver->GetData().value_or("failed"), "a");
  EXPECT_EQ(initiator->Finish(absl::Seconds(30)), absl::OkStatus());
  EXPECT_EQ(receiver->Finish(absl::Seconds(30)), absl::OkStatus());
}

void Traffic::WrongCode() {
  auto initiator = Initiator::Create(NewOptions(), "a");
  const std::string code = initiator->GetCode().value();
  const bool drawn = code.ends_with(kWords);
  auto receiver = Receiver::Create(NewOptions(), IdOf(code) + (drawn ? kOtherWords : kWords), "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kWrongCode);
  EXPECT_EQ(ReasonOf(initiator->GetData().status()), Reason::kWrongCode);
}

void Traffic::UnknownCode() {
  auto receiver = Receiver::Create(NewOptions(), std::string("987654321") + kWords, "b");
  EXPECT_EQ(ReasonOf(receiver->GetData().status()), Reason::kNoSuchCode);
}

void Traffic::GiveUp() {
  auto initiator = Initiator::Create(NewOptions(), "a");
  EXPECT_TRUE(initiator->GetCode().ok());
  initiator->Cancel();
  EXPECT_EQ(initiator->Finish(absl::Seconds(30)), absl::OkStatus());
}

void Traffic::Crowd() {
  AttachClient initiator(channel_);
  EXPECT_TRUE(initiator.Send(AsNewSide(service_test::OpenAllocate('i'))));
  const uint32_t id = initiator.ReceiveNews()->opened().channel_id();
  AttachClient receiver(channel_);
  EXPECT_TRUE(receiver.Send(AsNewSide(service_test::OpenClaim('r', id))));
  EXPECT_TRUE(receiver.ReceiveNews()->has_opened());
  AttachClient third(channel_);
  third.Send(AsNewSide(service_test::OpenClaim('t', id)));
  EXPECT_EQ(third.Finish().code(), absl::StatusCode::kAlreadyExists);
  initiator.Send(service_test::Close(rendezvous::v1::MOOD_ERRORY));
  EXPECT_TRUE(initiator.Finish().ok());
}

// The channel is left, and ends by itself.
void Traffic::Expire() {
  AttachClient initiator(channel_);
  service_test::AttachRequest request = AsNewSide(service_test::OpenAllocate('e'));
  request.mutable_open()->mutable_allocate()->mutable_ttl()->set_nanos(100'000'000);
  EXPECT_TRUE(initiator.Send(request));
  EXPECT_TRUE(initiator.ReceiveNews()->has_opened());
}

void Traffic::CheckHealth() {
  const auto health = grpc::health::v1::Health::NewStub(channel_);
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_TRUE(health->Check(&context, {}, &response).ok());
}

}  // namespace wormhole::testing
