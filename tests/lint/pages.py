"""Holds what README.md and client/README.md show of the C++ API to programs that the tests run.

Each block of C++ stands in one of the programs, but for white space. client/README.md also says of each Reason what to do.
"""

import re
import sys

END_TO_END = "tests/end_to_end/"
PAGES = {
    "README.md": ["readme_example.cc"],
    "client/README.md": ["first_exchange.cc", "guide_example.cc"],
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


def blocks_nowhere(page, programs):
    """The blocks of C++ of the text `page` that stand in none of the texts `programs`; None without blocks."""
    blocks = re.findall(r"```cpp\n(.*?)```", page, re.S)
    if not blocks:
        return None
    return [block for block in blocks if not any(squeeze(block) in squeeze(program) for program in programs)]


def reasons_nowhere(page, header):
    """The enumerators of Reason, in the text of outcome.h, without a row of the page's table."""
    names = re.findall(r"^  (k[A-Z]\w+) = \d+,", header, re.M)
    return [name for name in names if not re.search(r"^\| `%s` \|" % name, page, re.M)]


def main():
    faults = []
    for page, programs in PAGES.items():
        missing = blocks_nowhere(read(page), [read(END_TO_END + program) for program in programs])
        if missing is None:
            faults.append("%s shows no C++" % page)
        else:
            faults += ["%s shows what is in no program:\n%s" % (page, block) for block in missing]
    for reason in reasons_nowhere(read("client/README.md"), read("client/include/wormhole/outcome.h")):
        faults.append("client/README.md does not say what to do at %s" % reason)
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
