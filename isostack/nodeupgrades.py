"""A changed release of Kubernetes: whether running nodes follow it, as the jobs of `kubernetes.upgrades` decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

FIELD: Final = "kubernetes.version"
BACK: Final = (
    "running nodes do not follow: an upgrade refuses an earlier release before it drains anything, and what is born "
    "from now on has it"
)
TOO_FAR: Final = (
    "running nodes do not follow: an upgrade takes one minor at a time, and refuses before it drains anything"
)


def follow(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether every running node is drained and upgraded in place. Of the facts of a cluster; empty: there is none."""
    return _differ(before, after) and not refused(before, after)


def refused(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why the jobs do not upgrade, as `possible` in components/addons/upgrade.sh has it; empty where they do, and where
    there is nothing to upgrade or no job to do so."""
    if not _differ(before, after):
        return ""
    old, new = (_numbers(_kubernetes(each)["version"]) for each in (before, after))
    if new < old:
        return BACK
    return TOO_FAR if new[1] - old[1] > 1 else ""


def _differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    old, new = _kubernetes(before), _kubernetes(after)
    return bool(new.get("upgrades")) and "version" in old and old["version"] != new["version"]


def _kubernetes(cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted: Mapping[str, Any] = cluster.get("wanted", {}).get("kubernetes", {})
    return wanted


def _numbers(version: str) -> list[int]:
    """Of a spec that was sound: 1.36.3."""
    return [int(number) for number in version.split(".")]
