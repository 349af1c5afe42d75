"""C++ from .proto files with Debian's protoc and grpc_cpp_plugin.

`import_root` is the folder, from the workspace's root, that the imports inside the files are relative to. It is also
what generated headers are included relative to: `wormhole/rendezvous/v1/rendezvous.pb.h`.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")

# Generated code keeps to no warning list of ours; .bazelrc leaves *.pb.cc out too.
_GENERATED_COPTS = ["-w"]

def _generate(name, srcs, imports, import_root, protoc_flags, suffix):
    """Declares the genrule and returns its (sources, headers)."""
    stems = []
    for src in srcs:
        path = src.split("//:")[-1] if "//:" in src else src
        stems.append(path[:-len(".proto")])
    sources = [stem + suffix + ".cc" for stem in stems]
    headers = [stem + suffix + ".h" for stem in stems]
    native.genrule(
        name = name + "_generate",
        srcs = srcs + imports,
        outs = sources + headers,
        cmd = "protoc -I{root} -I/usr/include {flags} {files}".format(
            root = import_root,
            flags = protoc_flags,
            files = " ".join(["$(location %s)" % src for src in srcs]),
        ),
        message = "Generating C++ for",
        visibility = ["//visibility:private"],
    )
    return sources, headers

def wormhole_cc_proto(name, srcs, deps = [], imports = [], import_root = None, **kwargs):
    """A cc_library of the messages in `srcs`.

    Args:
      name: the library.
      srcs: the .proto files.
      deps: libraries of the messages that `srcs` import, those of protobuf itself aside.
      imports: the .proto files that `srcs` import, those of protobuf itself aside.
      import_root: see above; the package's folder when not given.
      **kwargs: passed to cc_library.
    """
    sources, headers = _generate(
        name,
        srcs,
        imports,
        import_root or native.package_name(),
        "--cpp_out=$(RULEDIR)",
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

def wormhole_cc_grpc(name, srcs, deps, imports = [], import_root = None, **kwargs):
    """A cc_library of the services in `srcs`; `deps` holds the library of their messages. Else as wormhole_cc_proto.

    Args:
      name: the library.
      srcs: the .proto files.
      deps: libraries of the messages in `srcs`.
      imports: the .proto files that `srcs` import, those of protobuf itself aside.
      import_root: see above; the package's folder when not given.
      **kwargs: passed to cc_library.
    """
    sources, headers = _generate(
        name,
        srcs,
        imports,
        import_root or native.package_name(),
        "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) --grpc_out=$(RULEDIR)",
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
