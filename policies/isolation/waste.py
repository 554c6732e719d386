"""What whole hosts for one tenant each leave unused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.rules import Evidence, Param, Params, Rule, Stack, Violation, figure, percent
from policies.words import count, named


@dataclass(frozen=True, slots=True)
class Unused:
    """A pool of one tenant on whole hosts, and what nobody asked for of them."""

    pool: str
    hosts: int
    asked: int
    """CPUs, of all its nodes."""
    there: int
    share: float
    """Of the resource that is asked for most, CPU or memory: with that gone the rest could carry no more nodes."""

    def __str__(self) -> str:
        return f"{self.pool} {percent(self.share)} of {count(self.hosts, 'host')}"


def check_waste(stack: Stack, params: Params) -> Iterator[Violation]:
    if len(stack.cluster.wanted.tenants) < 2:
        return
    found = [pool for pool in _pools(stack) if pool.share * 100 > params["maxUnusedPercent"]]
    if not found:
        return
    found.sort(key=lambda pool: pool.share * pool.hosts, reverse=True)
    idle, hosts = sum(pool.share * pool.hosts for pool in found), sum(pool.hosts for pool in found)
    cpus = sum(pool.there - pool.asked for pool in found)
    yield Violation(
        f"pools.{found[0].pool}.tenant",
        f"hosts of one tenant are larger than asked, and no other may use the rest: {named(map(str, found))} unused\n"
        f"together {figure(idle)} of {count(hosts, 'host')}, {cpus} CPU more than asked",
        subjects=tuple(pool.pool for pool in found),
    )


def _pools(stack: Stack) -> Iterator[Unused]:
    whole = {site.name for site in stack.sites if site.machine == "host"}
    for pool in stack.cluster.wanted.pools:
        sizes = [m.place.size for m in stack.machines if m.wanted.pool == pool.name and m.place.site in whole]
        if pool.tenant is None or not sizes:
            continue
        cpus, memory = sum(size.cpus for size in sizes), sum(size.memory for size in sizes)
        asked = pool.size.cpus * len(sizes)
        used = max(asked / cpus, pool.size.memory * len(sizes) / memory)
        yield Unused(pool.name, len(sizes), asked, cpus, max(0.0, 1 - used))


RULES = (
    Rule(
        id="iso-host-per-tenant-waste",
        title="Whole hosts for one tenant each stand half idle",
        severity="low",
        level="advisory",
        claims=(5, 9),
        remediation="Smaller hosts for these pools (the target's classes or plans); fewer and larger nodes; one pool "
        "for tenants that trust each other; or these pools on VMs.",
        evidence=(
            Evidence("documented", "arithmetic on what the spec asks and what the target has: no model"),
            Evidence(
                "documented",
                "a sandbox for each pod is another way out: github.com/kata-containers/kata-containers "
                "docs/how-to/how-to-size-sandbox-overhead-runtime-rs.md, which names no one value for its cost",
            ),
        ),
        check=check_waste,
        params=(
            Param(
                name="maxUnusedPercent",
                default=50,
                minimum=0,
                maximum=100,
                description="Share of the hosts of one tenant's pool, in percent, that may go unused.",
                evidence=Evidence("assumption", "half a host"),
            ),
        ),
        machines=frozenset({"host"}),
        why="How much of the hosts that one tenant has to itself the spec did not ask for. Hosts come in the sizes "
        "that were bought; as long as all may use them the rest is not lost, with a wall around each tenant it is. It "
        "is the price of the strongest wall there is. VMs are cut to size, but share hosts.",
    ),
)
