"""The system calls that container engines allow by default, in the runtime's format."""

import json
import pathlib
from typing import Any

# As Debian ships it: the rules depend on the container's capabilities and on the machine.
PROFILE = pathlib.Path("/usr/share/containers/seccomp.json")


def _applies(rule: dict[str, Any], capabilities: set[str], architecture: str) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if set(excludes.get("caps") or []) & capabilities or architecture in (excludes.get("arches") or []):
        return False
    if architecture not in (includes.get("arches") or [architecture]):
        return False
    return set(includes.get("caps") or []) <= capabilities


def rules(profile: dict[str, Any], capabilities: set[str], architecture: str = "amd64") -> dict[str, Any]:
    """What a container with these capabilities gets of a profile."""
    native = {"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}[architecture]
    architectures = [name for entry in profile["archMap"] if entry["architecture"] == native
                     for name in (native, *entry["subArchitectures"])]
    calls = []
    for rule in profile["syscalls"]:
        if not _applies(rule, capabilities, architecture):
            continue
        call: dict[str, Any] = {"names": rule["names"], "action": rule["action"]}
        if rule.get("errnoRet") is not None:
            call["errnoRet"] = rule["errnoRet"]
        if rule.get("args"):
            call["args"] = rule["args"]
        calls.append(call)
    result = {"defaultAction": profile["defaultAction"], "architectures": architectures, "syscalls": calls}
    if profile.get("defaultErrnoRet") is not None:
        result["defaultErrnoRet"] = profile["defaultErrnoRet"]
    return result


def default_rules(capabilities: set[str]) -> dict[str, Any]:
    return rules(json.loads(PROFILE.read_text(encoding="utf-8")), capabilities)
