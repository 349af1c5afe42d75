#include "relay/switchboard/open_request.h"

#include <sodium.h>

#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"
#include "proto/wire/app_id.h"
#include "proto/wire/side.h"
#include "relay/channel/record.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::Open;

absl::Status Malformed(std::string_view field, absl::string_view message) {
  return error::Make(error::ErrorDetail::REASON_MALFORMED,
                     std::string_view(message.data(), message.size()),
                     {.field = std::string(field)});
}

absl::Status CheckChannelId(uint32_t id, uint32_t least, std::string_view field) {
  if (id >= least && id <= kMaxChannelId) return absl::OkStatus();
  return Malformed(field, absl::StrCat("a channel id is between 1 and ", kMaxChannelId));
}

absl::StatusOr<absl::Duration> ParseTtl(const rendezvous::v1::Allocate& allocate) {
  if (!allocate.has_ttl()) return absl::ZeroDuration();
  const auto& ttl = allocate.ttl();
  constexpr int64_t kMaxSeconds = 315'576'000'000;  // google/protobuf/duration.proto
  if (ttl.seconds() < 0 || ttl.seconds() > kMaxSeconds || ttl.nanos() < 0 ||
      ttl.nanos() > 999'999'999) {
    return Malformed("open.allocate.ttl", "the ttl is negative or not a valid duration");
  }
  return absl::Seconds(ttl.seconds()) + absl::Nanoseconds(ttl.nanos());
}

absl::Status ParseAllocate(const rendezvous::v1::Allocate& allocate, OpenRequest& request) {
  request.purpose = OpenRequest::Purpose::kAllocate;
  request.channel_id = allocate.channel_id();
  absl::StatusOr<absl::Duration> ttl = ParseTtl(allocate);
  if (!ttl.ok()) return ttl.status();
  request.ttl = *ttl;
  if (allocate.min_digits() > 9) {
    return Malformed("open.allocate.min_digits", "min_digits is between 0 and 9");
  }
  request.min_digits = static_cast<int>(allocate.min_digits());
  return CheckChannelId(request.channel_id, 0, "open.allocate.channel_id");
}

absl::Status ParsePurpose(const Open& open, OpenRequest& request) {
  switch (open.purpose_case()) {
    case Open::kAllocate:
      return ParseAllocate(open.allocate(), request);
    case Open::kClaim:
      request.purpose = OpenRequest::Purpose::kClaim;
      request.channel_id = open.claim().channel_id();
      request.wait = open.claim().wait();
      return CheckChannelId(request.channel_id, 1, "open.claim.channel_id");
    case Open::kResume:
      request.purpose = OpenRequest::Purpose::kResume;
      request.channel_id = open.resume().channel_id();
      return CheckChannelId(request.channel_id, 1, "open.resume.channel_id");
    case Open::PURPOSE_NOT_SET:
      break;
  }
  return Malformed("open.purpose", "Open says none of allocate, claim and resume");
}

}  // namespace

absl::StatusOr<OpenRequest> ParseOpen(Open& open) {
  absl::StatusOr<wire::Side> side = wire::SideFromToken(open.token());
  std::string* token = open.mutable_token();
  sodium_memzero(token->data(), token->size());
  if (!side.ok()) return Malformed("open.token", side.status().message());
  if (absl::Status app_id = wire::CheckAppId(open.app_id()); !app_id.ok()) {
    return Malformed("open.app_id", app_id.message());
  }
  if (open.cursor() > kMaxNumber) {
    return Malformed("open.cursor", absl::StrCat("a cursor is at most ", kMaxNumber));
  }
  OpenRequest request;
  request.app_id = open.app_id();
  request.side = *std::move(side);
  request.cursor = open.cursor();
  if (absl::Status purpose = ParsePurpose(open, request); !purpose.ok()) return purpose;
  return request;
}

}  // namespace wormhole::relay
