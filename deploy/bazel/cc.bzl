"""The C++ rules of this project: rules_cc's, with the standard that the sources are written in.

It stands here and not in .bazelrc, which Bazel does not read in a workspace that has this project as a repository. A
target's own copts come last and so win over --cxxopt, and its features over --features. So what such a workspace asks
of its own code does not break ours: there are no warnings, which its -Werror would make errors and of which .bazelrc
has the exceptions that we take; we catch what the standard library throws; and clang does not look for a direct
dependency behind each #include.

Under --config=asan each depends on the precompiled headers (//deploy/bazel/precompiled) with which .bazelrc has it compiled.
"""

load("@rules_cc//cc:defs.bzl", _cc_binary = "cc_binary", _cc_library = "cc_library", _cc_test = "cc_test")

def _ours(copts = [], features = [], deps = [], **kwargs):
    copts = ["-std=c++20"] + copts
    if native.repository_name() == "@":
        deps = deps + select({
            "//deploy/bazel/precompiled:wanted": ["//deploy/bazel/precompiled"],
            "//conditions:default": [],
        })
    if native.repository_name() != "@":
        copts = copts + ["-w", "-fexceptions", "-frtti"]
        features = features + ["-layering_check"]
    return dict(kwargs, copts = copts, deps = deps, features = features)

def cc_binary(**kwargs):
    _cc_binary(**_ours(**kwargs))

def cc_library(**kwargs):
    _cc_library(**_ours(**kwargs))

def cc_test(**kwargs):
    _cc_test(**_ours(**kwargs))
