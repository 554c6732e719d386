"""The vSphere site: VMs from a template, kept apart and in their zones by rules, treated by DRS and HA by role.

Each choice that costs is explained where it is made. The provider's traps are those of pulumi-vsphere 4.18, run
against the vCenter simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_vsphere as vsphere

from components import credentials
from components.plan import MachinePlan, Plan
from components.site import MachineOutputs
from components.spec import CONTROL_PLANE
from components.vsphere.capacity import GIB, MIB
from components.vsphere.config import Config

BORN_WITH = [
    # A changed extraConfig reboots the VM, and cloud-init does not run again.
    "extraConfig",
    # The template of the birth; the guest and firmware of today's template are another's.
    "clone",
    "guestId",
    "firmware",
    # DRS moves a VM on.
    "hostSystemId",
    # Storage vMotion of all VMs at once, etcd's too.
    "datastoreId",
    "storagePolicyId",
    # Volumes that the CSI driver attached are disks too, and must not be taken off.
    "disks",
    # A changed size would power-cycle a whole pool, and the control plane, at once.
    "numCpus",
    "memory",
    "memoryReservation",
    "nestedHvEnabled",
    "swapPlacementPolicy",  # not returned by every vCenter
]
"""Inputs that count at a VM's birth only: the next generation takes the values of its day."""
RESTART_PRIORITY = {"control-plane": "highest", "worker": "medium"}


@dataclass(frozen=True, slots=True)
class Found:
    """Ids of what is there already. Held once: each access to a field of a data source makes another Output."""

    datacenter: pulumi.Output[str]
    cluster: pulumi.Output[str]
    root_pool: pulumi.Output[str]
    datastore: pulumi.Output[str]
    network: pulumi.Output[str]
    template: pulumi.Output[str]
    guest: pulumi.Output[str]
    firmware: pulumi.Output[str]
    policy: pulumi.Output[str] | None
    hosts: Mapping[str, pulumi.Output[str]]


def look_up(config: Config, parent: pulumi.Resource) -> Found:
    """Ask vCenter for what the config names."""
    opts = pulumi.InvokeOutputOptions(parent=parent)
    datacenter = vsphere.get_datacenter_output(name=config.datacenter, opts=opts).id
    cluster = vsphere.get_compute_cluster_output(name=config.cluster, datacenter_id=datacenter, opts=opts)
    template = vsphere.get_virtual_machine_output(name=config.template, datacenter_id=datacenter, opts=opts)
    policy = config.storage_policy
    return Found(
        datacenter=datacenter,
        cluster=cluster.id,
        root_pool=cluster.resource_pool_id,
        datastore=vsphere.get_datastore_output(name=config.datastore, datacenter_id=datacenter, opts=opts).id,
        network=vsphere.get_network_output(name=config.network.name, datacenter_id=datacenter, opts=opts).id,
        template=template.id,
        guest=template.guest_id,
        firmware=template.firmware,
        policy=vsphere.get_policy_output(name=policy, opts=opts).id if policy else None,
        hosts={
            host.name: vsphere.get_host_output(name=host.name, datacenter_id=datacenter, opts=opts).id
            for host in config.hosts
        },
    )


class Site:
    """One compute cluster."""

    def __init__(self, plan: Plan, parent: pulumi.Resource) -> None:
        self._plan, self._parent = plan, parent
        self._config: Config = plan.target
        self._name = plan.spec.name
        self._child = pulumi.ResourceOptions(parent=parent)
        credentials.read_by_provider(*self._config.settings)
        self._found = look_up(self._config, parent)
        self._folder = vsphere.Folder(
            self._name, path=self._name, type="vm", datacenter_id=self._found.datacenter, opts=self._child
        )
        self._pool = self._resource_pool()
        self._zone_tags = self._tags()

    @property
    def endpoint(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self._config.endpoint)

    @property
    def known(self) -> Mapping[str, pulumi.Output[str]]:
        return {}

    def machine(self, machine: MachinePlan, user_data: pulumi.Output[Any], parent: pulumi.Resource) -> MachineOutputs:
        size, place = machine.place.size, machine.place
        vm = vsphere.VirtualMachine(
            machine.name,
            name=machine.name,
            resource_pool_id=self._pool.id,
            datastore_id=self._found.datastore,
            folder=self._folder.path,
            # The provider powers a VM on before any rule can name it: without a host it may start in the wrong zone.
            host_system_id=self._found.hosts[place.host] if place.host else None,
            guest_id=self._found.guest,
            firmware=self._found.firmware,
            num_cpus=size.cpus,
            memory=size.memory // MIB,
            # HA admission control counts an unreserved VM as next to nothing, and Kubernetes must not meet ballooning.
            memory_reservation=size.memory // MIB,
            memory_reservation_locked_to_max=True,
            # Sandboxes are VMs in this one.
            nested_hv_enabled=True if self._plan.spec.sandboxed(machine.wanted.tenant) else None,
            enable_disk_uuid=True,  # the CSI driver finds its disks by it
            storage_policy_id=self._found.policy,
            disks=[
                vsphere.VirtualMachineDiskArgs(
                    label="root", unit_number=0, size=-(-size.disk // GIB), storage_policy_id=self._found.policy
                )
            ],
            network_interfaces=[
                vsphere.VirtualMachineNetworkInterfaceArgs(network_id=self._found.network, adapter_type="vmxnet3")
            ],
            clone=vsphere.VirtualMachineCloneArgs(template_uuid=self._found.template),
            extra_config=user_data,
            tags=[self._zone_tags[machine.wanted.zone].id],
            # Addresses are static: there is nothing to wait for.
            wait_for_guest_net_timeout=0,
            wait_for_guest_ip_timeout=0,
            opts=pulumi.ResourceOptions(
                parent=parent,
                ignore_changes=BORN_WITH,
                additional_secret_outputs=["extraConfig"],
                delete_before_replace=True,  # the new VM has the old one's name and address
                replacement_trigger=place.generation,
            ),
        )
        return MachineOutputs(id=vm.uuid, address=pulumi.Output.from_input(str(place.address)), resource=vm, body=(vm,))

    def finish(self, machines: Mapping[str, MachineOutputs]) -> Mapping[str, Sequence[pulumi.CustomResource]]:
        """Rules, then overrides."""
        rules = [*self._anti_affinity(machines), *self._zones(machines)]
        # Only full automation moves a running VM to where a rule wants it: every other override comes after the rules.
        # Only such: what depends on a rule depends on every VM, and Pulumi's SDK follows that for each override anew.
        after_rules = pulumi.ResourceOptions(parent=self._parent, depends_on=rules)
        overrides: dict[str, list[pulumi.CustomResource]] = {}
        for machine in self._plan.machines:
            vm, name, role = machines[machine.name].resource, machine.name, machine.wanted.role
            drs = self._config.drs
            level = drs.control_plane if role == "control-plane" else drs.workers
            drs_override = vsphere.DrsVmOverride(
                name,
                compute_cluster_id=self._found.cluster,
                virtual_machine_id=vm.id,
                # Both always: the provider's defaults for a field left out are off and manual.
                drs_enabled=level != "disabled",
                drs_automation_level="manual" if level == "disabled" else level,
                opts=self._child if level == "fullyAutomated" else after_rules,
            )
            overrides[name] = [drs_override]
            if self._config.ha.enabled:
                ha_override = vsphere.HaVmOverride(
                    name,
                    compute_cluster_id=self._found.cluster,
                    virtual_machine_id=vm.id,
                    ha_vm_restart_priority=RESTART_PRIORITY[role],
                    opts=self._child,
                )
                overrides[name].append(ha_override)
        return overrides

    def _resource_pool(self) -> vsphere.ResourcePool:
        memory = sum(machine.place.size.memory for machine in self._plan.machines) // MIB
        return vsphere.ResourcePool(
            self._name,
            name=self._name,
            parent_resource_pool_id=self._found.root_pool,
            memory_reservation=memory,
            memory_expandable=True,  # the VMs' own overhead comes on top
            # Set, because left out it makes every later preview show a change.
            scale_descendants_shares="disabled",
            opts=self._child,
        )

    def _tags(self) -> dict[str, vsphere.Tag]:
        category = vsphere.TagCategory(
            f"{self._name}-zone",
            name=f"{self._name}-zone",
            description=f"Zone of the Kubernetes cluster {self._name}",
            cardinality="SINGLE",
            associable_types=["VirtualMachine", "HostSystem"],
            opts=self._child,
        )
        return {
            zone: vsphere.Tag(f"{self._name}-{zone}", name=zone, category_id=category.id, opts=self._child)
            for zone in self._plan.spec.zones
        }

    def _anti_affinity(self, machines: Mapping[str, MachineOutputs]) -> Sequence[pulumi.Resource]:
        """One rule for each pool of two or more; mandatory only where an upgrade's surge still finds a host."""
        rules, surge = [], self._plan.spec.availability.surge
        for pool in (CONTROL_PLANE, *(pool.name for pool in self._plan.spec.pools)):
            members = [m.name for m in self._plan.machines if m.wanted.pool == pool]
            if len(members) > 1:
                rules.append(
                    vsphere.ComputeClusterVmAntiAffinityRule(
                        f"{self._name}-{pool}",
                        name=f"{self._name}-{pool}-apart",
                        compute_cluster_id=self._found.cluster,
                        virtual_machine_ids=[machines[name].resource.id for name in members],
                        mandatory=self._can_stay_apart(pool, len(members) + surge),
                        opts=self._child,
                    )
                )
        return rules

    def _can_stay_apart(self, pool: str, members: int) -> bool:
        """Whether every member finds a host of its own: in the plan, and then with the HA reserve gone and a further
        member; each zone's in its zone."""
        ha, hosts = self._config.ha, self._config.hosts
        own = [m for m in self._plan.machines if m.wanted.pool == pool]
        zones = [m.wanted.zone for m in own]
        roomy = all(zones.count(zone) <= sum(host.zone == zone for host in hosts) for zone in set(zones))
        apart = len({m.place.host for m in own}) == len(own)
        return apart and roomy and len(hosts) >= members + (ha.host_failures if ha.enabled else 0)

    def _zones(self, machines: Mapping[str, MachineOutputs]) -> Sequence[pulumi.Resource]:
        """Each zone's VMs should run on its hosts. Not must: a must-rule blocks HA and maintenance mode."""
        rules = []
        for zone in self._plan.spec.zones:
            members = [machines[m.name].resource.id for m in self._plan.machines if m.wanted.zone == zone]
            if not members:
                continue
            name = f"{self._name}-{zone}"
            hosts = vsphere.ComputeClusterHostGroup(
                name,
                name=f"{name}-hosts",
                compute_cluster_id=self._found.cluster,
                host_system_ids=[self._found.hosts[host.name] for host in self._config.hosts if host.zone == zone],
                opts=self._child,
            )
            vms = vsphere.ComputeClusterVmGroup(
                name,
                name=f"{name}-vms",
                compute_cluster_id=self._found.cluster,
                virtual_machine_ids=members,
                opts=self._child,
            )
            rules.append(
                vsphere.ComputeClusterVmHostRule(
                    name,
                    name=f"{name}-stay",
                    compute_cluster_id=self._found.cluster,
                    vm_group_name=vms.name,
                    affinity_host_group_name=hosts.name,
                    mandatory=False,
                    opts=self._child,
                )
            )
        return rules
