// A folder of a test's own, gone with it.
#ifndef WORMHOLE_TESTS_SUPPORT_TEMP_FOLDER_H_
#define WORMHOLE_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <string>

namespace wormhole::testing {

class TempFolder {
 public:
  // Where Bazel wants a test's files, else where the system has temporary ones.
  TempFolder();
  // In `parent`. Ends the process when the folder cannot be made.
  explicit TempFolder(const std::string& parent);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_TEMP_FOLDER_H_
