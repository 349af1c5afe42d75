#include "tests/faults/injected_faults.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace wormhole::faults {

InjectedFaults::InjectedFaults(const std::string& file) : file_(file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* place = MAP_FAILED;
  if (fd >= 0 && ftruncate(fd, sizeof(FaultControl)) == 0) {
    place = mmap(nullptr, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (place == MAP_FAILED) {
    perror(file.c_str());
    abort();
  }
  close(fd);
  control_ = static_cast<FaultControl*>(place);
}

InjectedFaults::~InjectedFaults() { munmap(control_, sizeof(FaultControl)); }

std::vector<std::pair<std::string, std::string>> InjectedFaults::Environment() const {
  const char* library = getenv("WORMHOLE_INJECTED_FAULTS_LIBRARY");  // set by the BUILD file
  return {{"LD_PRELOAD", std::filesystem::absolute(library).string()},
          {kInjectedFaultsVariable, file_}};
}

}  // namespace wormhole::faults
