"""The tar.gz of what is released, named with the version and the machine that it runs on."""

def _release_archive_impl(ctx):
    output = ctx.actions.declare_file("%s-%s-linux-%s.tar.gz" % (ctx.attr.base, ctx.attr.version, ctx.attr.arch))
    arguments = ctx.actions.args()
    arguments.add("--output=" + output.path)
    arguments.add("--set=VERSION=" + ctx.attr.version)
    for target, place in ctx.attr.files.items():
        files = target.files.to_list()
        if len(files) != 1 and not place.endswith("/"):
            fail("%s is %d files; name a folder for them, with a / at its end" % (target.label, len(files)))
        for file in files:
            path = place + file.basename if place.endswith("/") else place
            arguments.add("--file=%s=%s" % (path, file.path))
    for path, target in ctx.attr.links.items():
        arguments.add("--link=%s=%s" % (path, target))
    ctx.actions.run(
        outputs = [output],
        inputs = ctx.files.files,
        arguments = [arguments],
        executable = ctx.file._pack,
        mnemonic = "Pack",
        progress_message = "Packing %s" % output.short_path,
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([output]))]

release_archive = rule(
    implementation = _release_archive_impl,
    doc = "BASE-VERSION-linux-ARCH.tar.gz.",
    attrs = {
        "arch": attr.string(doc = "as `uname -m` says it", mandatory = True),
        "base": attr.string(doc = "what the archive's name begins with", mandatory = True),
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "where in the archive each lies; with a / at the end, the folder for all of them",
            mandatory = True,
        ),
        "links": attr.string_dict(doc = "symbolic links and what they lead to"),
        "version": attr.string(mandatory = True),
        "_pack": attr.label(allow_single_file = True, default = "//client/package:pack"),
    },
)
