"""What of Debian is in what is shipped: a bill of materials (SPDX), and the licences of all that."""

def _sources_impl(_target, ctx):
    own = [
        file
        for name in ["srcs", "hdrs", "textual_hdrs"]
        if hasattr(ctx.rule.files, name)
        for file in getattr(ctx.rule.files, name)
    ]
    of_deps = [
        dep[OutputGroupInfo].sources
        for dep in getattr(ctx.rule.attr, "deps", [])
        if OutputGroupInfo in dep and hasattr(dep[OutputGroupInfo], "sources")
    ]
    return [OutputGroupInfo(sources = depset(own, transitive = of_deps))]

sources_of = aspect(
    implementation = _sources_impl,
    attr_aspects = ["deps"],
    doc = "The output group `sources` of cc_ targets: what they and all that they depend on are compiled from.",
)

def _contents_impl(ctx):
    spdx = ctx.actions.declare_file(ctx.label.name + ".spdx.json")
    licences = ctx.actions.declare_file(ctx.label.name + ".licences.txt")
    arguments = ctx.actions.args()
    arguments.add("--name=" + ctx.attr.of)
    arguments.add("--version=" + ctx.attr.version)
    arguments.add("--spdx=" + spdx.path)
    arguments.add("--licences=" + licences.path)
    inputs = []
    for target, folder in ctx.attr.files.items():
        groups = target[OutputGroupInfo]
        sources = ctx.actions.declare_file("%s.%s.sources" % (ctx.label.name, target.label.name))
        lines = ctx.actions.args()
        lines.set_param_file_format("multiline")
        lines.add_all(groups.sources)
        ctx.actions.write(sources, lines)
        inputs += [depset([sources]), groups.sources, groups.link_map, groups.shipped]
        link_map = groups.link_map.to_list()[0]
        for file in groups.shipped.to_list():
            path = folder + ctx.attr.names.get(file.basename, file.basename)
            arguments.add("--file=%s=%s" % (path, file.path))
            arguments.add("--sources=%s=%s" % (path, sources.path))

            # An archive is not linked, and has in it what was compiled.
            if file.extension != "a":
                arguments.add("--map=%s=%s" % (path, link_map.path))
    ctx.actions.run(
        outputs = [spdx, licences],
        inputs = depset(ctx.files._modules + ctx.files._installed, transitive = inputs),
        executable = ctx.file._contents,
        arguments = [arguments],
        mnemonic = "Contents",
        progress_message = "Looking at what is in %s" % ctx.attr.of,
        use_default_shell_env = True,
    )
    return [
        DefaultInfo(files = depset([spdx, licences])),
        OutputGroupInfo(
            licences = depset([licences]),
            spdx = depset([spdx]),
        ),
    ]

contents = rule(
    implementation = _contents_impl,
    attrs = {
        "files": attr.label_keyed_string_dict(
            mandatory = True,
            doc = "programs and libraries (with the output groups shipped, link_map, sources), and the folder of each",
        ),
        "names": attr.string_dict(doc = "what a file is called when it is shipped, if not as here"),
        "of": attr.string(mandatory = True, doc = "the document's name"),
        "version": attr.string(mandatory = True),
        "_contents": attr.label(allow_single_file = True, default = "//deploy/sbom:contents"),
        "_installed": attr.label(allow_single_file = True, default = "@wormhole_sync_debian_packages//:status"),
        "_modules": attr.label(default = "//deploy/sbom:modules"),
    },
    doc = "NAME.spdx.json and NAME.licences.txt, in the output groups spdx and licences.",
)
