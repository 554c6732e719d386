"""Which machine a raw resource is about: a property of it names a VM, by a value that a preview often cannot know."""

from __future__ import annotations

from typing import Final

from components.rules import Raw, Stack, Undecided

VM: Final = "vsphere:index/virtualMachine:VirtualMachine"


def machine_of(stack: Stack, resource: Raw, prop: str) -> str:
    """Name of the machine whose VM a property names; empty: the VM is none of the cluster's.

    By where the value comes from, which every preview knows; else by the machine that the resource hangs below; else by
    the VM's UUID. Raises Undecided where the value, or the UUID of a VM that it might be, is known only later.
    """
    vms = {vm.urn: vm for vm in stack.raw(VM)}
    for urn in resource.sources.get(prop, ()):
        if urn in vms:
            return vms[urn].machine
    if resource.machine:
        return resource.machine
    value = resource.get(prop)
    uuids = {uuid: vm.machine for vm in vms.values() if isinstance(uuid := vm.props.get("uuid"), str)}
    if value in uuids:
        return uuids[value]
    if len(uuids) < len(vms):
        raise Undecided(f"{prop} of {resource.name} is the UUID of some VM, and not every VM of the stack has one yet")
    return ""
