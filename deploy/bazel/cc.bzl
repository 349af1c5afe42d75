"""The C++ rules of this project: rules_cc's, with the standard that the sources are written in.

It stands here and not in .bazelrc, which Bazel does not read in a workspace that has this project as a repository. A
target's own copts come last and so win over --cxxopt.
"""

load("@rules_cc//cc:defs.bzl", _cc_binary = "cc_binary", _cc_library = "cc_library", _cc_test = "cc_test")

_COPTS = ["-std=c++20"]

def cc_binary(copts = [], **kwargs):
    _cc_binary(copts = _COPTS + copts, **kwargs)

def cc_library(copts = [], **kwargs):
    _cc_library(copts = _COPTS + copts, **kwargs)

def cc_test(copts = [], **kwargs):
    _cc_test(copts = _COPTS + copts, **kwargs)
