#include "relay/monitor/relay_gauges.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "relay/monitor/process_usage.h"
#include "relay/monitor/testing/metrics_page.h"

namespace wormhole::relay {
namespace {

MetricsPage PageOf(const RelayGauges& gauges) {
  return MetricsPage(prometheus::TextSerializer().Serialize(gauges.Collect()));
}

TEST(RelayGaugesTest, TellsWhatTheSourcesSayAtThatMoment) {
  SwitchboardCounts counts = {.apps = 1,
                              .active_channels = 2,
                              .resting_channels = 3,
                              .streams = 4,
                              .sides_alone = 5,
                              .sides_paired = 6,
                              .waiting = 7};
  bool works = true;
  bool draining = false;
  RelayClock::State clock;
  uint64_t lost = 0;
  const RelayGauges gauges({.version = "1.2.3",
                            .started_at = absl::FromUnixSeconds(1'700'000'000),
                            .counts = [&] { return counts; },
                            .store_works = [&] { return works; },
                            .draining = [&] { return draining; },
                            .clock = [&] { return clock; },
                            .certificate_end = [] { return absl::FromUnixSeconds(4'000'000'000); },
                            .events_lost = [&] { return lost; }});
  MetricsPage page = PageOf(gauges);
  EXPECT_EQ(page.Value("wormhole_build_info{version=\"1.2.3\"}"), 1);
  EXPECT_EQ(page.Value("wormhole_apps"), 1);
  EXPECT_EQ(page.Value("wormhole_channels{state=\"active\"}"), 2);
  EXPECT_EQ(page.Value("wormhole_channels{state=\"resting\"}"), 3);
  EXPECT_EQ(page.Value("wormhole_streams"), 4);
  EXPECT_EQ(page.Value("wormhole_attached_sides{state=\"alone\"}"), 5);
  EXPECT_EQ(page.Value("wormhole_attached_sides{state=\"paired\"}"), 6);
  EXPECT_EQ(page.Value("wormhole_attached_sides{state=\"waiting\"}"), 7);
  EXPECT_EQ(page.Value("wormhole_store_up"), 1);
  EXPECT_EQ(page.Value("wormhole_draining"), 0);
  EXPECT_EQ(page.Value("wormhole_clock_error_seconds"), 0);
  EXPECT_EQ(page.Value("wormhole_clock_outvoted"), 0);
  EXPECT_EQ(page.Value("wormhole_clock_steps_total"), 0);
  EXPECT_EQ(page.Value("wormhole_certificate_end_seconds"), 4'000'000'000);
  EXPECT_EQ(page.Value("wormhole_events_lost_total"), 0);
  EXPECT_EQ(page.Value("wormhole_log_lines_lost_total"), 0);
  EXPECT_EQ(page.Value("process_start_time_seconds"), 1'700'000'000);
  EXPECT_GT(page.Value("process_cpu_seconds_total"), 0);
  EXPECT_GT(page.Value("process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(page.Value("process_max_fds"), page.Value("process_open_fds"));
  EXPECT_GT(page.Value("wormhole_memory_limit_bytes"), page.Value("process_resident_memory_bytes"));

  counts.streams = 40;
  works = false;
  draining = true;
  clock = {.offset = absl::Hours(-2), .steps = 3, .outvoted = true};
  lost = 9;
  page = PageOf(gauges);
  EXPECT_EQ(page.Value("wormhole_streams"), 40);
  EXPECT_EQ(page.Value("wormhole_store_up"), 0);
  EXPECT_EQ(page.Value("wormhole_draining"), 1);
  EXPECT_EQ(page.Value("wormhole_clock_error_seconds"), 7200);
  EXPECT_EQ(page.Value("wormhole_clock_outvoted"), 1);
  EXPECT_EQ(page.Value("wormhole_clock_steps_total"), 3);
  EXPECT_EQ(page.Value("wormhole_events_lost_total"), 9);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

// The files that the kernel shows a process of the control group `group`.
class ControlGroups {
 public:
  explicit ControlGroups(const std::string& group) {
    Write("proc/self/cgroup", "4:memory:/elsewhere\n0::" + group + "\n");
  }
  void Limit(const std::string& group, const std::string& limit) {
    Write("sys/fs/cgroup" + group + "/memory.max", limit + "\n");
  }
  double Read() const { return MemoryLimitBytes(root_); }

 private:
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(root_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  const std::string root_ = (std::filesystem::path(::testing::TempDir()) /
                             ::testing::UnitTest::GetInstance()->current_test_info()->name())
                                .string();
};

TEST(MemoryLimitTest, OfAUnitIsTheSmallestOfItsGroups) {
  ControlGroups groups("/system.slice/relay.service");
  EXPECT_TRUE(std::isinf(groups.Read()));
  groups.Limit("/system.slice/relay.service", "max");
  EXPECT_TRUE(std::isinf(groups.Read()));
  groups.Limit("/system.slice/relay.service", "1000000000");
  EXPECT_EQ(groups.Read(), 1e9);
  groups.Limit("/system.slice", "500000000");
  EXPECT_EQ(groups.Read(), 5e8);
  groups.Limit("/system.slice", "2000000000");
  groups.Limit("", "300000000");
  EXPECT_EQ(groups.Read(), 3e8);
}

TEST(MemoryLimitTest, OfAContainerIsThatOfTheUppermostGroup) {
  ControlGroups own("/");
  own.Limit("", "536870912");
  EXPECT_EQ(own.Read(), 512 << 20);
}

TEST(MemoryLimitTest, OfAContainerThatSeesAPathOfTheHosts) {
  ControlGroups hosts("/kubepods/pod7/relay");
  hosts.Limit("", "536870912");
  EXPECT_EQ(hosts.Read(), 512 << 20);
}

TEST(MemoryLimitTest, WithoutControlGroupsThereIsNone) {
  EXPECT_TRUE(std::isinf(MemoryLimitBytes("/nowhere")));
}

// Both ends are in this process: of each connection one descriptor has the listener's port.
TEST(ProcessUsageTest, CountsTheConnectionsOfAPort) {
  const size_t open_before = CountDescriptors(0).all;
  const Descriptor listener(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), raw, size), 0);
  ASSERT_EQ(listen(listener.get(), 64), 0);
  ASSERT_EQ(getsockname(listener.get(), raw, &size), 0);
  const uint16_t port = ntohs(address.sin_port);
  EXPECT_EQ(CountDescriptors(port).connections, 0u);  // a listener is none

  std::vector<std::unique_ptr<Descriptor>> descriptors;
  for (size_t i = 1; i <= 20; ++i) {
    descriptors.push_back(std::make_unique<Descriptor>(socket(AF_INET, SOCK_STREAM, 0)));
    ASSERT_EQ(connect(descriptors.back()->get(), raw, size), 0);
    descriptors.push_back(std::make_unique<Descriptor>(accept(listener.get(), nullptr, nullptr)));
    EXPECT_EQ(CountDescriptors(port).connections, i);
  }
  EXPECT_EQ(CountDescriptors(port).all, open_before + 1 + 40);
  descriptors.resize(10);
  EXPECT_EQ(CountDescriptors(port).connections, 5u);
  EXPECT_EQ(CountDescriptors(0).connections, 0u);
}

}  // namespace
}  // namespace wormhole::relay
