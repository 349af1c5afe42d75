#include "client/core/testing/known_inputs.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/core/code.h"
#include "gtest/gtest.h"
#include "sodium.h"

namespace wormhole::core {

using nlohmann::json;

json LoadVectors(const std::string& name) {
  std::ifstream file("proto/vectors/" + name);
  return json::parse(file);
}

std::string FromHex(const json& value) {
  const std::string hex = value;
  std::string bytes(hex.size() / 2, '\0');
  sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), hex.data(),
                 hex.size(), nullptr, nullptr, nullptr);
  return bytes;
}

std::string ToHex(const std::string& bytes) {
  std::string hex(2 * bytes.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                 bytes.size());
  hex.pop_back();
  return hex;
}

// Gives out what the inputs say, in the order in which an exchange asks.
class KnownSide::Script final : public RandomSource {
 public:
  Script(const json& inputs, bool initiator) {
    // 32 zeros after a scalar below the group's order: reducing the 64 bytes gives the scalar.
    bytes_ = FromHex(inputs[initiator ? "token_i" : "token_r"]) +
             FromHex(inputs[initiator ? "y_i" : "y_r"]) + std::string(32, '\0');
    if (!initiator) return;
    bytes_ += FromHex(inputs["sid"]);
    const std::vector<std::string> words = absl::StrSplit(inputs["words"].get<std::string>(), '-');
    for (const std::string& word : words) {
      for (uint32_t i = 0; i < kWordListSize; ++i) {
        if (Word(i) == word) numbers_.push_back(i);
      }
    }
  }
  void Fill(uint8_t* out, size_t size) override {
    ASSERT_LE(size, bytes_.size());
    std::copy_n(bytes_.begin(), size, out);
    bytes_.erase(0, size);
  }
  uint32_t Below(uint32_t) override {
    if (numbers_.empty()) return 0;
    const uint32_t next = numbers_.front();
    numbers_.pop_front();
    return next;
  }

 private:
  std::string bytes_;
  std::deque<uint32_t> numbers_;
};

KnownSide::KnownSide(const json& inputs, pake::Role role,
                     const std::function<void(ExchangeConfig&)>& change) {
  const bool initiator = role == pake::Role::kInitiator;
  random_ = std::make_shared<Script>(inputs, initiator);
  ExchangeConfig config;
  config.role = role;
  config.app_id = inputs["app_id"];
  config.relay = "relay:1";
  config.data = FromHex(inputs[initiator ? "data_i" : "data_r"]);
  if (!initiator) {
    config.code = absl::StrCat(inputs["channel_id"].get<uint32_t>(), "-",
                               inputs["words_receiver"].get<std::string>());
    config.allow_other_words = true;
  }
  if (change) change(config);
  auto exchange = Exchange::Create(config, false, random_.get());
  EXPECT_TRUE(exchange.ok()) << exchange.status();
  exchange_ = *std::move(exchange);
}

}  // namespace wormhole::core
