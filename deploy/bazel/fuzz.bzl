"""libFuzzer targets that are ordinary tests in every other build.

A fuzzed source defines LLVMFuzzerTestOneInput. `bazel test //...` feeds it each file of its corpus once;
`tests/fuzz/run //tests/fuzz:x_fuzz SECONDS` searches for more.
"""

load("//deploy/bazel:cc.bzl", "cc_test")

def fuzz_test(name, srcs, deps, corpus, tags = [], **kwargs):
    """A fuzz target.

    Args:
      name: the test.
      srcs: defines LLVMFuzzerTestOneInput.
      deps: what it drives.
      corpus: input files, at least one.
      tags: as of any test.
      **kwargs: passed to cc_test.
    """
    native.filegroup(
        name = name + "_corpus",
        testonly = True,
        srcs = corpus,
        visibility = ["//visibility:private"],
    )
    cc_test(
        name = name,
        size = "small",
        srcs = srcs,
        args = ["$(rootpaths :%s_corpus)" % name],
        data = [":%s_corpus" % name],
        linkopts = select({
            "//deploy/bazel:fuzzing": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        tags = tags + ["fuzz"],
        deps = deps + select({
            "//deploy/bazel:fuzzing": [],
            "//conditions:default": ["//deploy/bazel:corpus_main"],
        }),
        **kwargs
    )
