"""What becomes of machines: each of today's, and those that are gone, with what that means for its node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components import facts
from isostack.changes import UNDESCRIBED, Held, Kind, Row
from isostack.preview.model import Resource

UPGRADED: Final = "its node is drained and upgraded in place by kubernetes.upgrades"


def machines(held: Held) -> Iterator[Row]:
    kinds = {each.inputs["facts"]["machine"] for each in held.after.of_type(facts.SITE)}
    on_vms = kinds == {"vm"}
    for machine in held.after.of_type(facts.MACHINE):
        if (kind := held.fate(machine)) in (None, Kind.LATER) and held.upgraded:
            yield Row(Kind.CHANGED, machine.type, (machine.name,), f"its machine stays; {UPGRADED}")
        elif kind is not None:
            name = machine.name if kind is not Kind.CREATED else f"{machine.name} ({_place(machine)})"
            yield Row(kind, machine.type, (name,), _meaning(held, machine, kind, on_vms=on_vms))
    for machine in held.gone():
        if machine.type == facts.MACHINE:
            yield Row(Kind.DELETED, machine.type, (machine.name,), _of_gone(held, machine))


def _meaning(held: Held, machine: Resource, kind: Kind, *, on_vms: bool) -> str:
    if kind is Kind.CREATED:
        return f"a new node: {'a VM is made' if on_vms else 'a host is imaged'}, and joins the cluster"
    if kind is Kind.REPLACED:
        made = "its VM deleted and made anew" if on_vms else "its host imaged anew"
        return f"drained, taken out of the cluster, {made}, joined again{_moved(held.was.get(machine.urn), machine)}"
    if kind is Kind.LATER:
        return "left alone: what changes counts at the next birth only"
    membership = held.membership(held.after, machine)
    if membership is not None and membership.urn in held.replaced:
        return "its machine stays, and its node is drained, taken out of the cluster and must join again"
    said = "stays; whether a provider restarts it for what changes in place, only the provider knows"
    if membership is not None and not any(
        held.effective(each.urn) for each in held.below(machine) if each is not membership
    ):
        said = "stays and is not restarted; its node's labels follow"
    return f"{said}; {UPGRADED}" if held.upgraded else said


def _of_gone(held: Held, machine: Resource) -> str:
    if held.undescribed:
        return UNDESCRIBED
    membership = held.membership(held.before, machine)
    drained = membership is not None and "delete" in membership.inputs
    return "drained, taken out of the cluster, deleted" if drained else "deleted"


def _place(machine: Resource) -> str:
    place, wanted = machine.inputs["facts"]["place"], machine.inputs["facts"]["wanted"]
    told = (place["host"] or "a host of the provider's choice", place["address"] or "address at creation")
    return f"zone {wanted['zone']}, {', '.join(told)}"


def _moved(there: Resource | None, here: Resource) -> str:
    if there is None:
        return ""
    old, new = (each.inputs["facts"]["place"]["address"] for each in (there, here))
    if new is None:
        return ", with the address that it is given then"
    return "" if old == new else f", with a new address: {old} -> {new}"
