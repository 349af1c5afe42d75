#include "tests/store/noting_listener.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

const char* Name(Role role) { return role == Role::kInitiator ? "i" : "r"; }

const char* Name(IdState state) {
  switch (state) {
    case IdState::kFree:
      return "free";
    case IdState::kSpent:
      return "spent";
    case IdState::kResting:
      return "resting";
    case IdState::kTaken:
      break;
  }
  return "taken";
}

}  // namespace

void NotingListener::OnId(const ChannelKey& key, IdState state) {
  Note(absl::StrCat(Name(state), " ", key.id));
}

void NotingListener::OnChanged(const ChannelKey& key, const ChannelSnapshot* now) {
  Note(absl::StrCat("changed ", key.id, now == nullptr ? "" : " known"));
}

void NotingListener::OnLog(const ChannelRef& channel, Role author, const LogState& log,
                           const StoredFrame* frame) {
  std::string note = absl::StrCat("log ", channel.key.id, " ", Name(author), " stored ", log.stored,
                                  " accepted ", log.accepted);
  if (frame != nullptr) absl::StrAppend(&note, " frame ", frame->number, " ", frame->frame);
  Note(std::move(note));
}

void NotingListener::OnPresence(const ChannelRef& channel, Role role, bool remote) {
  Note(absl::StrCat(remote ? "elsewhere " : "nowhere ", channel.key.id, " ", Name(role)));
}

void NotingListener::OnThirdParties(const ChannelRef& channel, uint32_t count) {
  Note(absl::StrCat("third parties ", channel.key.id, " ", count));
}

void NotingListener::OnReset(bool restored) { Note(restored ? "restored" : "gap"); }

void NotingListener::Await(const std::string& note) {
  sync::MutexLock lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!FindNext(note)) {
    if (noted_.WaitUntil(mutex_, deadline)) continue;
    ADD_FAILURE() << "nobody says: " << note;
    return;
  }
}

bool NotingListener::Find(const std::string& note) {
  sync::MutexLock lock(mutex_);
  return FindNext(note);
}

bool NotingListener::FindNext(const std::string& note) {
  const auto begin = notes_.begin() + static_cast<std::ptrdiff_t>(seen_);
  const auto found = std::find(begin, notes_.end(), note);
  if (found == notes_.end()) return false;
  seen_ = static_cast<size_t>(found - notes_.begin()) + 1;
  return true;
}

std::vector<std::string> NotingListener::notes() const {
  sync::MutexLock lock(mutex_);
  return notes_;
}

void NotingListener::Note(std::string note) {
  sync::MutexLock lock(mutex_);
  notes_.push_back(std::move(note));
  noted_.NotifyAll();
}

}  // namespace wormhole::relay
