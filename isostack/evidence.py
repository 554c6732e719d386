"""Evidence: what the raw resources of a preview show of its machines, held against what the facts say of them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic.alias_generators import to_camel

from components import facts, targets
from components.facts import ClusterFacts, MachineFacts, SiteFacts
from components.planning import wanted_machines
from components.quantity import show_bytes
from components.raw import Shown
from isostack.preview.model import UNKNOWN, Preview, Secret

Doubt = tuple[str, str, str]
"""Machine, field, and what is wrong with it."""


def cluster_facts(preview: Preview) -> ClusterFacts:
    (cluster,) = preview.of_type(facts.CLUSTER)
    return ClusterFacts.of(cluster.inputs)


def machine_facts(preview: Preview) -> list[MachineFacts]:
    return [MachineFacts.of(machine.inputs) for machine in preview.of_type(facts.MACHINE)]


def doubts(preview: Preview) -> Iterator[Doubt]:
    """Where a machine's raw resources are not what its facts say. The facts come from the plan, and a target's mistake
    is between the two."""
    cluster = cluster_facts(preview)
    raw = targets.raw(cluster.target)
    shown: dict[str, list[Shown]] = {}
    for name, machine in raw.machines(preview.resources):
        shown.setdefault(name, []).append(machine)
    sites = [SiteFacts.of(site.inputs) for site in preview.of_type(facts.SITE)]
    zones = {host.name: host.zone for site in sites for host in site.hosts}
    # What is made once and kept; an admin's certificate is renewed, and no node has it.
    keys = {key.urn for pki in preview.of_type(facts.PKI) for key in preview.children(pki.urn) if key.protect}
    stated = {machine.wanted.name: machine for machine in machine_facts(preview)}
    for wanted in wanted_machines(cluster.wanted):
        if wanted != getattr(stated.get(wanted.name), "wanted", None):
            yield wanted.name, "wanted", "not as the spec asks"
    for name, planned in stated.items():
        there = shown.pop(name, [])
        if len(there) != 1:
            yield name, "", f"planned, and {len(there) or 'no'} raw resources of it"
            continue
        yield from ((name, field, what) for field, what in _of_machine(planned, there[0], zones, raw.SHOWS))
        yield from ((name, "userData", what) for what in _of_user_data(planned, there[0], keys))
    yield from ((name or "without a name", "", "a raw resource, and not planned") for name in shown)


def _of_machine(
    machine: MachineFacts, there: Shown, zones: dict[str, str], shows: frozenset[str]
) -> Iterator[tuple[str, str]]:
    wanted, place = machine.wanted, machine.place
    if not place.size.covers(wanted.size):
        yield "size", f"{place.size}, asked {wanted.size}"
    if there.zone != wanted.zone:
        yield "zone", f"the raw resources keep it in {there.zone or 'none'}, asked {wanted.zone}"
    if place.host is not None and zones.get(place.host) != wanted.zone:
        yield "zone", f"{place.host} stands in zone {zones.get(place.host, 'none')}, asked {wanted.zone}"
    planned = {field: getattr(place, field) for field in ("host", "host_class", "address")}
    planned |= {field: getattr(place.size, field) for field in ("cpus", "memory", "disk")}
    for field, plan in planned.items():
        raw, show = getattr(there, field), show_bytes if field in ("memory", "disk") else str
        if raw is None and field in shows:
            yield to_camel(field), f"the raw resource does not show it, planned {show(plan)}"
        elif raw is not None and raw != plan:
            yield to_camel(field), f"the raw resource has {show(raw)}, planned {show(plan)}"


def _of_user_data(machine: MachineFacts, there: Shown, keys: set[str]) -> Iterator[str]:
    """Its text is not known before creation. But that it is a secret, and made from the cluster's keys, is."""
    if machine.user_data.carried != machine.user_data.digest:
        yield "the raw resource carries another text than the plan's"
    if not isinstance(there.user_data, Secret):
        yield "absent" if there.user_data is None else "stands in clear"
    elif there.user_data.value is not UNKNOWN:
        yield "is known beforehand, so no keys are in it"
    elif not keys or not keys.issubset(there.user_data_from):
        yield "is not made from all the cluster's keys"
