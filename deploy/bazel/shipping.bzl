"""How all that is shipped for other programs is compiled: once, in one configuration of its own.

A library that goes into somebody else's process may not collide with what is there. So its messages have no
descriptors (//proto:lite), it keeps to itself every symbol that is not named as public, and no symbol is unique in the
whole process, which would keep a plugin from being unloaded and give a consumer that uses the same template a second
definition.
"""

load("//deploy/bazel:contents.bzl", "sources_of")

_COPTS = [
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-fno-gnu-unique",
    "-ffunction-sections",
    "-fdata-sections",
]

# For the libraries that define what the public headers declare.
PUBLIC_COPTS = ["-fvisibility=default"]

_COPT = "//command_line_option:copt"
_COMPILATION_MODE = "//command_line_option:compilation_mode"
_LITE = "//proto:lite"

def _shipping_impl(settings, _attr):
    # Those of the command line come last, so that one can ask for -g.
    return {
        _COMPILATION_MODE: "opt",
        _COPT: _COPTS + [copt for copt in settings[_COPT] if copt not in _COPTS],
        _LITE: True,
    }

# For attributes of rules, as cfg = shipping; the rule has SHIPPING_ATTRS then. It makes a list of what it is put on.
shipping = transition(
    implementation = _shipping_impl,
    inputs = [_COPT],
    outputs = [_COMPILATION_MODE, _COPT, _LITE],
)

# Undefined symbols are errors here and not for who links the library. Threads of gRPC and ours may run in it when a
# program lets go of it, so that it stays loaded. What is not reached from the exports is left out.
_SHARED = ["-Wl,-z,defs,-z,nodelete,-z,relro,-z,now,--gc-sections,--build-id=sha1"]

SHIPPING_ATTRS = {
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
    # Parts of Debian's archives are linked into most of these, which so are made anew after any upgrade.
    "_installed": attr.label(allow_single_file = True, default = "@wormhole_sync_debian_packages//:status"),
}

def _shipped_file_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = output, target_file = ctx.file.src)
    return [DefaultInfo(files = depset([output]))]

shipped_file = rule(
    implementation = _shipped_file_impl,
    doc = "One file, as it is when it is made for shipping, under this target's name.",
    attrs = dict(
        SHIPPING_ATTRS,
        src = attr.label(allow_single_file = True, cfg = shipping, mandatory = True),
    ),
)

def _shipped_library_impl(ctx):
    archives = []
    system = []
    for linker_input in ctx.attr.lib[0][CcInfo].linking_context.linker_inputs.to_list():
        system.extend(linker_input.user_link_flags)
        for library in linker_input.libraries:
            archives.append(library.pic_static_library or library.static_library)
    whole = ctx.actions.declare_file(ctx.label.name + ".o")
    joining = ctx.actions.args()
    joining.add("-o", whole)
    joining.add("--whole-archive")
    joining.add_all(archives)
    ctx.actions.run_shell(
        outputs = [whole],
        inputs = archives,
        arguments = [joining],
        # Templates and inline functions lie in groups of sections, of which a linker keeps one for the whole program.
        # Out of the groups ours stay ours, compiled as the rest of the library was.
        command = "ld -r --force-group-allocation \"$@\"",
        mnemonic = "JoinObjects",
        use_default_shell_env = True,
        progress_message = "Joining the objects of %s" % ctx.label,
    )

    exports = ctx.file.exports
    shared = ctx.actions.declare_file("%s.so.%d" % (ctx.label.name, ctx.attr.soversion))
    unstripped = ctx.actions.declare_file(shared.basename + ".unstripped")
    linking = ctx.actions.args()
    linking.add("-o", unstripped)
    linking.add(whole)
    linking.add("-Wl,--version-script=" + exports.path)
    link_map = ctx.actions.declare_file(shared.basename + ".map")
    linking.add("-Wl,-Map=" + link_map.path)
    linking.add("-Wl,-soname," + shared.basename)
    linking.add_all(_SHARED)
    linking.add_all(system)
    ctx.actions.run_shell(
        outputs = [shared, unstripped, link_map],
        inputs = [whole, exports, ctx.file._installed],
        arguments = [linking],
        command = "g++ -shared \"$@\" && strip --strip-unneeded -o %s %s" % (shared.path, unstripped.path),
        mnemonic = "LinkShared",
        use_default_shell_env = True,
        progress_message = "Linking %s" % shared.short_path,
    )

    static = ctx.actions.declare_file(ctx.label.name + ".a")
    ctx.actions.run_shell(
        outputs = [static],
        inputs = [ctx.file._archive, whole, shared],
        command = " ".join([ctx.file._archive.path, whole.path, shared.path, static.path]),
        mnemonic = "ArchiveWhole",
        use_default_shell_env = True,
        progress_message = "Making %s" % static.short_path,
    )
    return [
        DefaultInfo(files = depset([shared, static])),
        OutputGroupInfo(
            link_map = depset([link_map]),
            shared = depset([shared]),
            shipped = depset([shared, static]),
            sources = ctx.attr.lib[0][OutputGroupInfo].sources,
            static = depset([static]),
            unstripped = depset([unstripped]),
        ),
    ]

shipped_library = rule(
    implementation = _shipped_library_impl,
    doc = """NAME.so.N and NAME.a of all that a cc_library consists of, the system's libraries aside.

    The output group `unstripped` has NAME.so.N.unstripped, whose debugging information is that of --copt=-g.
    """,
    attrs = dict(
        SHIPPING_ATTRS,
        exports = attr.label(
            allow_single_file = True,
            doc = "the linker's version script, which says what both libraries show",
            mandatory = True,
        ),
        lib = attr.label(aspects = [sources_of], cfg = shipping, mandatory = True, providers = [CcInfo]),
        soversion = attr.int(doc = "what the SONAME ends with", mandatory = True),
        _archive = attr.label(allow_single_file = True, default = "//deploy/bazel:archive_whole"),
    ),
)
