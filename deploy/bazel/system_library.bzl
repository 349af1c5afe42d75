"""Targets for libraries whose headers and shared objects the system's compiler finds by itself."""

load("//deploy/bazel:cc.bzl", "cc_library")

def system_library(name, libs = [], linkopts = [], deps = [], **kwargs):
    """A cc_library that only links.

    Args:
      name: the target.
      libs: names for -l, dependents first. A library that nothing refers to is left out of the binary.
      linkopts: further linker flags.
      deps: other system libraries that its headers need.
      **kwargs: passed to cc_library, e.g. defines.
    """
    flags = ["-l" + lib for lib in libs]
    if flags:
        flags = ["-Wl,--push-state,--as-needed"] + flags + ["-Wl,--pop-state"]
    cc_library(
        name = name,
        linkopts = flags + linkopts,
        deps = deps,
        **kwargs
    )
