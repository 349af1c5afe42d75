// What is measured. Each section starts its own servers, takes turns between them so that what else
// the machine does falls on all of them alike, and adds medians to the report.
#ifndef WORMHOLE_TESTS_BENCH_SECTIONS_H_
#define WORMHOLE_TESTS_BENCH_SECTIONS_H_

#include <string>

#include "tests/bench/report.h"
#include "tests/bench/servers.h"

namespace wormhole::bench {

struct Setting {
  // Small numbers: whether it works, not how fast.
  bool quick = false;
  const testing::TempFolder& folder;  // for SQLite's and etcd's files
  // Exchanges and connections of subjects whose name has this in it only, for a profiler. Empty: of
  // all.
  std::string only;
};

// A-relay-B-relay-A with 256 bytes, and the server's CPU time per message, with one pair at a time
// and with sixteen.
void MeasureRoundTrips(const Setting& setting, Report& report);
// The same with one pair and one trip after each idle second, and what waiting costs in CPU time:
// with clients that keep a thread of gRPC awake as the library does, and with some that do not.
void MeasureIdle(const Setting& setting, Report& report);
// What it costs the relay to count for its metrics: the same with and without.
void MeasureMetricsCost(const Setting& setting, Report& report);
// Connections that come, greet and go, several at once, and the server's CPU time for each.
void MeasureConnections(const Setting& setting, Report& report);
// Resident memory of the server for each side that waits.
void MeasureMemory(const Setting& setting, Report& report);
// Whole exchanges, sixteen at once; those of the client library, the same streams and frames
// without it, and as many messages through magic-wormhole's mailbox server if that is installed.
void MeasureExchanges(const Setting& setting, Report& report);
// From the receiver's start to the initiator's data in its hands, one at a time.
void MeasureClaimToData(const Setting& setting, Report& report);
// Exchanges and round trips over two relays on one etcd, against one relay on SQLite.
void MeasureGroup(const Setting& setting, Report& report);
// From a relay's SIGKILL until its waiting clients are attached again: at another relay over the
// same etcd, or at the same one, started again over its SQLite file.
void MeasureReattach(const Setting& setting, Report& report);
// From SIGTERM to the relay's end, and until its clients are attached at another relay.
void MeasureDrain(const Setting& setting, Report& report);
// The relay's time for an allocation, by what is in use already. In this process, without gRPC.
void MeasureAllocation(const Setting& setting, Report& report);

}  // namespace wormhole::bench

#endif  // WORMHOLE_TESTS_BENCH_SECTIONS_H_
