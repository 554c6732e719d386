"""Which machines a raw resource is about: a property of it names VMs, by values that a preview often cannot know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.rules import Raw, Stack, Undecided

VM: Final = "vsphere:index/virtualMachine:VirtualMachine"


class Machines:
    """The machines of a stack by their VMs. A rule that makes one declares to read VM."""

    def __init__(self, stack: Stack) -> None:
        vms = stack.raw(VM)
        self._by_urn = {vm.urn: vm.machine for vm in vms}
        uuids = {vm.props.get("uuid"): vm.machine for vm in vms}
        self._by_uuid = {uuid: machine for uuid, machine in uuids.items() if isinstance(uuid, str)}
        self._all_known = len(self._by_uuid) == len(vms)

    def one(self, resource: Raw, prop: str) -> str:
        """Name of the machine whose VM a property names; empty: the VM is none of the cluster's.

        By where the value comes from, which every preview knows; else by the machine that the resource hangs below;
        else by the VM's UUID. Raises Undecided where the value, or the UUID of a VM that it might be, is known later.
        """
        if sources := list(self._sources(resource, prop)):
            return sources[0]
        if resource.machine:
            return resource.machine
        return self._named(resource, prop, resource.get(prop))

    def many(self, resource: Raw, prop: str) -> set[str]:
        """Names of the machines whose VMs a property lists, found likewise. Raises Undecided."""
        found = set(self._sources(resource, prop))
        if found:
            listed = resource.props.get(prop)
            known = listed if isinstance(listed, list | tuple) else ()
            # What is not known of the list comes from the same sources.
            found |= {self._by_uuid[uuid] for uuid in known if isinstance(uuid, str) and uuid in self._by_uuid}
        else:
            listed = resource.get(prop) or []
            found = {self._named(resource, prop, resource.get(prop, i)) for i in range(len(listed))}
        return found - {""}

    def _sources(self, resource: Raw, prop: str) -> Iterator[str]:
        return (self._by_urn[urn] for urn in resource.sources.get(prop, ()) if urn in self._by_urn)

    def _named(self, resource: Raw, prop: str, uuid: object) -> str:
        if uuid not in self._by_uuid and not self._all_known:
            raise Undecided(
                f"{prop} of {resource.name} is the UUID of some VM, and not every VM of the stack has one yet"
            )
        return self._by_uuid.get(str(uuid), "")
