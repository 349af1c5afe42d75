#include "client/pake/testing/vectors.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace wormhole::pake::vectors {
namespace {

[[noreturn]] void Fail(std::string_view what) {
  std::cerr << "test vectors: " << what << std::endl;
  std::abort();
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  Fail("not a hex digit");
}

}  // namespace

nlohmann::json Load(std::string_view name) {
  std::ifstream file("proto/vectors/" + std::string(name));  // tests start in their runfiles
  if (!file) Fail(name);
  nlohmann::json parsed = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) Fail(name);
  return parsed;
}

std::string Unhex(const nlohmann::json& hex) {
  if (!hex.is_string()) Fail("a missing or non-string field");
  const std::string& text = hex.get_ref<const std::string&>();
  if (text.size() % 2 != 0) Fail("an odd number of hex digits");
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(Digit(text[i]) * 16 + Digit(text[i + 1])));
  }
  return bytes;
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out.push_back("0123456789abcdef"[static_cast<uint8_t>(c) >> 4]);
    out.push_back("0123456789abcdef"[static_cast<uint8_t>(c) & 15]);
  }
  return out;
}

std::string Plaintext(const nlohmann::json& sealed) {
  if (sealed.contains("plaintext")) return Unhex(sealed["plaintext"]);
  if (sealed.value("plaintext_rule", "") != "byte k is (k*7+3) mod 256") Fail("an unknown rule");
  std::string bytes(sealed.value("plaintext_length", size_t{0}), '\0');
  for (size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<char>(k * 7 + 3);
  return bytes;
}

}  // namespace wormhole::pake::vectors
