// Linked into a program, this opens /dev/null for each of 0, 1 and 2 that is closed when the
// program starts, the wrong way round so that using it fails. Else the next thing that is opened
// becomes standard input, output or error, and somebody reads from it or prints into it.
//
// It cannot wait for main: the constructors of libraries open descriptors (gRPC's makes an
// eventfd). The functions of .preinit_array run before all of them. They run before sanitizers are
// ready, too, which is why system calls are made directly.
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

__attribute__((no_sanitize("address", "thread", "undefined"))) void OccupyStandardDescriptors(
    int /*argc*/, char** /*argv*/, char** /*environment*/) {
  for (long fd = 0; fd <= 2; ++fd) {  // NOLINT(google-runtime-int): syscall's own type
    if (syscall(SYS_fcntl, fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is taken, which is `fd`.
    if (syscall(SYS_openat, AT_FDCWD, "/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

__attribute__((section(".preinit_array"),
               used)) void (*const kBeforeConstructors)(int, char**,
                                                        char**) = OccupyStandardDescriptors;

}  // namespace
