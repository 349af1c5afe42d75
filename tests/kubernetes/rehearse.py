#!/usr/bin/python3
"""One rehearsal, in a world of its own: rehearse.py NAME IMAGE SYNC HELM CHART LOGS RESULT."""

import asyncio
import json
import pathlib
import subprocess
import sys
import traceback

import own_world
import rehearsals
from stage import Setup, Stage


def _name_server(resolv_conf: pathlib.Path) -> None:
    """For this world alone: names are asked of the cluster's DNS, as in a pod."""
    target = pathlib.Path("/etc/resolv.conf").resolve()
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    subprocess.run(["mount", "--bind", str(resolv_conf), str(target)], check=True)


async def _rehearse(name: str, setup: Setup, result: pathlib.Path) -> int:
    """The exit code: 0 if all held that must hold."""
    rehearsal = rehearsals.ALL[name]
    stage = Stage(setup, rehearsal.harsh)
    _name_server(stage.cluster.resolv_conf)
    try:
        await stage.cluster.run(lambda: asyncio.ensure_future(rehearsal.act(stage)))
    except Exception:  # pylint: disable=broad-except; whatever it was, it is the rehearsal's result
        traceback.print_exc(file=sys.stdout)
        print("what happened:", *stage.cluster.timeline.events, sep="\n", flush=True)
        return 1
    finally:
        timeline = "\n".join(map(str, stage.cluster.timeline.events))
        (setup.logs / "timeline").write_text(timeline + "\n")
    found = stage.verdict
    assert found is not None
    result.write_text(json.dumps({"exchanges": found.exchanges, "failed": len(found.failed),
                                  "slowest": found.slowest, "too_slow": len(found.too_slow)}))
    return 0 if not found.failed and not found.too_slow else 1


def _inside(name: str, setup: Setup, result: pathlib.Path) -> int:
    loop = asyncio.new_event_loop()
    # What is still under way needs no farewell: it ends with the world.
    return loop.run_until_complete(_rehearse(name, setup, result))


def main() -> int:
    name, image, sync, helm, chart, logs, result = sys.argv[1:]
    setup = Setup(*map(pathlib.Path, (image, sync, helm, chart, logs)))
    setup.logs.mkdir(parents=True, exist_ok=True)
    return own_world.run(lambda: _inside(name, setup, pathlib.Path(result)))


if __name__ == "__main__":
    sys.exit(main())
