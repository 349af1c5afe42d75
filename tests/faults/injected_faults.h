// What a test does to the relay's system calls, through a library that is loaded before all others
// (injected_faults_preload.cc) and a file that both have mapped.
#ifndef WORMHOLE_TESTS_FAULTS_INJECTED_FAULTS_H_
#define WORMHOLE_TESTS_FAULTS_INJECTED_FAULTS_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace wormhole::faults {

inline constexpr char kInjectedFaultsVariable[] = "WORMHOLE_INJECTED_FAULTS";

// In the file, which begins as zeros: no fault.
struct FaultControl {
  std::atomic<int64_t> clock_shift_seconds;  // of the wall clock
  std::atomic<int32_t> write_error;          // errno of all writes to files; 0: they work
  std::atomic<int32_t> sync_error;           // the same of fsync and fdatasync
  std::atomic<int32_t> tear_write;           // N: the N-th write from now is cut, and the process
                                             // is killed in it
};

// The test's end.
class InjectedFaults {
 public:
  // Makes the file.
  explicit InjectedFaults(const std::string& file);
  ~InjectedFaults();
  InjectedFaults(const InjectedFaults&) = delete;
  InjectedFaults& operator=(const InjectedFaults&) = delete;

  // What a process that is to suffer has in its environment.
  std::vector<std::pair<std::string, std::string>> Environment() const;
  FaultControl* operator->() { return control_; }

 private:
  const std::string file_;
  FaultControl* control_ = nullptr;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_INJECTED_FAULTS_H_
