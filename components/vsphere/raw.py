"""VMs: how guestinfo carries user data, and what VMs, tags and rules show of a machine."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence

from components.plan import MachinePlan, Plan
from components.raw import Channel, Resource, Shown, at, known, of_kind
from components.vsphere.capacity import GIB, MIB
from components.vsphere.config import Config

USER_DATA = "guestinfo.userdata"
CHANNEL = Channel(USER_DATA, 64 * 1024, "[seen] vmware-tanzu/vm-operator issue 148")
SHOWS = frozenset({"host_class", "cpus", "memory", "disk"})
_LEVEL = 6  # 9 takes twice the time for 1 % less [measured]
VM, TAG, VM_GROUP, HOST_GROUP, RULE = (
    f"vsphere:index/{name[0].lower()}{name[1:]}:{name}"
    for name in (
        "VirtualMachine",
        "Tag",
        "ComputeClusterVmGroup",
        "ComputeClusterHostGroup",
        "ComputeClusterVmHostRule",
    )
)


def encode(plan: Plan, machine: MachinePlan, text: str) -> dict[str, str]:
    """extraConfig for cloud-init's VMware datasource [documented]
    https://docs.cloud-init.io/en/latest/reference/datasources/vmware.html"""
    config: Config = plan.target
    network = config.network
    metadata = {
        "instance-id": f"{machine.name}-g{machine.place.generation}",
        "local-hostname": machine.name,
        # Once read, cloud-init takes it out of the guest's reach: keys and the token are in it.
        "redact": ["userdata"],
        "network": {
            "version": 2,
            "ethernets": {
                "nodes": {
                    "match": {"name": "e*"},
                    "addresses": [f"{machine.place.address}/{network.prefix}"],
                    "routes": [{"to": "default", "via": network.gateway.split("/")[0]}],
                    "nameservers": {"addresses": list(network.dns)},
                }
            },
        },
    }
    return {
        "guestinfo.metadata": _base64(json.dumps(metadata)),
        "guestinfo.metadata.encoding": "base64",
        USER_DATA: base64.b64encode(gzip.compress(text.encode(), _LEVEL, mtime=0)).decode(),
        f"{USER_DATA}.encoding": "gzip+base64",
    }


def measure(carried: Mapping[str, str]) -> int:
    return len(carried[USER_DATA])


def decode(carried: Mapping[str, str]) -> str:
    return gzip.decompress(base64.b64decode(carried[USER_DATA])).decode()


def machines(resources: Sequence[Resource]) -> Iterator[tuple[str, Shown]]:
    """A VM is kept in a zone by its tag, for people and add-ons, and by a rule, for DRS and HA: it takes both."""
    tags, rules = {tag.urn: tag for tag in of_kind(resources, TAG)}, dict(_rules(resources))
    for vm in of_kind(resources, VM):
        yield known(vm.inputs.get("name"), str) or "", _shown(vm, tags, rules.get(vm.urn))


def _shown(vm: Resource, tags: Mapping[str, Resource], rule: str | None) -> Shown:
    """A zone's tag and its rule are resources of one name."""
    own = [tags[urn] for urn in vm.property_dependencies.get("tags", ()) if urn in tags]
    memory, disk = known(vm.inputs.get("memory"), int), known(at(vm.inputs, "disks", 0, "size"), int)
    return Shown(
        zone=known(own[0].inputs.get("name"), str) if [tag.name for tag in own] == [rule] else None,
        user_data=vm.inputs.get("extraConfig"),
        user_data_from=vm.property_dependencies.get("extraConfig", ()),
        host_class="vm",
        cpus=known(vm.inputs.get("numCpus"), int),
        memory=memory * MIB if memory is not None else None,
        disk=disk * GIB if disk is not None else None,
    )


def _rules(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    """The URN of each VM in a group that a rule in force holds on the zone's own hosts, and the rule's name."""
    groups = {group.urn: group for group in of_kind(resources, VM_GROUP)}
    hosts = {group.urn: group.name for group in of_kind(resources, HOST_GROUP) if group.inputs.get("hostSystemIds")}
    for rule in of_kind(resources, RULE):
        on = [hosts.get(urn) for urn in rule.property_dependencies.get("affinityHostGroupName", ())]
        if on != [rule.name] or rule.inputs.get("enabled") is False:
            continue
        for urn in rule.property_dependencies.get("vmGroupName", ()):
            for vm in groups[urn].property_dependencies.get("virtualMachineIds", ()) if urn in groups else ():
                yield vm, rule.name


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
