"""Headers that clang reads once and not for every source."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_headers_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(ctx = ctx, cc_toolchain = toolchain)
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        use_pic = True,
        user_compile_flags = ctx.fragments.cpp.cxxopts + ctx.fragments.cpp.copts + ctx.attr.copts,
    )
    output = ctx.actions.declare_file(ctx.label.name)
    arguments = ctx.actions.args()
    arguments.add(cc_common.get_tool_for_action(feature_configuration = features, action_name = "c++-compile"))
    arguments.add_all(cc_common.get_memory_inefficient_command_line(
        action_name = "c++-compile",
        feature_configuration = features,
        variables = variables,
    ))
    arguments.add_all(["-fpch-instantiate-templates", "-Wno-pragma-once-outside-header"])

    # Without the times of files, which are others in another copy of the workspace.
    arguments.add_all(["-Xclang", "-fno-pch-timestamp"])
    arguments.add_all(["-x", "c++-header", "-", "-o", output])
    ctx.actions.run_shell(
        outputs = [output],
        inputs = depset([ctx.file.src], transitive = [toolchain.all_files]),
        arguments = [arguments],
        # What clang reads from a file stands among the headers of all that is compiled with the result, by its whole
        # path, which Bazel does not take for a file of the workspace.
        command = "PWD=/proc/self/cwd \"$@\" < " + ctx.file.src.path,
        mnemonic = "PrecompileHeaders",
        use_default_shell_env = True,
        progress_message = "Precompiling %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([output]))]

precompiled_headers = rule(
    implementation = _precompiled_headers_impl,
    doc = "The headers of the system that `src` includes, as clang has read them.",
    attrs = {
        "copts": attr.string_list(doc = "what those are compiled with that use it, beside --copt"),
        "src": attr.label(allow_single_file = [".h"], mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
