// What people type or paste for an invitation code, brought into the form that a code has
// (proto/PROTOCOL.md section 1). Pure.
#ifndef WORMHOLE_CLIENT_CORE_TYPED_CODE_H_
#define WORMHOLE_CLIENT_CORE_TYPED_CODE_H_

#include <optional>
#include <string>
#include <string_view>

namespace wormhole::core {

// Separators and wrapping are people's and their programs' habits, no part of the secret: phones
// make a dash of a hyphen, chats put quotes around it, and a whole line is pasted with what stands
// before the code. What is left is not checked. None when `typed` is not UTF-8.
std::optional<std::string> NormalizeCode(std::string_view typed);

// The same for a code of which more is to come: what its end looks like stays open, so `4-able-`
// keeps its hyphen.
std::optional<std::string> NormalizeUnfinishedCode(std::string_view typed);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_TYPED_CODE_H_
