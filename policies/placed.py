"""On which host each machine stands: what several packs ask of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from components.facts import MachineFacts, SiteFacts
from components.rules import Stack, Undecided
from isostack.assess.recovery import restarts


def of_pool(stack: Stack, pool: str) -> list[MachineFacts]:
    return [machine for machine in stack.machines if machine.wanted.pool == pool]


def hosts(stack: Stack, machines: Iterable[MachineFacts]) -> Counter[str]:
    """How many of them each physical host carries. Raises Undecided for a VM whose host is chosen later; a machine that
    is a host is its own."""
    whole = {site.name for site in stack.sites if site.machine == "host"}
    carried: Counter[str] = Counter()
    for machine in machines:
        host = machine.place.host or (machine.wanted.name if machine.place.site in whole else None)
        if host is None:
            raise Undecided(f"the host of {machine.wanted.name} is chosen later")
        carried[host] += 1
    return carried


def restarting(stack: Stack) -> SiteFacts | None:
    """The site whose machines start again on another host when theirs is lost; None where those of one do not."""
    return stack.sites[0] if stack.sites and all(map(restarts, stack.sites)) else None


def most(carried: Counter[str]) -> tuple[str, int]:
    """The host that carries most: of several the first by name."""
    return min(carried.items(), key=lambda item: (-item[1], item[0]))
