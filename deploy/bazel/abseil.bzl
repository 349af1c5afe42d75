"""What each used component of Debian's Abseil 20220623 links, as `pkg-config --libs absl_<component>` says.

Abseil's headers inline much, so a binary refers to the inner libraries too and each has to be named.
"""

load("//deploy/bazel:system_library.bzl", "system_library")

_BASE = ["base", "spinlock_wait", "int128", "throw_delegate", "raw_logging_internal", "log_severity"]

_STRINGS = ["str_format_internal", "strings", "strings_internal"] + _BASE

_TIME = ["time", "civil_time", "time_zone"] + _STRINGS

_SYNCHRONIZATION = [
    "synchronization",
    "graphcycles_internal",
    "stacktrace",
    "symbolize",
    "debugging_internal",
    "demangle_internal",
    "malloc_internal",
] + _TIME

_CORD = [
    "cord",
    "cordz_info",
    "cord_internal",
    "cordz_functions",
    "exponential_biased",
    "cordz_handle",
    "bad_optional_access",
    "bad_variant_access",
] + _SYNCHRONIZATION

_STATUS = ["status", "strerror"] + _CORD

_HASH_TABLES = ["raw_hash_set", "hashtablez_sampler", "hash", "city", "low_level_hash"] + _CORD

_FLAGS = [
    "flags_internal",
    "flags_marshalling",
    "flags_reflection",
    "flags_private_handle_accessor",
    "flags_commandlineflag",
    "flags_commandlineflag_internal",
    "flags_config",
    "flags_program_name",
] + _HASH_TABLES

# What gRPC draws random numbers with. A program that is linked with archives has to name it.
ABSEIL_RANDOM = [
    "random_distributions",
    "random_seed_sequences",
    "random_seed_gen_exception",
    "random_internal_pool_urbg",
    "random_internal_randen",
    "random_internal_randen_hwaes",
    "random_internal_randen_hwaes_impl",
    "random_internal_randen_slow",
    "random_internal_platform",
    "random_internal_seed_material",
] + _HASH_TABLES

_COMPONENTS = {
    "base": _BASE,
    "flags": _FLAGS,
    "flags_parse": ["flags_parse", "flags_usage", "flags_usage_internal"] + _FLAGS,
    "flat_hash_map": _HASH_TABLES,
    "status": _STATUS,
    "statusor": ["statusor"] + _STATUS,
    "strings": _STRINGS,
    "time": _TIME,
}

def abseil_libraries():
    """Declares :absl_<component> for every component above."""
    for component, libs in _COMPONENTS.items():
        system_library(
            name = "absl_" + component,
            libs = ["absl_" + lib for lib in libs],
        )
