// How many threads this process has.
#ifndef WORMHOLE_TESTS_SUPPORT_THREAD_COUNT_H_
#define WORMHOLE_TESTS_SUPPORT_THREAD_COUNT_H_

#include <dirent.h>

namespace wormhole::testing {

// As the system counts them.
inline int ThreadsOfThisProcess() {
  DIR* const tasks = opendir("/proc/self/task");
  int count = 0;
  while (const dirent* entry = readdir(tasks)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(tasks);
  return count;
}

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_SUPPORT_THREAD_COUNT_H_
