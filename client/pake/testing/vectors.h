#ifndef WORMHOLE_CLIENT_PAKE_TESTING_VECTORS_H_
#define WORMHOLE_CLIENT_PAKE_TESTING_VECTORS_H_

#include <string>
#include <string_view>

#include "nlohmann/json.hpp"

// Reading the test data of //proto/vectors. For tests: a file that is missing or malformed ends the
// test program with a message.
namespace wormhole::pake::vectors {

// The parsed file `name` of proto/vectors.
nlohmann::json Load(std::string_view name);

// Strings only, given as hex (either case).
std::string Unhex(const nlohmann::json& hex);
std::string Hex(std::string_view bytes);

// The plaintext of an entry of "sealed": as given, or by its rule.
std::string Plaintext(const nlohmann::json& sealed);

}  // namespace wormhole::pake::vectors

#endif  // WORMHOLE_CLIENT_PAKE_TESTING_VECTORS_H_
