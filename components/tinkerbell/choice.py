"""Choice of hosts: which host fits which machine, and which one each machine gets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Address

from components.facts import Wanted
from components.spec import CONTROL_PLANE, Size, Spec
from components.tinkerbell.config import POOL, Config
from components.tinkerbell.inventory import Hardware

Chosen = Mapping[str, Hardware]
"""The host of each machine, by the machine's name; a machine without one is missing."""
Group = tuple[str, str]
"""Pool and zone: the machines of a group are alike, so any host that fits one fits all."""


def choose(config: Config, wanted: Sequence[Wanted]) -> Chosen:
    """Pinned machines have the hosts of their pins; each other one gets the first that fits, in the order of
    `_candidates`. Where all of those are taken, earlier machines without a pin make room, if others fit them: a
    machine goes without a host only when none can be had for it and all before it.

    Only pins hold a machine where it is. Without one it can get another host by any change: a grown pool, a further
    zone, a new or moved row of the inventory. A host pinned to a machine that the spec has no longer waits for it.
    """
    loose = [machine for machine in wanted if machine.name not in config.assignments]
    reserved = set(config.assignments.values())
    groups = {_group(machine): machine for machine in loose}
    hosts = {group: _candidates(config, machine, reserved) for group, machine in groups.items()}
    matching = _Matching(hosts)
    for machine in loose:
        matching.add(machine)
    owners = matching.owners | {
        config.assignments[machine.name]: machine for machine in wanted if machine.name in config.assignments
    }
    return {owners[host.name].name: host for host in config.hosts if host.name in owners}


def _group(machine: Wanted) -> Group:
    return machine.pool, machine.zone


def _candidates(config: Config, machine: Wanted, reserved: Collection[str]) -> list[str]:
    """The hosts that a machine can get. Those labelled with its pool in the order of the file; then those of no pool,
    the smallest class first: the others can still be larger machines.
    """
    own = [
        host
        for host in config.hosts
        if host.name not in reserved and misfit(config, host, machine) is None and not _outside(config, host, machine)
    ]
    own.sort(key=lambda host: (0,) if POOL in host.labels else (1, *_order(config.size(host))))
    return [host.name for host in own]


def _order(size: Size) -> tuple[int, int, int]:
    return size.cpus, size.memory, size.disk


class _Matching:
    """Hosts and machines without pins, matched by augmenting paths over groups."""

    def __init__(self, hosts: Mapping[Group, Sequence[str]]) -> None:
        """`hosts` has those of each group, the preferred ones first."""
        self._hosts = hosts
        # A host that is taken stays taken, only its owner changes: what was passed over need not be asked again.
        self._rest = {group: iter(names) for group, names in hosts.items()}
        self._full: set[Group] = set()  # no way leads from these groups to a free host, now or later
        self.owners: dict[str, Wanted] = {}

    def add(self, machine: Wanted) -> None:
        """Each host on the way is handed on: to `machine`, then to who had the one before."""
        for host in self._way(_group(machine)):
            owner = self.owners.get(host)
            self.owners[host] = machine
            if owner is not None:
                machine = owner

    def _way(self, start: Group) -> list[str]:
        """Hosts from one that fits `start` to a free one, each but the last with an owner whom the next one fits;
        the shortest such way. Empty: there is none."""
        came_by: dict[Group, tuple[Group, str] | None] = {start: None}
        queue = [start] if start not in self._full else []
        for group in queue:
            if (free := next((host for host in self._rest[group] if host not in self.owners), None)) is not None:
                way, step = [free], came_by[group]
                while step is not None:
                    group, host = step
                    way.append(host)
                    step = came_by[group]
                return way[::-1]
            for host in self._hosts[group]:
                other = _group(self.owners[host])
                if other not in came_by and other not in self._full:
                    came_by[other] = group, host
                    queue.append(other)
        self._full.update(came_by)
        return []


# ---- what fits


def misfit(config: Config, host: Hardware, machine: Wanted) -> str | None:
    """Why a host cannot be a machine; None: it can."""
    if config.zone(host) != machine.zone:
        return f"stands in zone {config.zone(host)}, the machine in {machine.zone}"
    return _unfit(config, host, machine.pool, machine.size)


def _unfit(config: Config, host: Hardware, pool: str, size: Size) -> str | None:
    """Why a host cannot serve a pool, in whatever zone; None: it can."""
    if host.labels.get(POOL, pool) != pool:
        return f"serves only pool {host.labels[POOL]}"
    if not config.size(host).covers(size):
        return f"has {config.size(host)}, the machine wants {size}"
    return None


def _outside(config: Config, host: Hardware, machine: Wanted) -> bool:
    return machine.pool == CONTROL_PLANE and not carries_endpoint(config, host)


def carries_endpoint(config: Config, host: Hardware) -> bool:
    """By ARP only hosts of the API's own subnet can carry its address."""
    network, endpoint = host.network, IPv4Address(config.endpoint)
    return config.vip.mode != "arp" or network.network_address < endpoint < network.broadcast_address


def spares(spec: Spec, config: Config, used: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The hosts that stand idle and could be a machine of the spec, each with the pools that it could serve. One that
    is pinned to a machine which the spec has no longer is none: it waits.
    """
    kept = {*used, *config.assignments.values()}
    return {
        host.name: pools
        for host in config.hosts
        if host.name not in kept and (pools := tuple(_serves(spec, config, host)))
    }


def _serves(spec: Spec, config: Config, host: Hardware) -> Iterator[str]:
    sizes = {CONTROL_PLANE: spec.control_plane.size} | {pool.name: pool.size for pool in spec.pools}
    for pool, size in sizes.items():
        fits = config.zone(host) in spec.zones_of(pool) and _unfit(config, host, pool, size) is None
        if fits and (pool != CONTROL_PLANE or carries_endpoint(config, host)):
            yield pool
