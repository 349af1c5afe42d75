#!/usr/bin/python3
"""Joins a control group and takes its memory, until the kernel has killed somebody: memory_eater.py CGROUP.

The kernel is told to take the relay and not this process, as if the relay had grown.
"""

import pathlib
import sys
import time

_PIECE = 8 << 20


def main() -> None:
    group = pathlib.Path(sys.argv[1])
    victims = (group / "cgroup.procs").read_text(encoding="ascii").split()
    for pid in victims:
        pathlib.Path(f"/proc/{pid}/oom_score_adj").write_text("1000", encoding="ascii")
    (group / "cgroup.procs").write_text("0", encoding="ascii")
    eaten = []
    while all(pathlib.Path(f"/proc/{pid}").exists() for pid in victims):
        eaten.append(bytearray(_PIECE))
        time.sleep(0.002)


if __name__ == "__main__":
    main()
