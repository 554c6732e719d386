"""The loss of a host, as several packs tell of it: who brings its volumes back, and when its node is given up."""

from __future__ import annotations

import re
from typing import Final

from components.rules import Stack, Undecided
from isostack.assess.recovery import HEALTH_CHECK, Back, given_up, volume_back
from policies.placed import restarting

NHC: Final = "kubernetes:remediation.medik8s.io/v1alpha1:NodeHealthCheck"
FIELD: Final = "availability.remediation"
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[hms])")
_UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


def kept(stack: Stack) -> list[str]:
    """Workloads whose only copy of their data is a volume."""
    return [workload.name for workload in stack.cluster.wanted.workloads if workload.state == "volume"]


def fences(stack: Stack) -> bool:
    """Whether the target fences every node that is lost, as the spec asks."""
    realised = next((each for each in stack.cluster.realisations if each.field == FIELD), None)
    return stack.cluster.wanted.availability.remediation and realised is not None and realised.grade == "equal"


def lost_after(stack: Stack) -> float:
    """Seconds after which a node is given up: as the health checks say, the longest of several; where there is none,
    what the project's own would say. A rule that asks declares to read NHC."""
    checks = stack.raw(NHC)
    if not checks:
        return given_up(stack.cluster.wanted.availability.evict_after)
    said = [
        str(check.get("spec", "unhealthyConditions", i, "duration"))
        for check in checks
        for i in range(len(check.get("spec", "unhealthyConditions") or ()))
    ]
    return max(map(_duration, said), default=float(HEALTH_CHECK))


def back(stack: Stack, person: float = 0) -> Back:
    """Of the volumes of a lost host. A rule that asks declares to read NHC. Raises Undecided where HA restarts VMs on
    hosts that are not known."""
    site = restarting(stack)
    if site is not None and not site.hosts:
        raise Undecided(f"the hosts of site {site.name} are not known")
    return volume_back(
        virtual="vm" in stack.kinds,
        hosts=len(site.hosts) if site else None,
        lost_after=lost_after(stack) if fences(stack) else None,
        toleration=stack.cluster.wanted.availability.evict_after,
        person=person,
    )


def _duration(text: str) -> float:
    """A Go duration, such as 1h5m, in seconds; of what is none, the operator's default."""
    parts = _PART.findall(text)
    if "".join(value + unit for value, unit in parts) != text:
        return float(HEALTH_CHECK)
    return sum(float(value) * _UNITS[unit] for value, unit in parts)
