// Reading and writing the fields of a saved state: JSON that may be hostile and that holds secrets.
// Nothing throws.
#ifndef WORMHOLE_CLIENT_CORE_JSON_FIELDS_H_
#define WORMHOLE_CLIENT_CORE_JSON_FIELDS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "client/pake/secret_view.h"

namespace wormhole::core {

// Overwrites every string in it. Recurses: not for what is nested deeply.
void WipeStrings(nlohmann::json& json);

// Standard base64, as a JSON string. The only copy is in the result.
nlohmann::json ToBase64(std::string_view bytes);

// Reads fields of one object. Remembers the first that is missing or wrong, and from then on the
// values mean nothing: callers read all they need and ask ok() once.
class JsonFields {
 public:
  // `object` must be a JSON object and outlive this.
  explicit JsonFields(const nlohmann::json& object) : object_(object) {}

  bool ok() const { return bad_field_.empty(); }
  const std::string& bad_field() const { return bad_field_; }
  void Reject(std::string_view field) {
    if (ok()) bad_field_ = std::string(field);
  }

  bool Has(std::string_view field) const;
  bool Flag(std::string_view field);
  uint64_t Number(std::string_view field, uint64_t min, uint64_t max);
  // Without control characters.
  std::string Text(std::string_view field, size_t max_bytes);
  // The bytes of base64. An absent field is empty bytes when `min_bytes` is 0.
  std::string Bytes(std::string_view field, size_t min_bytes, size_t max_bytes);
  // Fills all of `out`.
  void Secret(std::string_view field, pake::SecretSpan out);
  // Fills the front of `out`. Returns the number of bytes.
  size_t SecretUpTo(std::string_view field, pake::SecretSpan out);
  // The object or array of this name, or nothing.
  const nlohmann::json* Array(std::string_view field);
  const nlohmann::json* Object(std::string_view field);

 private:
  const nlohmann::json* Find(std::string_view field) const;
  const std::string* FindString(std::string_view field);

  const nlohmann::json& object_;
  std::string bad_field_;
};

// The bytes of one base64 string. False when it is none or has more than `max_bytes`.
bool FromBase64(const nlohmann::json& json, size_t max_bytes, std::string& out);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_JSON_FIELDS_H_
