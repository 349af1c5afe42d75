// What a relay hears of the others through its end of the store, and what it tells them.
#include <algorithm>
#include <utility>

#include "tests/simulation/sim_front.h"

namespace wormhole::simulation {

using relay::ChannelKey;
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
  if (random_.Chance(0.5)) return MissNews();
  if (!group_->stage_->flaws.silent_gap) listener_->OnGap();
  Watch();
}

absl::Duration SimFront::in_touch_since() const {
  return away_ || deaf_ ? absl::InfiniteDuration() : back_at_;
}

// --- Presence.

void SimFront::SetAttached(const ChannelKey& key, Role role, bool attached) {
  if (listener_ == nullptr) return;
  words_.push_back({.side = {key, role}, .attached = attached});
  if (attached) {
    said_.insert({key, role});
  } else {
    said_.erase({key, role});
  }
  last_word_[{key, role}] = ++calls_;
  Later(group_->store_.max_commit, [this] { SayWords(); });
}

void SimFront::SayWords() {
  if (away_) return;
  for (; !words_.empty(); words_.pop_front()) {
    const Word& word = words_.front();
    group_->tables_.SetAttached(owner_, word.side.first, word.side.second, word.attached);
  }
  group_->OnStored();
}

void SimFront::SayAgain() {
  for (const Tables::Side& side : said_) {
    if (group_->tables_.IsAttached(side.first, side.second)) continue;  // elsewhere, since
    group_->tables_.SetAttached(owner_, side.first, side.second, true);
  }
}

void SimFront::TellThirdParties(const ChannelKey& key, uint32_t count) {
  if (listener_ == nullptr || away_) return;
  group_->tables_.TellThirdParties(owner_, key, count);
  group_->OnStored();
}

bool SimFront::IsOlderThanOwn(const Tables::Side& side, size_t position) const {
  const bool unsaid = std::any_of(words_.begin(), words_.end(), [&](const Word& word) {
    return word.attached && word.side == side;
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
    said_.erase({news.key, news.role});  // superseded
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
      if (random_.Chance(0.7)) MissNews();
      Watch();
      PlanDeafness();
    });
  });
}

}  // namespace wormhole::simulation
