"""The version of all that is released together: relay, command line, library, packages, chart.

It stands here alone. BUILD and .bzl files load it; C++ has it from proto/version/version.h; and as this file is Python
too, scripts read it so:

    version=$(grep '^VERSION' deploy/version.bzl | cut -d'"' -f2)   # bash
    version = runpy.run_path("deploy/version.bzl")["VERSION"]       # Python

Where a copy cannot be avoided (the chart, pages, packages), tests/lint/run version compares.
"""

VERSION = "0.1.0"
