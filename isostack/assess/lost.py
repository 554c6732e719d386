"""A lost host: what is left of the cluster, and whether Kubernetes moves the pods that were on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from isostack.assess.capacity import carried, fatal_members, needed
from isostack.assess.case import Case, Machine
from isostack.assess.recovery import TAINTED_PER_SECOND, taints_per_second


@dataclass(frozen=True, slots=True)
class Loss:
    """Of a host that carries workers. Hosts whose loss means the same are one."""

    on: tuple[tuple[str, int], ...]
    """Nodes on it, by pool."""
    noticed: bool
    """The API is there: lost nodes are NotReady in time."""
    moves: bool
    """So it is, nodes are tainted, and the rest of each pool has room for the pods."""

    @property
    def nodes(self) -> int:
        return sum(count for _, count in self.on)


def losses(case: Case, state: str | None = None) -> Collection[Loss]:
    """Each kind of loss that hits a pool with workloads of this state, where the spec has such; None: any pool. Raises
    NoAnswer for VMs whose hosts are chosen later."""
    key = f"{__name__} {state}"
    found: dict[Loss, None] | None = case.derived.get(key)
    if found is not None:
        return found
    pools = {work.pool for work in case.spec.workloads if work.state == state} or {
        pool.name for pool in case.spec.pools
    }
    need = {pool: _need(case, pool) for pool in pools}
    found = {}
    for machines in case.on_hosts.values():
        on = Counter(machine.wanted.pool for machine in machines)
        if pools & on.keys():
            noticed = _has_api(case, machines)
            moves = noticed and _tainted(case, machines) and _has_room(case, on, need)
            found[Loss(tuple(sorted(on.items())), noticed, moves)] = None
    case.derived[key] = found
    return found


def _has_api(case: Case, lost: Sequence[Machine]) -> bool:
    members, gone = (sum(m.wanted.role == "control-plane" for m in each) for each in (case.machines, lost))
    return gone < fatal_members(members)


def _tainted(case: Case, lost: Sequence[Machine]) -> bool:
    """Whether the controller goes on evicting in each zone that loses nodes."""
    every, gone = (Counter(machine.wanted.zone for machine in each) for each in (case.machines, lost))
    elsewhere = len(lost) < len(case.machines)
    rates = (taints_per_second(every[zone], number, elsewhere=elsewhere) for zone, number in gone.items())
    return all(rate == TAINTED_PER_SECOND for rate in rates)


def _has_room(case: Case, lost: Counter[str], need: dict[str, int | None]) -> bool:
    for pool, number in lost.items():
        if pool in need:
            least = need[pool]
            if least is None or len(case.of_pool(pool)) - number < max(1, least):
                return False
    return True


def _need(case: Case, pool: str) -> int | None:
    """Nodes of a pool for its workloads, packed."""
    size = min((machine.place.size for machine in case.of_pool(pool)), key=lambda size: (size.memory, size.cpus))
    workloads = carried(case.spec, pool)
    return needed(size, workloads) if workloads else 0
