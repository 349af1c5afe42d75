#include "tests/observability/prometheus.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "gtest/gtest.h"
#include "tests/support/http_client.h"

namespace wormhole::testing {
namespace {

constexpr char kProgram[] = "/usr/bin/prometheus";
constexpr char kSource[] = "deploy/observability";

std::string Encoded(const std::string& text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '_' || c == '=') {
      encoded += static_cast<char>(c);
    } else {
      encoded += {'%', kDigits[c >> 4], kDigits[c & 15]};
    }
  }
  return encoded;
}

// What is committed, but for the target and the pace. Returns the configuration's path.
std::string WriteConfiguration(const std::string& target, const TempFolder& folder) {
  std::ifstream source(std::string(kSource) + "/prometheus.yml");
  std::string text{std::istreambuf_iterator<char>(source), {}};
  text = std::regex_replace(text, std::regex("127\\.0\\.0\\.1:47182"), target);
  text = std::regex_replace(text, std::regex("interval: \\w+"), "interval: 1s");
  EXPECT_NE(text.find(target), std::string::npos) << text;
  std::ofstream(folder.File("prometheus.yml")) << text;
  std::filesystem::copy_file(std::string(kSource) + "/alerts.yml", folder.File("alerts.yml"));
  return folder.File("prometheus.yml");
}

}  // namespace

Prometheus::Prometheus(const std::string& target) {
  process_ = std::make_unique<ChildProcess>(ChildProcess::Options{
      .arguments = {kProgram, "--config.file=" + WriteConfiguration(target, folder_),
                    "--storage.tsdb.path=" + folder_.File("data"),
                    "--web.listen-address=" + port_.host_port()}});
  EXPECT_TRUE(process_->WaitFor(ChildProcess::kErr, "Server is ready")) << process_->err();
}

nlohmann::json Prometheus::Ask(const std::string& path, const std::string& parameter) const {
  service_test::TcpClient client(port_.host_port());
  // HTTP/1.0: one answer, whole, and then the end.
  client.Send("GET /api/v1/" + path + "?" + Encoded(parameter) + " HTTP/1.0\r\n\r\n");
  const std::string body = service_test::ReadHttp(client.ReadToEnd()).body;
  nlohmann::json answer = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded() || answer["status"] != "success") {
    ADD_FAILURE() << path << "?" << parameter << ": " << body;
    return nullptr;
  }
  return std::move(answer["data"]);
}

bool Prometheus::HasData(const std::string& query) const {
  const nlohmann::json data = Ask("query", "query=" + query);
  if (data.is_null()) return false;
  for (const auto& sample : data["result"]) {
    if (sample["value"][1] != "NaN") return true;
  }
  return false;
}

bool Prometheus::HasSeries(const std::string& selector) const {
  const nlohmann::json data = Ask("series", "match[]=" + selector);
  return data.is_array() && !data.empty();
}

}  // namespace wormhole::testing
