"""Update: what an `up` would take away, worked out of a preview and what is there now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from components import facts
from components.update import Update
from isostack.evidence import machine_facts
from isostack.preview.model import Preview, Resource

COMMAND = "command:local:Command"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
_STORAGE = "storage.classes."


def update(after: Preview) -> Update | None:
    """None where nothing is known of what is there now, or nothing of ours is."""
    before = after.before
    if before is None or not before.of_type(facts.CLUSTER):
        return None
    replaced = _replaced(before, after)
    there = {machine.wanted.name: machine.wanted.pool for machine in machine_facts(before)}
    planned = {machine.wanted.name for machine in machine_facts(after)}
    return Update(
        machines=there,
        rebuilt=tuple(name for name, parts in _parts(after) if name in there and not replaced.isdisjoint(parts)),
        gone=tuple(name for name in there if name not in planned),
        keys=tuple(sorted(_keys(before, after, replaced))),
        storage=tuple(sorted(_storage(before, after))),
    )


def _parts(preview: Preview) -> Iterator[tuple[str, frozenset[str]]]:
    """Each machine with the URNs of what it is made of: its node leaves when one of them is replaced, and so they are
    the triggers of its membership."""
    for machine in preview.of_type(facts.MACHINE):
        commands = (each for each in preview.children(machine.urn) if each.type == COMMAND)
        urns = (urn for command in commands for urn in command.property_dependencies.get("triggers", ()))
        yield machine.name, frozenset(urns)


def _replaced(before: Preview, after: Preview) -> frozenset[str]:
    """What the engine says it replaces; where nobody asked it, what a raised generation does. What a provider would
    replace for another reason only `pulumi preview --json` knows."""
    if after.replaced is not None:
        return after.replaced
    now = after.by_urn
    return frozenset(
        resource.urn
        for resource in before.resources
        if resource.urn in now and resource.replacement_trigger != now[resource.urn].replacement_trigger
    )


def _missing(resources: Iterable[Resource], after: Preview) -> Iterator[Resource]:
    """Those that are gone, under this name and under every other that they had."""
    kept = {urn for resource in after.resources for urn in (resource.urn, *resource.aliases)}
    return (resource for resource in resources if resource.urn not in kept)


def _keys(before: Preview, after: Preview, replaced: frozenset[str]) -> set[str]:
    """What is made once is protected; an admin's certificate is not, and is renewed."""
    kept = [key for pki in before.of_type(facts.PKI) for key in before.children(pki.urn) if key.protect]
    return {key.name for key in (*_missing(kept, after), *(key for key in kept if key.urn in replaced))}


def _storage(before: Preview, after: Preview) -> set[str]:
    classes = _missing(before.of_type(STORAGE_CLASS), after)
    addons = (addon for addon in _missing(before.of_type(facts.ADDON), after) if _serves_storage(addon))
    return {f"StorageClass {_name(each)}" for each in classes} | {f"add-on {each.name}" for each in addons}


def _name(storage_class: Resource) -> str:
    metadata = storage_class.inputs.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else storage_class.name


def _serves_storage(addon: Resource) -> bool:
    return any(field.startswith(_STORAGE) for field in facts.AddonFacts.of(addon.inputs).serves)
