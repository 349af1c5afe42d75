#ifndef WORMHOLE_CLIENT_PAKE_ROLE_H_
#define WORMHOLE_CLIENT_PAKE_ROLE_H_

#include <string_view>

namespace wormhole::pake {

// The side that allocated the channel and shows the code, and the side that claims it with the
// code.
enum class Role { kInitiator, kReceiver };

// The strings that are hashed and authenticated (PROTOCOL.md section 3).
constexpr std::string_view RoleName(Role role) {
  return role == Role::kInitiator ? "initiator" : "receiver";
}

constexpr Role OtherRole(Role role) {
  return role == Role::kInitiator ? Role::kReceiver : Role::kInitiator;
}

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_ROLE_H_
