// Which Abseil the library is built for. Its types stand in the interface of this library and
// differ from release to release: a program that mixed two would crash. The other headers include
// this one; programs need not.
#ifndef WORMHOLE_ABSEIL_H_
#define WORMHOLE_ABSEIL_H_

#include "absl/base/config.h"

// The release of Debian 12, as deploy/bazel/abseil.bzl names its libraries.
#if !defined(ABSL_LTS_RELEASE_VERSION)
#error "wormhole-sync is built for Abseil 20220623, and this Abseil is no release"
#elif ABSL_LTS_RELEASE_VERSION != 20220623
// An #error that shows the other release's number, and not the name of its macro.
#define WORMHOLE_PRAGMA(text) _Pragma(#text)
#define WORMHOLE_ERROR(text) WORMHOLE_PRAGMA(GCC error #text)
#define WORMHOLE_REFUSE(theirs) \
  WORMHOLE_ERROR(wormhole-sync is built for Abseil 20220623 and this is Abseil theirs)
WORMHOLE_REFUSE(ABSL_LTS_RELEASE_VERSION)
#endif

#endif  // WORMHOLE_ABSEIL_H_
