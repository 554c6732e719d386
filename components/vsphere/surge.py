"""Further VMs that an upgrade wants beside a plan: whether each pool finds a host with room, and an address."""

from __future__ import annotations

from collections.abc import Iterator

from components.networks import addresses
from components.plan import Rule, degraded, equal
from components.spec import Pool, Spec
from components.vsphere.capacity import Standing, Vm, taken
from components.vsphere.config import Config
from components.vsphere.failover import survives
from components.vsphere.limits import hosts_count, reserve, shortage


def surge_rule(spec: Spec, config: Config, standing: Standing) -> Rule:
    """One pool is upgraded at a time: each must find its further VMs' hosts and addresses beside all other VMs."""
    asked = spec.availability.surge
    if asked == 0:
        return equal("none asked: nodes are upgraded in place")
    lost = reserve(config)
    by_fit = bool(lost) and survives(standing, lost)
    lacks = {pool.name: tuple(_lacks(spec, config, standing, pool, by_fit)) for pool in spec.pools}
    short = [pool for pool, reasons in lacks.items() if reasons]
    if not short:
        how = "fit of the losses tried" if by_fit else "sum"
        beside = f" beside the HA reserve of {hosts_count(lost)} (by {how})" if lost else ""
        return equal(f"{_further(asked)} of any pool", f"each pool finds hosts with room{beside}, and addresses")
    which = "nodes" if len(short) == len(spec.pools) else f"nodes of {', '.join(short)}"
    reason = "; ".join(f"{pool}: {', and '.join(lacks[pool])}" for pool in short)
    return degraded(f"{which} are upgraded in place", f"no room for {_further(asked)}: {reason}")


def _further(count: int) -> str:
    return f"{count} further VM" if count == 1 else f"{count} further VMs"


def _lacks(spec: Spec, config: Config, standing: Standing, pool: Pool, by_fit: bool) -> Iterator[str]:
    """Why the pool cannot have its further VMs; nothing: it can."""
    asked = spec.availability.surge
    held = len(addresses(config.network.addresses[pool.name]))
    if held < pool.nodes + asked:
        yield f"its {pool.nodes} nodes leave {held - pool.nodes} of {held} addresses in its range free"
    lost = reserve(config)
    further = [_further_vm(spec, pool, i) for i in range(pool.nodes, pool.nodes + asked)]
    if lost and (lack := shortage(standing.hosts, (*standing.vms, *further), lost)) is not None:
        yield (f"all VMs would ask {lack[0].asked}, the hosts less {lost} for HA offer {lack[1].there}")
        return
    for vm in further:
        roomy = _roomy(spec, standing, vm)
        if not roomy:
            zones = spec.zones_of(pool.name)
            most = max(
                (host for host in standing.left() if host.zone in zones),
                key=lambda host: (host.room.memory, host.room.cpus),
            )
            yield (
                f"{vm.name} would take {vm.need.asked}, of the hosts of its zones {most.name} has most left: "
                f"{most.room.there}"
            )
            return
        chosen = next((host for host in roomy if not by_fit or survives(standing.plus(vm, host), lost)), None)
        if chosen is None:
            yield f"beside {vm.name} ({vm.need.asked}) not every VM of {hosts_count(lost)} lost would find room"
            return
        standing = standing.plus(vm, chosen)


def _further_vm(spec: Spec, pool: Pool, index: int) -> Vm:
    # Neither zone nor place counts: any zone of the pool may have it.
    return Vm(f"{spec.name}-{pool.name}-{index}", pool.name, "", index, 0, taken(pool.size))


def _roomy(spec: Spec, standing: Standing, vm: Vm) -> list[str]:
    """The hosts of the pool's zones that have room, those with fewest of the pool first."""
    own = dict.fromkeys((host.name for host in standing.hosts), 0)
    for other in standing.vms:
        own[standing.on[other.name]] += other.pool == vm.pool
    zones = spec.zones_of(vm.pool)
    roomy = [host for host in standing.left() if host.zone in zones and host.takes(vm.need, host.room)]
    return [host.name for host in sorted(roomy, key=lambda host: (own[host.name], -host.room.memory))]
