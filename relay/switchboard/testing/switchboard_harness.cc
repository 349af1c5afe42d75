#include "relay/switchboard/testing/switchboard_harness.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"
#include "proto/wire/side.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::AttachRequest;
using rendezvous::v1::AttachResponse;
using rendezvous::v1::Opened;

std::string TokenOf(std::string name) {
  name.resize(wire::kTokenBytes, '.');
  return name;
}

std::string PresenceName(rendezvous::v1::Presence presence) {
  switch (presence) {
    case rendezvous::v1::PRESENCE_ABSENT:
      return "absent";
    case rendezvous::v1::PRESENCE_DETACHED:
      return "detached";
    case rendezvous::v1::PRESENCE_ATTACHED:
      return "attached";
    case rendezvous::v1::PRESENCE_LEFT:
      return "left";
    default:
      return "unspecified";
  }
}

std::string DescribeOpened(const Opened& opened) {
  if (opened.state() == Opened::STATE_WAITING)
    return absl::StrCat("waiting(", opened.channel_id(), ")");
  return absl::StrCat("opened(", opened.channel_id(), " stored=", opened.stored(),
                      " peer=", PresenceName(opened.peer()), ":", opened.peer_forgotten(), "-",
                      opened.peer_stored(), " cursor=", opened.peer_cursor(),
                      opened.left() ? " left)" : ")");
}

}  // namespace

std::string Describe(const AttachResponse& response) {
  switch (response.response_case()) {
    case AttachResponse::kOpened:
      return DescribeOpened(response.opened());
    case AttachResponse::kMessage:
      return absl::StrCat("message(", response.message().number(), " ", response.message().frame(),
                          ")");
    case AttachResponse::kPosted:
      return absl::StrCat("posted(", response.posted().number(), ")");
    case AttachResponse::kPeerStatus:
      return absl::StrCat("peer(", PresenceName(response.peer_status().presence()),
                          " cursor=", response.peer_status().peer_cursor(),
                          " third=", response.peer_status().third_parties(), ")");
    case AttachResponse::kHeartbeat:
      return "heartbeat";
    case AttachResponse::kDraining:
      return "draining";
    case AttachResponse::RESPONSE_NOT_SET:
      break;
  }
  return "nothing";
}

std::string Describe(const absl::Status& status) {
  std::string text = absl::StatusCodeToString(status.code());
  const auto detail = error::DetailOf(status);
  if (!detail) return text;
  const std::string reason = error::ErrorDetail::Reason_Name(detail->reason());
  absl::StrAppend(&text, " ", reason.substr(std::string("REASON_").size()));
  if (!detail->field().empty()) absl::StrAppend(&text, " ", detail->field());
  if (detail->mood() != rendezvous::v1::MOOD_UNSPECIFIED) {
    absl::StrAppend(&text, " ", rendezvous::v1::Mood_Name(detail->mood()));
  }
  return text;
}

std::string SideOf(const std::string& name) { return *wire::SideFromToken(TokenOf(name)); }

void FakeSink::Send(AttachResponse response) {
  EXPECT_FALSE(detached_) << "a sink is used after Detach";
  if (ended_) return;
  sent_.push_back(std::move(response));
  flushed_ = false;
}

void FakeSink::End(absl::Status status) {
  EXPECT_FALSE(detached_) << "a sink is used after Detach";
  if (!ended_) ended_ = std::move(status);
  flushed_ = false;
}

void FakeSink::ReadMore() {
  EXPECT_FALSE(detached_) << "a sink is used after Detach";
  EXPECT_EQ(reads_, 0) << "ReadMore twice for one request";
  ++reads_;
  flushed_ = false;
}

AttachRequest TestStream::Opening(uint64_t cursor) const {
  AttachRequest request;
  request.mutable_open()->set_app_id(app_id_);
  request.mutable_open()->set_token(TokenOf(name_));
  request.mutable_open()->set_cursor(cursor);
  return request;
}

TestStream& TestStream::InApp(std::string app_id) {
  app_id_ = std::move(app_id);
  return *this;
}

TestStream& TestStream::Allocate(uint32_t id, absl::Duration ttl, uint32_t min_digits) {
  AttachRequest request = Opening(0);
  auto& allocate = *request.mutable_open()->mutable_allocate();
  allocate.set_channel_id(id);
  allocate.set_min_digits(min_digits);
  if (ttl > absl::ZeroDuration()) allocate.mutable_ttl()->set_seconds(absl::ToInt64Seconds(ttl));
  sink_->reads_ = 1;
  return Send(std::move(request));
}

TestStream& TestStream::Claim(uint32_t id, uint64_t cursor) {
  AttachRequest request = Opening(cursor);
  request.mutable_open()->mutable_claim()->set_channel_id(id);
  sink_->reads_ = 1;
  return Send(std::move(request));
}

TestStream& TestStream::Wait(uint32_t id, uint64_t cursor) {
  AttachRequest request = Opening(cursor);
  request.mutable_open()->mutable_claim()->set_channel_id(id);
  request.mutable_open()->mutable_claim()->set_wait(true);
  sink_->reads_ = 1;
  return Send(std::move(request));
}

TestStream& TestStream::Resume(uint32_t id, uint64_t cursor) {
  AttachRequest request = Opening(cursor);
  request.mutable_open()->mutable_resume()->set_channel_id(id);
  sink_->reads_ = 1;
  return Send(std::move(request));
}

TestStream& TestStream::Post(uint64_t number, const std::string& frame) {
  AttachRequest request;
  request.mutable_post()->set_number(number);
  request.mutable_post()->set_frame(frame);
  return Send(std::move(request));
}

TestStream& TestStream::Ack(uint64_t number) {
  AttachRequest request;
  request.mutable_ack()->set_number(number);
  return Send(std::move(request));
}

TestStream& TestStream::Close(rendezvous::v1::Mood mood) {
  AttachRequest request;
  request.mutable_close()->set_mood(mood);
  return Send(std::move(request));
}

TestStream& TestStream::Heartbeat() {
  AttachRequest request;
  request.mutable_heartbeat();
  return Send(std::move(request));
}

TestStream& TestStream::Send(AttachRequest request) {
  EXPECT_EQ(sink_->reads_, 1) << "a request that was not asked for";
  sink_->reads_ = 0;
  attachment_->Receive(std::move(request));
  return *this;
}

void TestStream::Detach() {
  attachment_->Detach();
  sink_->detached_ = true;
}

void TestStream::Read(size_t backlog) {
  sink_->backlog_ = backlog;
  attachment_->Drained();
}

std::string TestStream::Heard() {
  EXPECT_TRUE(sink_->flushed_) << "a response was not flushed";
  std::string heard;
  for (; heard_ < sink_->sent_.size(); ++heard_) {
    absl::StrAppend(&heard, heard.empty() ? "" : " ", Describe(sink_->sent_[heard_]));
  }
  return heard;
}

uint32_t TestStream::id() const {
  for (size_t i = sink_->sent_.size(); i-- > 0;) {
    if (sink_->sent_[i].has_opened()) return sink_->sent_[i].opened().channel_id();
  }
  return 0;
}

void NotedEvents::OnEvent(const ChannelEvent& event) {
  constexpr std::string_view kKinds[] = {"allocated", "claimed", "paired",
                                         "crowded",   "closed",  "expired"};
  const bool other_app = event.key.app_id != kApp;
  absl::StrAppend(&heard_, heard_.empty() ? "" : " ",
                  std::string(kKinds[static_cast<size_t>(event.kind)]), "(",
                  other_app ? event.key.app_id + " " : "", event.key.id);
  if (event.kind == ChannelEvent::Kind::kClosed) {
    absl::StrAppend(&heard_, " ", rendezvous::v1::Mood_Name(event.mood));
  }
  heard_ += ")";
}

void NotedEvents::OnFrame(const std::string& app_id, size_t bytes) {
  absl::StrAppend(&heard_, heard_.empty() ? "" : " ", "frame(", app_id == kApp ? "" : app_id + " ",
                  bytes, ")");
}

std::string SwitchboardTest::Listed(const std::string& app_id, size_t page) {
  std::string listed;
  std::optional<ChannelKey> after = ChannelKey();
  while (after) {
    bool answered = false;
    switchboard_->ListChannels(app_id, *after, page, [&](absl::StatusOr<ChannelPage> got) {
      answered = true;
      EXPECT_LE(got->channels.size(), page);
      for (const ChannelView& view : got->channels) {
        const bool other = view.key.app_id != kApp;
        absl::StrAppend(&listed, listed.empty() ? "" : " ", other ? view.key.app_id + "/" : "",
                        view.key.id);
      }
      after = got->next;
    });
    Settle();
    EXPECT_TRUE(answered);
    if (!answered) break;
    if (after) listed += ";";
  }
  return listed;
}

void SwitchboardTest::Restart() {
  switchboard_.reset();
  SwitchboardEnvironment environment{
      .wall_now = [this] { return absl::UnixEpoch() + now_; },
      .steady_now = [this] { return now_; },
      .random_below =
          [this](uint32_t bound) {
            return std::uniform_int_distribution<uint32_t>(0, bound - 1)(random_);
          },
      .admission = admission_.get(),
      .tokens = token_judge_,
      .observer = &events_,
  };
  auto created = Switchboard::Create(options_, std::move(environment), &store_);
  ASSERT_TRUE(created.ok());
  switchboard_ = *std::move(created);
}

uint32_t SwitchboardTest::Pair(TestStream& anna, TestStream& bert) {
  anna.Allocate();
  Settle();
  const uint32_t id = anna.id();
  bert.Claim(id);
  Settle();
  anna.Heard();
  bert.Heard();
  return id;
}

}  // namespace wormhole::relay
