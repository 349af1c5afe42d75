// Loaded before the C library: its functions for the wall clock and for files, with the faults of
// injected_faults.h. In a process that was told of no file it changes nothing.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "tests/faults/injected_faults.h"

namespace {

using wormhole::faults::FaultControl;

FaultControl* MapControl() {
  const char* file = getenv(wormhole::faults::kInjectedFaultsVariable);
  const int fd = file == nullptr ? -1 : open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* place = mmap(nullptr, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return place == MAP_FAILED ? nullptr : static_cast<FaultControl*>(place);
}

FaultControl* Control() {
  static FaultControl* const control = MapControl();
  return control;
}

template <typename Function>
Function* Real(Function* /*ours*/, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int64_t Shift() { return Control() == nullptr ? 0 : Control()->clock_shift_seconds.load(); }

// 0, or the error that this write is to end with. Does not return when it is to be torn.
template <typename Write>
int WriteFault(Write half) {
  if (Control() == nullptr) return 0;
  std::atomic<int32_t>& left = Control()->tear_write;
  if (left > 0 && --left == 0) {
    half();
    raise(SIGKILL);
  }
  return Control()->write_error;
}

int SyncFault() { return Control() == nullptr ? 0 : Control()->sync_error.load(); }

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static auto* const real = Real(&clock_gettime, "clock_gettime");
  const int result = real(clock, now);
  if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += Shift();
  return result;
}

int gettimeofday(timeval* now, void* zone) noexcept {
  static auto* const real = Real(&gettimeofday, "gettimeofday");
  const int result = real(now, zone);
  if (result == 0) now->tv_sec += Shift();
  return result;
}

time_t time(time_t* now) noexcept {
  timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static auto* const real = Real(&pwrite64, "pwrite64");
  errno = WriteFault([&] { real(fd, bytes, size / 2, at); });
  return errno != 0 ? -1 : real(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return pwrite64(fd, bytes, size, at);
}

int fsync(int fd) {
  static auto* const real = Real(&fsync, "fsync");
  errno = SyncFault();
  return errno != 0 ? -1 : real(fd);
}

int fdatasync(int fd) {
  static auto* const real = Real(&fdatasync, "fdatasync");
  errno = SyncFault();
  return errno != 0 ? -1 : real(fd);
}

}  // extern "C"
