"""Stacks of VMs and of metal for the tests of policies, as their rules see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.facts import (
    CLUSTER,
    Balancing,
    ClusterFacts,
    Host,
    MachineFacts,
    Place,
    Realisation,
    SiteFacts,
    UserData,
)
from components.planning import wanted_machines
from components.quantity import parse_bytes
from components.rules import Raw, Rule, Stack
from components.spec import Size, Spec
from policies import catalogue
from policies.ceph import RELEASE

ALL = tuple(rule for rules in catalogue.packs().values() for rule in rules[:-1])
"""Without those of the packs' own waivers."""
DRS_ON = Balancing(workers="fullyAutomated", control_plane="manual")
URN = "urn:pulumi:s::p::"


def virtual(
    spec: Spec,
    *,
    hosts: Sequence[int] = (128,) * 6,
    on: Mapping[str, str | None] | None = None,
    balancing: Balancing | None = DRS_ON,
    ha: bool = True,
) -> Stack:
    """A stack of VMs on hosts that leave them so many threads, in turn unless `on` says where by name."""
    named = [f"esx{i}" for i in range(len(hosts))]
    site = SiteFacts(
        name="main",
        kind="vsphere",
        machine="vm",
        hosts=tuple(
            # The hypervisor keeps two threads of each.
            Host(
                name=name,
                zone="a",
                cpus=cpus + 2,
                memory=parse_bytes("1Ti"),
                usable_cpus=cpus,
                usable_memory=parse_bytes("992Gi"),
            )
            for name, cpus in zip(named, hosts, strict=True)
        ),
        reserve_hosts=1 if ha else 0,
        spare_hosts=0,
        balancing=balancing,
        restarts_machines=ha,
        power_control=True,
        machine_snapshots=True,
    )
    return _stack(spec, site, {**_in_turn(spec, named), **(on or {})}, 1)


def metal(spec: Spec, *, known: bool = True, times: int = 1) -> Stack:
    """A stack of whole hosts with `times` the CPUs asked for; named as in an inventory, or left to a provider."""
    site = SiteFacts(
        name="main",
        kind="tinkerbell" if known else "equinix",
        machine="host",
        hosts=(),
        reserve_hosts=0,
        spare_hosts=1,
        balancing=None,
        restarts_machines=False,
        power_control=True,
        machine_snapshots=False,
    )
    hosts = {m.name: f"host-{m.name}" if known else None for m in wanted_machines(spec)}
    return _stack(spec, site, hosts, times)


def _in_turn(spec: Spec, hosts: Sequence[str]) -> dict[str, str | None]:
    return {m.name: hosts[i % len(hosts)] if hosts else None for i, m in enumerate(wanted_machines(spec))}


def _stack(spec: Spec, site: SiteFacts, hosts: Mapping[str, str | None], times: int) -> Stack:
    machines = []
    for wanted in wanted_machines(spec):
        size = Size(cpus=wanted.size.cpus * times, memory=wanted.size.memory, disk=wanted.size.disk)
        place = Place(host=hosts[wanted.name], host_class="any", size=size, address=None)
        machines.append(MachineFacts(wanted=wanted, place=place, user_data=UserData(digest="", carried="", files={})))
    cluster = ClusterFacts(wanted=spec, target=site.kind, realisations=(), endpoint=None)
    return Stack(f"{URN}{CLUSTER}::{spec.name}", cluster, (site,), tuple(machines))


def raw(
    kind: str,
    name: str,
    props: Mapping[str, Any],
    *,
    machine: str = "",
    ignore: Sequence[str] = (),
    sources: Mapping[str, Sequence[Raw]] | None = None,
) -> Raw:
    """A provider's resource, as the engine shows it; `machine` is the one of the plan that it is a part of, `sources`
    says for a property which resources its value comes from."""
    came = {prop: tuple(other.urn for other in others) for prop, others in (sources or {}).items()}
    return Raw(f"{URN}{kind}::{name}", kind, name, props, machine, tuple(ignore), came)


def ceph(size: Any = 3, pool: str = "db", devices: str = "^nvme[0-9]n1$", monitors: int | None = None) -> Raw:
    """Ceph, as the chart's values are in the plan."""
    here = {"matchExpressions": [{"key": "isostack.io/pool", "operator": "In", "values": [pool]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [here]}}
    ceph_cluster: dict[str, Any] = {
        "placement": {"all": {"nodeAffinity": required}},
        "storage": {"deviceFilter": devices},
    }
    if monitors is not None:
        ceph_cluster["mon"] = {"count": monitors}
    values = {
        "cephBlockPools": [{"name": "blocks", "spec": {"failureDomain": "host", "replicated": {"size": size}}}],
        "cephClusterSpec": ceph_cluster,
    }
    return raw(RELEASE, "rook-ceph-cluster", {"chart": "rook-ceph-cluster", "values": values})


def adding(stack: Stack, *resources: Raw) -> Stack:
    """The stack with these resources as well."""
    every = [*(each for some in stack.resources.values() for each in some), *resources]
    kinds = dict.fromkeys(each.type for each in every)
    return replace(stack, resources={kind: tuple(each for each in every if each.type == kind) for kind in kinds})


def site(stack: Stack, **changes: Any) -> Stack:
    """The stack on a site with other facts."""
    return replace(stack, sites=tuple(each.model_copy(update=changes) for each in stack.sites))


def realised(stack: Stack, *realisations: Realisation) -> Stack:
    """The stack with these wishes realised so."""
    return replace(stack, cluster=stack.cluster.model_copy(update={"realisations": realisations}))


def found(rules: Sequence[Rule], stack: Stack, **params: float) -> list[str]:
    """What the rules say, as it is printed."""
    said = [
        str(violation)
        for rule in rules
        for violation in rule.check(_read(rule, stack), {param.name: param.default for param in rule.params} | params)
    ]
    assert all(len(message.splitlines()) <= 3 for message in said)
    return said


def _read(rule: Rule, stack: Stack) -> Stack:
    """As a pack makes it: of every type that the rule reads, also where there is none, and of no other."""
    return replace(stack, resources={kind: stack.resources.get(kind, ()) for kind in rule.reads})
