"""The repositories that building this project takes, in its own workspace and in one that has it as a repository.

    load("@wormhole_sync//deploy/bazel:repositories.bzl", "wormhole_sync_repositories")
    wormhole_sync_repositories()
"""

load("//deploy/bazel:debian.bzl", "coverage_tools_stub", "debian_packages", "debian_rules_cc", "debian_tree")

_LOCAL = {
    "bazel_skylib": "/usr/share/bazel/tools/skylib",
    "platforms": "/usr/share/bazel/tools/platforms",
    "rules_java": "/usr/share/bazel/rules/java",
    "rules_proto": "/usr/share/bazel/rules/proto",
}

def _unless_there(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def wormhole_sync_repositories():
    """Declares those that the workspace has not, from Debian 12's packages: nothing here reaches the network.

    Bazel 4.2 knows more of them by itself than are named here, and looks for those on the network only if something
    uses them.
    """
    for name, path in _LOCAL.items():
        _unless_there(native.local_repository, name = name, path = path)
    _unless_there(debian_rules_cc, name = "rules_cc", path = "/usr/share/bazel/rules/cc")
    _unless_there(coverage_tools_stub, name = "remote_coverage_tools")

    # Names that nobody else gives: a workspace's own @grpc_proto would have other labels.
    _unless_there(debian_packages, name = "wormhole_sync_debian_packages")
    _unless_there(debian_tree, name = "debian_grpc_proto", path = "/usr/share/grpc-proto")
