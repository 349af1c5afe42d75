"""A string chosen on Bazel's command line as a C++ constant.

    load("@bazel_skylib//rules:common_settings.bzl", "string_flag")
    string_flag(name = "greeting", build_setting_default = "hello")
    cc_string_constant(name = "greeting_constant", out = "greeting.h", setting = ":greeting", namespace = "app",
                       constant = "kGreeting")

With `--//pkg:greeting=bye`, the header pkg/greeting.h says `inline constexpr char kGreeting[] = "bye";`.
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
    value = ctx.attr.setting[BuildSettingInfo].value
    for forbidden in ["\n", "\r"]:
        if forbidden in value:
            fail("the value of %s must be one line" % ctx.attr.setting.label)
    path = "%s/%s" % (ctx.label.package, ctx.attr.out.name)
    ctx.actions.write(
        output = ctx.outputs.out,
        content = _HEADER.format(
            label = ctx.attr.setting.label,
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
        "setting": attr.label(mandatory = True, providers = [BuildSettingInfo]),
    },
)

def cc_string_constant(name, out, setting, namespace, constant, **kwargs):
    """A header-only cc_library with one constant.

    Args:
      name: the library.
      out: the header's name in this package.
      setting: the string_flag whose value it holds.
      namespace: of the constant.
      constant: its name.
      **kwargs: passed to cc_library, e.g. visibility.
    """
    _string_constant_header(
        name = name + "_header",
        constant = constant,
        namespace = namespace,
        out = out,
        setting = setting,
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        hdrs = [out],
        **kwargs
    )
