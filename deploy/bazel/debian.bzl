"""Repositories made from what Debian's packages put under /usr/share.

Debian's rules_cc is newer than Debian's Bazel 4.2.3, and Bazel expects a few repositories that it would otherwise
download. The rules here bridge both without the network.
"""

_UNKNOWN_LOAD = ', "use_cpp_toolchain")'
_UNKNOWN_CALL = "use_cpp_toolchain()"
_KNOWN_CALL = '["@bazel_tools//tools/cpp:toolchain_type"]'

# The files of rules_cc that name use_cpp_toolchain, which Bazel 4.2 has not got.
_TO_PATCH = [
    "cc/private/rules_impl/cc_flags_supplier.bzl",
    "cc/private/rules_impl/compiler_flag.bzl",
]

def _debian_rules_cc_impl(ctx):
    root = ctx.path(ctx.attr.path)
    result = ctx.execute(["cp", "-R", str(root) + "/.", "."])
    if result.return_code != 0:
        fail("cannot copy %s (is bazel-rules-cc installed?): %s" % (root, result.stderr))
    for name in _TO_PATCH:
        text = ctx.read(name)
        text = text.replace(_UNKNOWN_LOAD, ")").replace(_UNKNOWN_CALL, _KNOWN_CALL)
        ctx.delete(name)
        ctx.file(name, text, executable = False)

debian_rules_cc = repository_rule(
    implementation = _debian_rules_cc_impl,
    doc = "Debian's rules_cc, made loadable by Bazel 4.2.",
    attrs = {"path": attr.string(mandatory = True, doc = "where the package puts the rules")},
    local = True,
)

def _coverage_tools_stub_impl(ctx):
    ctx.file("WORKSPACE", 'workspace(name = "%s")\n' % ctx.name)
    ctx.file("BUILD", """
package(default_visibility = ["//visibility:public"])

filegroup(name = "coverage_report_generator", srcs = ["refuse.sh"])

filegroup(name = "lcov_merger", srcs = ["refuse.sh"])
""")
    ctx.file("refuse.sh", "#!/bin/sh\necho 'coverage tools are not packaged for Debian 12' >&2\nexit 1\n")

coverage_tools_stub = repository_rule(
    implementation = _coverage_tools_stub_impl,
    doc = "Stands in for the tools that Bazel would download for `bazel coverage`; `bazel test` merely names them.",
)

def _debian_tree_impl(ctx):
    root = ctx.path(ctx.attr.path)
    if not root.exists:
        fail("%s does not exist; install the Debian package that carries it" % root)
    ctx.file("WORKSPACE", 'workspace(name = "%s")\n' % ctx.name)
    for entry in root.readdir():
        ctx.symlink(entry, entry.basename)
    ctx.file("BUILD", """
package(default_visibility = ["//visibility:public"])

exports_files(glob(["**/*.proto"]))
""")

debian_tree = repository_rule(
    implementation = _debian_tree_impl,
    doc = "The .proto files of a Debian package as source files.",
    attrs = {"path": attr.string(mandatory = True, doc = "where the package puts them")},
    local = True,
)

def _debian_packages_impl(ctx):
    ctx.file("WORKSPACE", 'workspace(name = "%s")\n' % ctx.name)
    if ctx.path("/var/lib/dpkg/status").exists:
        ctx.symlink("/var/lib/dpkg/status", "status")
    else:
        ctx.file("status", "no Debian\n")
    ctx.file("BUILD", 'exports_files(["status"], visibility = ["//visibility:public"])\n')

debian_packages = repository_rule(
    implementation = _debian_packages_impl,
    doc = """Which packages are installed, in which versions, as the file `status`.

    Bazel does not watch the system's files. An action that puts parts of them into what is shipped, or says which they
    are, has this one among its inputs; without it Bazel keeps what it made before an upgrade, for as long as its folder
    lasts.
    """,
    local = True,
)
