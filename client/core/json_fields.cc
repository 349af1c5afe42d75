#include "client/core/json_fields.h"

#include <sodium.h>

#include <algorithm>

namespace wormhole::core {
namespace {

using nlohmann::json;

constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;

// The number of bytes, or SIZE_MAX when it is no canonical base64 of at most `size` bytes.
size_t Decode(std::string_view text, uint8_t* out, size_t size) {
  size_t bytes = 0;
  if (sodium_base642bin(out, size, text.data(), text.size(), nullptr, &bytes, nullptr, kBase64) !=
      0) {
    return SIZE_MAX;
  }
  return bytes;
}

}  // namespace

void WipeStrings(json& value) {
  if (auto* text = value.get_ptr<json::string_t*>()) sodium_memzero(text->data(), text->size());
  if (value.is_structured()) {
    for (json& child : value) WipeStrings(child);
  }
}

json ToBase64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), kBase64);
  text.pop_back();  // its terminating zero
  return json(std::move(text));
}

bool FromBase64(const json& value, size_t max_bytes, std::string& out) {
  const auto* text = value.get_ptr<const json::string_t*>();
  if (text == nullptr || text->size() > (max_bytes + 2) / 3 * 4) return false;
  out.resize(text->size() / 4 * 3 + 3);
  const size_t bytes = Decode(*text, reinterpret_cast<uint8_t*>(out.data()), out.size());
  if (bytes == SIZE_MAX || bytes > max_bytes) return false;
  out.resize(bytes);
  return true;
}

const json* JsonFields::Find(std::string_view field) const {
  const auto found = object_.find(std::string(field));
  return found == object_.end() ? nullptr : &*found;
}

const std::string* JsonFields::FindString(std::string_view field) {
  const json* value = Find(field);
  const auto* text = value == nullptr ? nullptr : value->get_ptr<const json::string_t*>();
  if (text == nullptr) Reject(field);
  return text;
}

bool JsonFields::Has(std::string_view field) const { return Find(field) != nullptr; }

bool JsonFields::Flag(std::string_view field) {
  const json* value = Find(field);
  const auto* flag = value == nullptr ? nullptr : value->get_ptr<const json::boolean_t*>();
  if (flag == nullptr) Reject(field);
  return flag != nullptr && *flag;
}

uint64_t JsonFields::Number(std::string_view field, uint64_t min, uint64_t max) {
  const json* value = Find(field);
  const auto* number =
      value == nullptr ? nullptr : value->get_ptr<const json::number_unsigned_t*>();
  if (number == nullptr || *number < min || *number > max) {
    Reject(field);
    return min;
  }
  return *number;
}

std::string JsonFields::Text(std::string_view field, size_t max_bytes) {
  const std::string* text = FindString(field);
  if (text == nullptr) return "";
  const bool control = std::any_of(text->begin(), text->end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
  if (text->size() > max_bytes || control) Reject(field);
  return ok() ? *text : "";
}

std::string JsonFields::Bytes(std::string_view field, size_t min_bytes, size_t max_bytes) {
  std::string bytes;
  const json* value = Find(field);
  if (value == nullptr && min_bytes == 0) return bytes;
  if (value == nullptr || !FromBase64(*value, max_bytes, bytes) || bytes.size() < min_bytes) {
    Reject(field);
  }
  return bytes;
}

void JsonFields::Secret(std::string_view field, pake::SecretSpan out) {
  if (SecretUpTo(field, out) != out.size()) Reject(field);
}

size_t JsonFields::SecretUpTo(std::string_view field, pake::SecretSpan out) {
  const std::string* text = FindString(field);
  if (text == nullptr) return 0;
  const size_t bytes = Decode(*text, out.data(pake::SecretAccess{}), out.size());
  if (bytes == SIZE_MAX) Reject(field);
  return bytes == SIZE_MAX ? 0 : bytes;
}

const json* JsonFields::Array(std::string_view field) {
  const json* value = Find(field);
  if (value == nullptr || !value->is_array()) Reject(field);
  return ok() ? value : nullptr;
}

const json* JsonFields::Object(std::string_view field) {
  const json* value = Find(field);
  if (value == nullptr || !value->is_object()) Reject(field);
  return ok() ? value : nullptr;
}

}  // namespace wormhole::core
