// A shared library that has the static one inside, and shows three functions. exchange.cc, whose
// main is called RunExchange here, is a part of it.
#include <iostream>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "wormhole/wormhole.h"

int RunExchange();

extern "C" __attribute__((visibility("default"))) int PluginExchange() { return RunExchange(); }

// Before it is unloaded: whether nothing of the library runs any more.
extern "C" __attribute__((visibility("default"))) int PluginShutdown() {
  const absl::Status status = wormhole::ShutdownCommonClient(absl::Seconds(10));
  if (!status.ok()) std::cout << status.ToString() << std::endl;
  return status.ok() ? 0 : 1;
}
