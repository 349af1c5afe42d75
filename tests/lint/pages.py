"""Holds what README.md and client/README.md show of the library to what the tests run.

Each block of C++ or of Bazel's (which says that it is Python) stands in one of the page's files below, but for white
space. client/README.md also says of each Reason what to do. What else it shows tests/consumers/guide does.
"""

import re
import sys

PAGES = {
    "README.md": ["tests/end_to_end/readme_example.cc"],
    "client/README.md": [
        "tests/end_to_end/first_exchange.cc",
        "tests/end_to_end/guide_example.cc",
        "tests/consumers/bazel/WORKSPACE",
        "tests/consumers/bazel/first/BUILD",
    ],
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


def blocks_nowhere(page, files):
    """The blocks of the text `page` that stand in none of the texts `files`; None without blocks."""
    blocks = re.findall(r"```(?:cpp|python)\n(.*?)```", page, re.S)
    if not blocks:
        return None
    return [block for block in blocks if not any(squeeze(block) in squeeze(file) for file in files)]


def reasons_nowhere(page, header):
    """The enumerators of Reason, in the text of outcome.h, without a row of the page's table."""
    names = re.findall(r"^  (k[A-Z]\w+) = \d+,", header, re.M)
    return [name for name in names if not re.search(r"^\| `%s` \|" % name, page, re.M)]


def main():
    faults = []
    for page, files in PAGES.items():
        missing = blocks_nowhere(read(page), [read(file) for file in files])
        if missing is None:
            faults.append("%s shows nothing" % page)
        else:
            faults += ["%s shows what is in no file that is tried:\n%s" % (page, block) for block in missing]
    for reason in reasons_nowhere(read("client/README.md"), read("client/include/wormhole/outcome.h")):
        faults.append("client/README.md does not say what to do at %s" % reason)
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
