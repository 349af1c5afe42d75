// Loads a plugin, makes an exchange in it and unloads it, several times: ./host PLUGIN
// unloads|stays
//
// `unloads`: nothing of it may be left, in memory or as a thread. `stays`: its code is there after
// dlclose.
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <iostream>
#include <string>

namespace {

constexpr int kRounds = 3;

int CountThreads() {
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] == '.' ? 0 : 1;
  closedir(tasks);
  return count;
}

bool IsLoaded(const std::string& name) {
  std::string wanted = name;
  return dl_iterate_phdr(
             [](dl_phdr_info* info, size_t, void* data) {
               const std::string& file = *static_cast<std::string*>(data);
               return std::strstr(info->dlpi_name, file.c_str()) != nullptr ? 1 : 0;
             },
             &wanted) != 0;
}

// Loads, calls, unloads.
bool Round(const std::string& path) {
  void* plugin = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) {
    std::cout << dlerror() << std::endl;
    return false;
  }
  for (const char* function : {"PluginExchange", "PluginShutdown"}) {
    void* const found = dlsym(plugin, function);
    if (found == nullptr || reinterpret_cast<int (*)()>(found)() != 0) {
      std::cout << function << " failed" << std::endl;
      return false;
    }
  }
  return dlclose(plugin) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string path = argv[1];
  const std::string library = argv[2];
  const bool stays = argv[3] == std::string("stays");
  const int threads = CountThreads();
  for (int i = 0; i < kRounds; ++i) {
    if (!Round(path)) return 1;
    if (CountThreads() != threads) {
      std::cout << CountThreads() << " threads, and there were " << threads << std::endl;
      return 1;
    }
    if (IsLoaded(library) != stays) {
      std::cout << library << (stays ? " was unloaded" : " is still there") << std::endl;
      return 1;
    }
  }
  return 0;
}
