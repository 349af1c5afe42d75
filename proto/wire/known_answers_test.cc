// App-ids good and bad, as proto/vectors/make lists them.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gtest/gtest.h"
#include "proto/wire/app_id.h"

namespace wormhole::wire {
namespace {

using nlohmann::json;

TEST(KnownAnswersTest, AppIds) {
  std::ifstream stream("proto/vectors/app_ids.json");
  const json file = json::parse(stream);
  for (const json& c : file["cases"]) {
    const std::string hex = c["app_id"];
    std::string app_id;
    for (size_t i = 0; i < hex.size(); i += 2) {
      app_id.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    EXPECT_EQ(json(CheckAppId(app_id).ok()), c["good"]) << c["name"];
  }
}

}  // namespace
}  // namespace wormhole::wire
