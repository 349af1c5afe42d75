// Every query of the dashboard, and all that the alerts look at, is there in a Prometheus that
// scrapes a relay under load.
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/observability/prometheus.h"
#include "tests/observability/promql.h"
#include "tests/observability/traffic.h"
#include "tests/support/child_process.h"
#include "tests/support/relay_process.h"
#include "tests/support/temp_folder.h"

namespace wormhole::testing {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

// What is empty while all is well: the start of a relay within the last minute, calls that end with
// an error of the relay's own, and a limit where there is none.
constexpr const char* kEmptyInGoodTimes[] = {
    "changes(process_start_time_seconds",
    "< 1e18",
    R"(grpc_code="Unknown")",
    R"(grpc_code="Internal")",
    R"(grpc_code="DataLoss")",
};

bool MayBeEmpty(const std::string& text) {
  for (const char* empty : kEmptyInGoodTimes) {
    if (text.find(empty) != std::string::npos) return true;
  }
  return false;
}

json ReadDashboard() {
  std::ifstream file("deploy/observability/dashboard.json");
  return json::parse(file);
}

// As prometheus.yml calls it.
constexpr char kJob[] = "wormhole-relay";

// The values that somebody has chosen in the dashboard. Grafana has the names of all jobs of relays
// for "all": a process_open_fds of any job would be that of other programs too.
struct Choice {
  std::string instance;
  std::string app;
};

std::string Substituted(std::string query, const Choice& choice) {
  query = Replaced(std::move(query), "$__rate_interval", "1m");
  query = Replaced(std::move(query), "$__range", "5m");
  query = Replaced(std::move(query), "$job", kJob);
  query = Replaced(std::move(query), "$namespace", ".*");  // no Kubernetes here
  query = Replaced(std::move(query), "$instance", choice.instance);
  query = Replaced(std::move(query), "$app", choice.app);
  EXPECT_EQ(query.find('$'), std::string::npos) << "a variable without a value: " << query;
  return query;
}

// By the panel that has it.
std::multimap<std::string, std::string> Queries(const json& dashboard) {
  std::multimap<std::string, std::string> queries;
  for (const json& panel : dashboard["panels"]) {
    for (const json& target : panel.value("targets", json::array())) {
      queries.emplace(panel["title"], target["expr"]);
    }
  }
  for (const json& annotation : dashboard["annotations"]["list"]) {
    if (annotation.contains("expr")) queries.emplace(annotation["name"], annotation["expr"]);
  }
  return queries;
}

// A relay under load, and a Prometheus that scrapes it.
class DashboardTest : public ::testing::Test {
 protected:
  DashboardTest() {
    metrics_ = relay_.AwaitLine("metrics on ");
    address_ = relay_.AwaitListening();
    EXPECT_NE(metrics_, "") << relay_.error();
    prometheus_ = std::make_unique<Prometheus>(metrics_);
    traffic_ = std::make_unique<Traffic>(address_);
  }

  // Goes on with the load until there is data for each of `queries`; returns those that have none
  // when patience is over.
  std::set<std::string> AwaitData(std::set<std::string> queries) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!queries.empty() && !HasFailure() && std::chrono::steady_clock::now() < deadline) {
      traffic_->Round();
      std::erase_if(queries, [&](const auto& query) { return prometheus_->HasData(query); });
    }
    return queries;
  }

  const TempFolder folder_;
  // All claims come from one address, and more of them fail in a minute than one may.
  RelayProcess relay_{{"--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0",
                       "--max-failed-claims-per-minute=0",
                       std::string("--metrics-apps=") + Traffic::kApp,
                       "--store=sqlite:" + folder_.File("observed.db")}};
  std::string metrics_;
  std::string address_;
  std::unique_ptr<Prometheus> prometheus_;
  std::unique_ptr<Traffic> traffic_;
};

TEST_F(DashboardTest, EveryQueryHasData) {
  const json dashboard = ReadDashboard();
  std::set<std::string> queries, empty;
  for (const Choice& choice : {Choice{".*", ".*"}, Choice{metrics_, Traffic::kApp}}) {
    for (const auto& [panel, query] : Queries(dashboard)) {
      (MayBeEmpty(query) ? empty : queries).insert(Substituted(query, choice));
    }
  }
  EXPECT_GE(queries.size(), 60u);
  EXPECT_THAT(AwaitData(queries), IsEmpty());
  for (const std::string& query : empty) {
    prometheus_->HasData(query);  // it is one, at least
    for (const std::string& selector : Selectors(query)) {
      EXPECT_TRUE(prometheus_->HasSeries(selector)) << selector;
    }
  }
}

TEST_F(DashboardTest, VariablesOfferWhatThereIs) {
  ASSERT_THAT(AwaitData({"wormhole_allocations_total"}), IsEmpty());
  const std::map<std::string, json> offered = {
      {"job", {kJob}},
      {"namespace", json::array()},
      {"instance", {metrics_}},
      {"app", {Traffic::kApp}},
  };
  std::map<std::string, json> found;
  const json dashboard = ReadDashboard();
  for (const json& variable : dashboard["templating"]["list"]) {
    if (variable["type"] != "query") continue;
    EXPECT_EQ(variable["query"]["query"], variable["definition"]);
    // label_values(SELECTOR, LABEL)
    const std::string query = Substituted(variable["definition"], {".*", ".*"});
    const size_t comma = query.rfind(", ");
    const std::string selector = query.substr(13, comma - 13);
    const std::string label = query.substr(comma + 2, query.size() - comma - 3);
    found[variable["name"]] = prometheus_->Ask("label/" + label + "/values", "match[]=" + selector);
  }
  EXPECT_EQ(found, offered);
}

TEST_F(DashboardTest, CanBeDrawn) {
  ASSERT_THAT(AwaitData({"rate(wormhole_store_commit_seconds_count[15s])"}), IsEmpty());
  ChildProcess draw(
      {.arguments = {"deploy/observability/draw", "http://" + prometheus_->address(), "0.5"}});
  EXPECT_EQ(draw.WaitForExit(), 0) << draw.err();
  EXPECT_THAT(draw.out(),
              ::testing::AllOf(::testing::StartsWith("<svg "), ::testing::EndsWith("</svg>\n"),
                               ::testing::HasSubstr(">works<")));
}

TEST_F(DashboardTest, EveryMetricOfTheRelayIsShown) {
  ASSERT_THAT(AwaitData({"wormhole_store_up"}), IsEmpty());
  const std::string shown = ReadDashboard().dump();
  for (const std::string name : prometheus_->Ask("label/__name__/values")) {
    if (!name.starts_with("wormhole_") && !name.starts_with("grpc_server_")) continue;
    if (name.ends_with("_sum") || name.ends_with("_count")) continue;  // their _bucket is
    EXPECT_NE(shown.find(name), std::string::npos) << name;
  }
}

TEST_F(DashboardTest, WhatTheAlertsLookAtIsThere) {
  ASSERT_THAT(AwaitData({"wormhole_store_up"}), IsEmpty());
  std::set<std::string> healthy;
  json rules;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  do {  // each is evaluated within a second
    traffic_->Round();
    rules = prometheus_->Ask("rules")["groups"][0]["rules"];
    healthy.clear();
    for (const json& rule : rules) {
      if (rule["health"] == "ok") healthy.insert(rule["name"].get<std::string>());
    }
  } while (healthy.size() < rules.size() && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(healthy.size(), rules.size());
  EXPECT_GE(rules.size(), 20u);
  for (const json& rule : rules) {
    SCOPED_TRACE(rule["name"]);
    const std::vector<std::string> selectors = Selectors(rule["query"]);
    EXPECT_THAT(selectors, ::testing::Not(IsEmpty()));
    for (const std::string& selector : selectors) {
      const bool whole = !MayBeEmpty(selector);
      EXPECT_TRUE(prometheus_->HasSeries(whole ? selector : selector.substr(0, selector.find('{'))))
          << selector;
    }
    // A relay that is well alarms nobody.
    EXPECT_NE(rule["state"], "firing");
  }
}

// --- The file itself.

// Those selectors of `expression` that look at relays that are not chosen.
std::vector<std::string> Unchosen(const std::string& expression) {
  std::vector<std::string> found = ReadPromql(expression).selectors;
  std::erase_if(found, [](const std::string& selector) {
    return selector.find(R"({job=~"$job",namespace=~"$namespace",)") != std::string::npos;
  });
  return found;
}

TEST(DashboardFileTest, ShowsTheRelaysThatAreChosen) {
  for (const auto& [panel, query] : Queries(ReadDashboard())) {
    EXPECT_THAT(Unchosen(query), IsEmpty()) << panel;
  }
  EXPECT_THAT(
      Unchosen(R"(up{job=~"$job",namespace=~"$namespace",a="b"} + up{instance="$instance"})"),
      ::testing::ElementsAre(R"(up{instance="$instance"})"));
}

void ExpectDatasourceIsTheVariable(const json& node) {
  if (node.is_object()) {
    if (node.contains("datasource") && node["datasource"].is_object()) {
      EXPECT_THAT(node["datasource"]["uid"], ::testing::AnyOf("${datasource}", "-- Grafana --"));
    }
    for (const auto& [key, value] : node.items()) ExpectDatasourceIsTheVariable(value);
  }
  if (node.is_array()) {
    for (const json& value : node) ExpectDatasourceIsTheVariable(value);
  }
}

TEST(DashboardFileTest, FitsAnyGrafana) {
  const json dashboard = ReadDashboard();
  EXPECT_GE(dashboard["schemaVersion"], 38);  // Grafana 10
  EXPECT_TRUE(dashboard["id"].is_null());
  // So that links to it last, and that importing it again replaces it.
  EXPECT_EQ(dashboard["uid"], "wormhole-relay");
  ExpectDatasourceIsTheVariable(dashboard);
  std::set<int> ids;
  std::set<std::pair<int, int>> cells;
  for (const json& panel : dashboard["panels"]) {
    SCOPED_TRACE(panel["title"]);
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second);
    const json& grid = panel["gridPos"];
    EXPECT_LE(grid["x"].get<int>() + grid["w"].get<int>(), 24);
    for (int x = grid["x"]; x < grid["x"].get<int>() + grid["w"].get<int>(); ++x) {
      for (int y = grid["y"]; y < grid["y"].get<int>() + grid["h"].get<int>(); ++y) {
        EXPECT_TRUE(cells.emplace(x, y).second) << "on another panel";
      }
    }
    std::set<std::string> letters;
    for (const json& target : panel.value("targets", json::array())) {
      EXPECT_TRUE(letters.insert(target["refId"].get<std::string>()).second);
      EXPECT_TRUE(target.contains("datasource"));
    }
  }
}

}  // namespace
}  // namespace wormhole::testing
