#include "relay/accept/client_names.h"

#include <utility>

namespace wormhole::relay {

void ClientNames::Set(const std::string& peer, uint64_t cookie, std::string client) {
  sync::MutexLock lock(mutex_);
  names_.insert_or_assign(peer, Name{.cookie = cookie, .client = std::move(client)});
}

void ClientNames::Forget(const std::string& peer, uint64_t cookie) {
  sync::MutexLock lock(mutex_);
  const auto name = names_.find(peer);
  if (name != names_.end() && name->second.cookie == cookie) names_.erase(name);
}

void ClientNames::Forget(const std::string& peer) {
  sync::MutexLock lock(mutex_);
  names_.erase(peer);
}

std::string ClientNames::Of(const std::string& peer) const {
  sync::MutexLock lock(mutex_);
  const auto name = names_.find(peer);
  return name == names_.end() ? peer : name->second.client;
}

size_t ClientNames::count() const {
  sync::MutexLock lock(mutex_);
  return names_.size();
}

}  // namespace wormhole::relay
