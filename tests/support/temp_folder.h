// A folder of a test's own, gone with it.
#ifndef WORMHOLE_TESTS_SUPPORT_TEMP_FOLDER_H_
#define WORMHOLE_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <string>

namespace wormhole::relay {

class TempFolder {
 public:
  TempFolder();
  explicit TempFolder(const std::string& parent);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_TESTS_SUPPORT_TEMP_FOLDER_H_
