// Debian's Prometheus on loopback, with the configuration that deploy/observability has, for one
// relay and each second.
#ifndef WORMHOLE_TESTS_OBSERVABILITY_PROMETHEUS_H_
#define WORMHOLE_TESTS_OBSERVABILITY_PROMETHEUS_H_

#include <memory>
#include <string>

#include "nlohmann/json.hpp"
#include "tests/support/child_process.h"
#include "tests/support/reserved_port.h"
#include "tests/support/temp_folder.h"

namespace wormhole::testing {

// Of one thread. Dies with the test, and its data with it.
class Prometheus {
 public:
  // Scrapes `target`, HOST:PORT. A test failure when it does not come up.
  explicit Prometheus(const std::string& target);

  // The `data` of an answer of /api/v1/`path`; a test failure, and null, if that is an error.
  // `parameters` is NAME=VALUE, of which the value is not encoded yet.
  nlohmann::json Ask(const std::string& path, const std::string& parameter = "") const;

  const std::string& address() const { return port_.host_port(); }

  // Whether the query has a value now, other than NaN.
  bool HasData(const std::string& query) const;
  // Whether there are series for this selector.
  bool HasSeries(const std::string& selector) const;

 private:
  ReservedPort port_;
  const TempFolder folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_OBSERVABILITY_PROMETHEUS_H_
