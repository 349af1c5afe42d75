"""The C++ rules of this project: rules_cc's, with the standard that the sources are written in.

It stands here and not in .bazelrc, which Bazel does not read in a workspace that has this project as a repository. A
target's own copts come last and so win over --cxxopt. For the same reason there are no warnings in such a workspace:
with its --copt=-Werror they would break its build, and .bazelrc has the exceptions that ours takes.
"""

load("@rules_cc//cc:defs.bzl", _cc_binary = "cc_binary", _cc_library = "cc_library", _cc_test = "cc_test")

def _copts():
    return ["-std=c++20"] + ([] if native.repository_name() == "@" else ["-w"])

def cc_binary(copts = [], **kwargs):
    _cc_binary(copts = _copts() + copts, **kwargs)

def cc_library(copts = [], **kwargs):
    _cc_library(copts = _copts() + copts, **kwargs)

def cc_test(copts = [], **kwargs):
    _cc_test(copts = _copts() + copts, **kwargs)
