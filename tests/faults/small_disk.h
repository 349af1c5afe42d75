// A file system of a few megabytes, which can be filled.
#ifndef WORMHOLE_TESTS_FAULTS_SMALL_DISK_H_
#define WORMHOLE_TESTS_FAULTS_SMALL_DISK_H_

#include <string>

namespace wormhole::faults {

// In a mount namespace of the calling thread's and of the processes that it starts: nobody else
// sees it, and it is gone with them. See own_namespace.h for what that takes.
class SmallDisk {
 public:
  SmallDisk(std::string path, int megabytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Empty, or why there is no such disk.
  const std::string& why_not() const { return why_not_; }
  const std::string& path() const { return path_; }

  // Takes all the room that is left, and gives it back.
  void Fill();
  void Free();

 private:
  const std::string path_;
  std::string why_not_;
};

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_SMALL_DISK_H_
