"""A string that Bazel knows as a C++ constant: one that is chosen on its command line, or one of a .bzl file.

    load("@bazel_skylib//rules:common_settings.bzl", "string_flag")
    string_flag(name = "greeting", build_setting_default = "hello")
    cc_string_constant(name = "greeting_constant", out = "greeting.h", setting = ":greeting", namespace = "app",
                       constant = "kGreeting")

With `--//pkg:greeting=bye`, the header pkg/greeting.h says `inline constexpr char kGreeting[] = "bye";`. In place
of `setting`, `value` gives the string itself.
"""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//deploy/bazel:cc.bzl", "cc_library")

_HEADER = """\
// Generated: the value of {label}.
#ifndef {guard}
#define {guard}

namespace {namespace} {{

inline constexpr char {constant}[] = "{value}";

}}  // namespace {namespace}

#endif  // {guard}
"""

def _header_impl(ctx):
    setting = ctx.attr.setting
    value = setting[BuildSettingInfo].value if setting else ctx.attr.value
    source = setting.label if setting else ctx.label
    for forbidden in ["\n", "\r"]:
        if forbidden in value:
            fail("the value of %s must be one line" % source)
    path = "%s/%s" % (ctx.label.package, ctx.attr.out.name)
    ctx.actions.write(
        output = ctx.outputs.out,
        content = _HEADER.format(
            label = source,
            guard = "WORMHOLE_%s_" % path.upper().replace("/", "_").replace(".", "_"),
            namespace = ctx.attr.namespace,
            constant = ctx.attr.constant,
            value = value.replace("\\", "\\\\").replace("\"", "\\\""),
        ),
    )

_string_constant_header = rule(
    implementation = _header_impl,
    attrs = {
        "constant": attr.string(mandatory = True),
        "namespace": attr.string(mandatory = True),
        "out": attr.output(mandatory = True),
        "setting": attr.label(providers = [BuildSettingInfo]),
        "value": attr.string(),
    },
)

def cc_string_constant(name, out, namespace, constant, setting = None, value = "", **kwargs):
    """A header-only cc_library with one constant.

    Args:
      name: the library.
      out: the header's name in this package.
      namespace: of the constant.
      constant: its name.
      setting: the string_flag whose value it holds, if any.
      value: what it holds otherwise.
      **kwargs: passed to cc_library, e.g. visibility.
    """
    _string_constant_header(
        name = name + "_header",
        constant = constant,
        namespace = namespace,
        out = out,
        setting = setting,
        value = value,
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        hdrs = [out],
        **kwargs
    )
