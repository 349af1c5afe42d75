"""A program with everything inside that Debian has an archive of, so that it needs glibc and libstdc++ alone.

Libraries that the cc_ targets name by -lNAME come from libNAME.a. In the output group link_map is the linker's map, from
which deploy/bazel/contents.bzl reads what of them is inside. It is compiled as all that is shipped, so that objects of the library are made once.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_LINK_EXECUTABLE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("//deploy/bazel:abseil.bzl", "ABSEIL_RANDOM")
load("//deploy/bazel:contents.bzl", "sources_of")
load("//deploy/bazel:shipping.bzl", "SHIPPING_ATTRS", "shipping")

# What archives of Debian need beside what our targets name: a shared library would say it itself. If one is missing, the
# linker says of what.
_NEEDED_BY_ARCHIVES = ["address_sorting", "re2", "upb", "cares", "z"] + ["absl_" + lib for lib in ABSEIL_RANDOM]

# Names on a command line are taken from left to right, and these need each other.
_BEGIN = ["-Wl,--start-group"]
_END = ["-Wl,--end-group"]

def _ours(linker_inputs):
    """The archives of our own targets as flags, and as files."""
    flags, files = [], []
    for library in [library for one in linker_inputs for library in one.libraries]:
        archive = library.pic_static_library or library.static_library
        files.append(archive)
        if library.alwayslink:
            flags += ["-Wl,--whole-archive", archive.path, "-Wl,--no-whole-archive"]
        else:
            flags.append(archive.path)
    return flags, files

def _system_libraries(linker_inputs):
    """Other flags, and the names of all libraries, each once."""
    flags, names = [], []
    for flag in [flag for one in linker_inputs for flag in one.user_link_flags]:
        if flag.startswith("-l"):
            names.append(flag[len("-l"):])
        elif "--push-state" not in flag and "--pop-state" not in flag:
            flags.append(flag)
    return depset(flags).to_list(), depset(names + _NEEDED_BY_ARCHIVES).to_list()

def _bundled_program_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    program = ctx.actions.declare_file(ctx.label.name)
    link_map = ctx.actions.declare_file(ctx.label.name + ".map")
    linker_inputs = depset(
        transitive = [dep[CcInfo].linking_context.linker_inputs for dep in ctx.attr.deps],
        order = "topological",
    ).to_list()
    archives, files = _ours(linker_inputs)
    flags, names = _system_libraries(linker_inputs)
    variables = cc_common.create_link_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        output_file = program.path,
        is_linking_dynamic_library = False,
        user_link_flags = ctx.fragments.cpp.linkopts + flags + _BEGIN + archives +
                          ["-l:lib%s.a" % name for name in names] + _END +
                          ["-pie", "-static-libgcc", "-Wl,--gc-sections", "-Wl,--strip-all", "-Wl,--as-needed", "-Wl,-Map=" + link_map.path],
    )
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_LINK_EXECUTABLE_ACTION_NAME,
        ),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_LINK_EXECUTABLE_ACTION_NAME,
            variables = variables,
        ),
        env = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_LINK_EXECUTABLE_ACTION_NAME,
            variables = variables,
        ),
        inputs = depset(files + [ctx.file._installed], transitive = [toolchain.all_files]),
        outputs = [program, link_map],
        mnemonic = "CppLink",
        progress_message = "Linking %{output}",
    )
    return [
        DefaultInfo(executable = program),
        OutputGroupInfo(
            link_map = depset([link_map]),
            shipped = depset([program]),
            sources = depset(transitive = [dep[OutputGroupInfo].sources for dep in ctx.attr.deps]),
        ),
    ]

bundled_program = rule(
    implementation = _bundled_program_impl,
    attrs = dict(
        SHIPPING_ATTRS,
        deps = attr.label_list(
            aspects = [sources_of],
            cfg = shipping,
            mandatory = True,
            providers = [CcInfo],
            doc = "what is linked, `main` among it (alwayslink)",
        ),
        _cc_toolchain = attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    ),
    executable = True,
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
