"""Holds the public headers, client/include/wormhole, to what a program that includes them may expect.

Each compiles alone, as C++17 and C++20, under both compilers, without exceptions and RTTI and with warnings that a
program may have on. They include the standard library, absl and each other, name no type of gRPC or protobuf, define
no macro but their guards, and declare everything in wormhole::v0; the internal classes that they have to name stand
outside it.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

INCLUDE = "client/include"
COMPILERS = ("g++", "clang++-14")
STANDARDS = ("c++17", "c++20")
FLAGS = ("-fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror").split()

INCLUDES = re.compile(r'# *include +(<[a-z_]+>|"absl/[a-z_/]+\.h"|"wormhole/[a-z_]+\.h")$')
FOREIGN = re.compile(r"grpc|protobuf|google::|::v1\b", re.I)
INTERNAL = r"(?:class (?:ClientAccess|Engine|PartyDriver); *)*"
# Where the compiler ends, with macros that no program sees therefore: abseil.h refuses another Abseil.
REFUSAL = re.compile(r"^#elif ABSL_LTS_RELEASE_VERSION != \d+\n.*?(?=^#endif$)", re.M | re.S)
HOUSE = re.compile(r"namespace wormhole \{ *%sinline namespace v0 \{(.*)\} *\}" % INTERNAL)


def stands_in_v0(code):
    """Whether `code`, without comments, directives and line ends, has everything in wormhole::v0."""
    house = HOUSE.fullmatch(code)
    if not house:
        return not code
    depth = 0
    for bracket in re.findall("[{}]", house[1]):
        depth += 1 if bracket == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def text_faults(name, text):
    """What is wrong with how the header `name` is written."""
    guard = "WORMHOLE_%s_H_" % name[: -len(".h")].upper()
    bare = REFUSAL.sub("", re.sub(r"//.*", "", text))
    directives = [line.strip() for line in bare.split("\n") if line.lstrip().startswith("#")]
    faults = []
    for line in directives:
        if re.match(r"# *include", line) and not INCLUDES.match(line):
            faults.append("a program that installs the headers does not have this: " + line)
        if re.match(r"# *define", line) and line != "#define " + guard:
            faults.append("a macro, which has no namespace: " + line)
    faults += ["a name of what is below the library: " + name for name in FOREIGN.findall(bare)]
    code = " ".join(line for line in bare.split("\n") if not line.lstrip().startswith("#"))
    if not stands_in_v0(re.sub(r"\s+", " ", code).strip()):
        faults.append("something stands outside wormhole::v0")
    return faults


def compile_faults(compiler, standard, source, include=INCLUDE):
    """What `compiler` says to `source`; empty: nothing."""
    command = [compiler, "-xc++", "-std=" + standard, "-fsyntax-only", *FLAGS, "-I" + include, "-"]
    run = subprocess.run(command, input=source, text=True, capture_output=True, check=False)
    return run.stderr if run.returncode else ""


def main():
    folder = os.path.join(INCLUDE, "wormhole")
    names = sorted(os.listdir(folder))
    faults = []
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            faults += ["%s: %s" % (name, fault) for fault in text_faults(name, file.read())]
    jobs = [
        (compiler, standard, '#include "wormhole/%s"\n' % name)
        for compiler in COMPILERS
        for standard in STANDARDS
        for name in names
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, fault in zip(jobs, pool.map(lambda job: compile_faults(*job), jobs)):
            if fault:
                faults.append("%s -std=%s, %s%s" % (*job, fault))
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main())
