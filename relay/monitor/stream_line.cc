#include "relay/monitor/stream_line.h"

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "proto/error/error_detail.h"
#include "proto/wire/app_id.h"
#include "relay/monitor/client_network.h"
#include "relay/monitor/trace_parent.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::Open;

std::string PurposeName(Open::PurposeCase purpose) {
  switch (purpose) {
    case Open::kAllocate:
      return "allocate";
    case Open::kClaim:
      return "claim";
    case Open::kResume:
      return "resume";
    case Open::PURPOSE_NOT_SET:
      break;
  }
  return "none";
}

// REASON_NOT_MEMBER is not_member. Empty for a value that this relay does not know.
std::string ShortName(const std::string& name, const char* prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

void AddEnd(const StreamReport& report, std::vector<LogField>& fields) {
  fields.push_back({"end", absl::StatusCodeToString(report.status.code())});
  const std::optional<error::ErrorDetail> detail = error::DetailOf(report.status);
  if (detail && detail->reason() != error::ErrorDetail::REASON_UNSPECIFIED) {
    fields.push_back(
        {"reason", ShortName(error::ErrorDetail::Reason_Name(detail->reason()), "REASON_")});
  }
  rendezvous::v1::Mood mood = report.mood;
  if (mood == rendezvous::v1::MOOD_UNSPECIFIED && detail) mood = detail->mood();
  const std::string name = ShortName(rendezvous::v1::Mood_Name(mood), "MOOD_");
  if (mood != rendezvous::v1::MOOD_UNSPECIFIED && !name.empty()) fields.push_back({"mood", name});
}

void AddTrace(const StreamReport& report, std::vector<LogField>& fields) {
  const std::optional<TraceParent> parent = ReadTraceParent(report.traceparent);
  if (!parent) return;
  fields.push_back({"trace_id", std::string(parent->trace_id)});
  fields.push_back({"parent_id", std::string(parent->parent_id)});
}

}  // namespace

std::vector<LogField> StreamFields(const StreamReport& report, bool addresses) {
  std::vector<LogField> fields;
  if (wire::CheckAppId(report.app_id).ok()) {
    fields.push_back({"app", report.app_id});
  } else if (!report.app_id.empty()) {
    fields.push_back({"app_invalid", true});
  }
  if (report.channel_id != 0) fields.push_back({"channel", uint64_t{report.channel_id}});
  fields.push_back({"purpose", PurposeName(report.purpose)});
  fields.push_back({"state", report.attached ? "attached" : report.opened ? "waiting" : "none"});
  fields.push_back({"posts", report.posts});
  fields.push_back({"bytes", report.post_bytes});
  fields.push_back({"messages", report.messages});
  fields.push_back({"seconds", absl::ToDoubleSeconds(report.lasted)});
  AddEnd(report, fields);
  fields.push_back({"client", addresses ? ClientAddress(report.peer) : ClientNetwork(report.peer)});
  AddTrace(report, fields);
  return fields;
}

}  // namespace wormhole::relay
