"""What other tools take over: machines as an Ansible inventory, for those who configure nodes with Ansible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from components.bootstrap.render import LOGIN
from components.facts import MachineFacts
from components.planning import wanted_machines
from components.quantity import show_bytes
from isostack.evidence import cluster_facts, machine_facts
from isostack.preview.model import Preview


def inventory(preview: Preview) -> dict[str, Any]:
    """The machines of a stack as an Ansible inventory, to be written as YAML.

    Groups: control_plane and workers; pool_NAME, zone_NAME, tenant_NAME, in which every character that a group may not
    have is `_`. A machine whose address is not known has no `ansible_host`; see `without_address`.
    [documented] https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
    """
    cluster, addresses = cluster_facts(preview), _addresses(preview)
    # A state has them in the order of creation, and may have one that its spec no longer wants.
    order = {machine.name: i for i, machine in enumerate(wanted_machines(cluster.wanted))}
    machines = sorted(machine_facts(preview), key=lambda machine: order.get(machine.wanted.name, len(order)))
    groups: dict[str, dict[str, None]] = {}
    for machine in machines:
        for group in _groups(machine):
            groups.setdefault(group, {})[machine.wanted.name] = None
    return {
        "all": {
            "vars": {
                "ansible_user": LOGIN,
                "isostack_cluster": cluster.wanted.name,
                "isostack_target": cluster.target,
                "isostack_kubernetes_version": cluster.wanted.kubernetes.version,
            },
            "hosts": {machine.wanted.name: _variables(machine, addresses) for machine in machines},
            "children": {name: {"hosts": hosts} for name, hosts in groups.items()},
        }
    }


def without_address(preview: Preview) -> list[str]:
    """Machines whose address is known only once they are there."""
    addresses = _addresses(preview)
    return [m.wanted.name for m in machine_facts(preview) if m.wanted.name not in addresses]


def _addresses(preview: Preview) -> dict[str, str]:
    """By machine: what the stack's outputs say, else the plan."""
    told = (preview.outputs or {}).get("machines")
    outputs = told if isinstance(told, Mapping) else {}
    found: dict[str, str] = {}
    for machine in machine_facts(preview):
        name, said = machine.wanted.name, outputs.get(machine.wanted.name)
        address = said.get("address") if isinstance(said, Mapping) else None
        if isinstance(address, str):
            found[name] = address
        elif machine.place.address:
            found[name] = machine.place.address
    return found


def _groups(machine: MachineFacts) -> list[str]:
    wanted = machine.wanted
    names = ["control_plane"] if wanted.role == "control-plane" else ["workers", f"pool_{wanted.pool}"]
    names += [f"zone_{wanted.zone}", *([f"tenant_{wanted.tenant}"] if wanted.tenant else ())]
    return [re.sub(r"\W", "_", name) for name in names]


def _variables(machine: MachineFacts, addresses: Mapping[str, str]) -> dict[str, Any]:
    wanted, place = machine.wanted, machine.place
    address = addresses.get(wanted.name)
    known = {
        "isostack_role": wanted.role,
        "isostack_pool": wanted.pool,
        "isostack_zone": wanted.zone,
        "isostack_tenant": wanted.tenant,
        "isostack_host": place.host,
        "isostack_host_class": place.host_class,
        "isostack_cpus": place.size.cpus,
        "isostack_memory": show_bytes(place.size.memory),
        "isostack_disk": show_bytes(place.size.disk),
    }
    return {**({"ansible_host": address} if address else {}), **{k: v for k, v in known.items() if v is not None}}
