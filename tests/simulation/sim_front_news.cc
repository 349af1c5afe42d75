// What a relay hears of the others through its end of the store, and what it tells them.
#include <algorithm>
#include <utility>

#include "tests/simulation/sim_front.h"

namespace wormhole::simulation {

using relay::ChannelKey;
using relay::ChannelRef;
using relay::Role;

void SimFront::SetAway(bool away) {
  away_ = away;
  back_at_ = group_->stage_->loop->now();
  if (away) {
    group_->stage_->loop->After(group_->plan_.lease, [this, outage = ++outages_, owner = owner_] {
      if (!away_ || outage != outages_) return;
      group_->tables_.ForgetAttached(owner);
      group_->OnStored();
      if (owner == owner_) lease_lost_ = true;
    });
    return;
  }
  if (listener_ == nullptr) return;
  if (std::exchange(lease_lost_, false)) SayAgain();
  SayWords();
  TakeBackLateWords();
  if (random_.Chance(0.5)) return MissNews();
  if (!group_->stage_->flaws.silent_gap) listener_->OnGap();
  Watch();
}

absl::Duration SimFront::in_touch_since() const {
  return away_ || deaf_ ? absl::InfiniteDuration() : back_at_;
}

// --- Presence.

void SimFront::SetAttached(const ChannelRef& channel, Role role, bool attached) {
  if (listener_ == nullptr) return;
  const Name name{channel.key, channel.initiator, role};
  words_[name] = attached;
  if (attached) {
    said_.insert(name);
  } else {
    said_.erase(name);
  }
  last_word_[name] = ++calls_;
  Later(group_->store_.max_commit + group_->plan_.max_words, [this] { SayWords(); });
}

std::vector<SimFront::Name> SimFront::NamesOf(const ChannelKey& key,
                                              const relay::ChannelRecord& record,
                                              const relay::PutAlong& along) const {
  std::vector<Name> names;
  for (const Role role : {Role::kInitiator, Role::kReceiver}) {
    if (!along.attached.test(static_cast<size_t>(role))) continue;
    names.emplace_back(key, record.member(Role::kInitiator).side, role);
  }
  return names;
}

void SimFront::Bring(const std::vector<Name>& names) {
  if (listener_ == nullptr) return;
  for (const Name& name : names) {
    ++brought_[name];
    words_.erase(name);
  }
}

void SimFront::Landed(const std::vector<Name>& names, uint64_t made, bool put) {
  for (const Name& name : names) {
    --brought_[name];
    if (!put && last_word_[name] < made && !group_->stage_->flaws.kept_words) words_[name] = false;
  }
  Later(group_->store_.max_commit + group_->plan_.max_words, [this] { SayWords(); });
}

void SimFront::SayWords() {
  if (away_) return;
  for (auto word = words_.begin(); word != words_.end();) {
    const auto& [key, initiator, role] = word->first;
    if (brought_[word->first] != 0) {
      ++word;
      continue;
    }
    const ChannelRef channel(key, group_->stage_->flaws.nameless_words ? "" : initiator);
    group_->tables_.SetAttached(owner_, channel, role, word->second);
    word = words_.erase(word);
  }
  group_->OnStored();
}

void SimFront::SayAgain() {
  for (const auto& [key, initiator, role] : said_) {
    group_->tables_.Renew(owner_, {key, initiator}, role);
  }
}

void SimFront::Superseded(const Tables::Side& side) {
  std::erase_if(said_, [&side](const Name& name) {
    return std::get<ChannelKey>(name) == side.first && std::get<Role>(name) == side.second;
  });
}

void SimFront::TakeBackLateWords() {
  if (away_ || deaf_ || group_->stage_->flaws.kept_words) return;
  for (const Tables::Side& side : std::exchange(late_sides_, {})) {
    const auto is_of = [&side](const Name& name) {
      return std::get<ChannelKey>(name) == side.first && std::get<Role>(name) == side.second;
    };
    const bool wished = std::any_of(said_.begin(), said_.end(), is_of) ||
                        std::any_of(words_.begin(), words_.end(),
                                    [&](const auto& word) { return is_of(word.first); }) ||
                        std::any_of(brought_.begin(), brought_.end(), [&](const auto& entry) {
                          return entry.second != 0 && is_of(entry.first);
                        });
    if (!wished) group_->tables_.SetAttached(owner_, side.first, side.second, false);
  }
  group_->OnStored();
}

void SimFront::TellThirdParties(const ChannelRef& channel, uint32_t count) {
  if (listener_ == nullptr || away_) return;
  group_->tables_.TellThirdParties(owner_, channel, count);
  group_->OnStored();
}

bool SimFront::IsOlderThanOwn(const Tables::Side& side, size_t position) const {
  const bool unsaid = std::any_of(words_.begin(), words_.end(), [&](const auto& word) {
    const auto& [key, initiator, role] = word.first;
    return word.second && key == side.first && role == side.second;
  });
  return unsaid || position < group_->tables_.LastWord(owner_, side);
}

// --- News.

void SimFront::Listen(relay::StoreListener* listener) {
  if (listener == nullptr && listener_ != nullptr) return Crash();  // it does not start after all
  listener_ = listener;
  if (listener == nullptr) return;
  owner_ = ++group_->owners_;
  PlanDeafness();
}

void SimFront::Watch() {
  if (telling_ || listener_ == nullptr || away_ || deaf_) return;
  if (told_ >= group_->tables_.history().size()) return;
  telling_ = true;
  Later(group_->plan_.max_news, [this] {
    telling_ = false;
    TellSome();
  });
}

void SimFront::TellSome() {
  const size_t waiting = group_->tables_.history().size() - told_;
  if (waiting == 0) return;
  for (size_t left = 1 + random_.Below(static_cast<uint32_t>(waiting)); left > 0; --left) {
    if (listener_ == nullptr || away_ || deaf_) return;
    Tell(told_++);
  }
  Watch();
}

void SimFront::Tell(size_t position) {
  using Kind = Tables::News::Kind;
  const Tables::News news = group_->tables_.history()[position];
  const bool may_echo = news.kind == Kind::kRecord || news.kind == Kind::kLog;
  const bool echoes = group_->plan_.echoes || late_.contains(position);
  if (news.by == owner_ && !(may_echo && echoes)) return;
  if (news.kind == Kind::kPresence) {
    if (group_->stage_->flaws.silent_presence) return;
    if (IsOlderThanOwn({news.key, news.role}, position + 1)) return;
    Superseded({news.key, news.role});
  }
  // What the relay knows is as new as its news, or newer.
  if (const auto now = group_->tables_.Load(owner_, news.key)) known_[news.key] = *now;
  news.tell(*listener_);
}

void SimFront::MissNews() {
  group_->stage_->trace->Line("store: a relay misses ", group_->tables_.history().size() - told_,
                              " news");
  std::set<ChannelKey> ids;
  for (; told_ < group_->tables_.history().size(); ++told_) {
    const Tables::News& news = group_->tables_.history()[told_];
    if (news.kind == Tables::News::Kind::kRecord) ids.insert(news.key);
  }
  for (const ChannelKey& key : ids) group_->tables_.TellId(key, *listener_);
  if (!group_->stage_->flaws.silent_gap) listener_->OnGap();
}

void SimFront::PlanDeafness() {
  if (group_->plan_.mean_watch_life == absl::InfiniteDuration()) return;
  Later(random_.Exponential(group_->plan_.mean_watch_life), [this] {
    if (!group_->stage_->stormy()) return;
    deaf_ = true;
    Later(group_->plan_.max_deafness, [this] {
      deaf_ = false;
      back_at_ = group_->stage_->loop->now();
      TakeBackLateWords();
      if (random_.Chance(0.7)) MissNews();
      Watch();
      PlanDeafness();
    });
  });
}

}  // namespace wormhole::simulation
