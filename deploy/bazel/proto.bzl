"""C++ from .proto files with Debian's protoc and grpc_cpp_plugin.

The imports inside the files are relative to the folder of the package that has them, and so are the includes of what is
generated: `wormhole/rendezvous/v1/rendezvous.pb.h`.
"""

load("//deploy/bazel:cc.bzl", "cc_library")

# Generated code keeps to no warning list of ours; .bazelrc leaves *.pb.cc out too.
_GENERATED_COPTS = ["-w"]

def _generate(name, srcs, imports, command, suffix):
    """Declares the genrule of a command, and returns its (sources, headers).

    In the command {read} is protoc with what it reads, and {stems} are what it makes, in $(RULEDIR), without their
    suffixes. {options} is what --cpp_out takes before the folder.
    """
    stems = []
    for src in srcs:
        path = src.split("//:")[-1] if "//:" in src else src
        stems.append(path[:-len(".proto")])

    # From where the first file is, not from the package's name: in another workspace it stands below external/.
    root = "-I$$(f=$(location {src}); echo $${{f%{stem}.proto}}.)".format(src = srcs[0], stem = stems[0])
    sources = [stem + suffix + ".cc" for stem in stems]
    headers = [stem + suffix + ".h" for stem in stems]
    native.genrule(
        name = name + "_generate",
        srcs = srcs + imports,
        outs = sources + headers,
        cmd = select({
            condition: command.format(
                options = options,
                read = "protoc {root} -I/usr/include {files}".format(
                    root = root,
                    files = " ".join(["$(location %s)" % src for src in srcs]),
                ),
                stems = " ".join(stems),
            )
            for condition, options in {
                "//conditions:default": "",
                "//proto:lite_messages": "lite:",
            }.items()
        }),
        message = "Generating C++ for",
        visibility = ["//visibility:private"],
    )
    return sources, headers

# protoc leaves the JSON names out of the descriptors in the C++ that it makes of .proto files, and grpcurl, which has
# them from a server's reflection alone, then shows started_at where the JSON mapping says startedAt. It keeps what a
# descriptor names, and that it makes with all names. In headers, names would only be comments.
_MESSAGES = """
{read} --include_imports --descriptor_set_out=/dev/stdout |
  protoc --descriptor_set_in=/dev/stdin --cpp_out={options}$(RULEDIR) $$(printf '%s.proto ' {stems})
sed -i 's/ \\[json_name = "[^"]*"\\];$$/;/' $$(printf '$(RULEDIR)/%s.pb.h ' {stems})
"""

def wormhole_cc_proto(name, srcs, deps = [], imports = [], **kwargs):
    """A cc_library of the messages in `srcs`.

    Args:
      name: the library.
      srcs: the .proto files.
      deps: libraries of the messages that `srcs` import, those of protobuf itself aside.
      imports: the .proto files that `srcs` import, those of protobuf itself aside.
      **kwargs: passed to cc_library.
    """
    sources, headers = _generate(
        name,
        srcs,
        imports,
        _MESSAGES,
        ".pb",
    )
    cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        copts = _GENERATED_COPTS,
        includes = ["."],
        deps = deps + ["//deploy/bazel:protobuf"],
        **kwargs
    )

def wormhole_cc_grpc(name, srcs, deps, imports = [], **kwargs):
    """A cc_library of the services in `srcs`; `deps` holds the library of their messages. Else as wormhole_cc_proto.

    Args:
      name: the library.
      srcs: the .proto files.
      deps: libraries of the messages in `srcs`.
      imports: the .proto files that `srcs` import, those of protobuf itself aside.
      **kwargs: passed to cc_library.
    """
    sources, headers = _generate(
        name,
        srcs,
        imports,
        "{read} --plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) --grpc_out=$(RULEDIR)",
        ".grpc.pb",
    )
    cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        copts = _GENERATED_COPTS,
        includes = ["."],
        deps = deps + ["//deploy/bazel:grpcpp"],
        **kwargs
    )
