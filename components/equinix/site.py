"""The Equinix Metal site: a project with BGP, a reserved address for the API, and a device for each machine.

Each choice that costs is explained where it is made. What forces a replacement and where create-before-delete fails are
those of pulumi-equinix-metal 3.2.1, run against a simulator of the API.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_equinix_metal as metal

from components.equinix.config import Config
from components.equinix.raw import ZONE_TAG
from components.plan import MachinePlan, Plan
from components.site import MachineOutputs


class Site:
    """One project in one metro."""

    def __init__(self, plan: Plan, parent: pulumi.Resource) -> None:
        self._spec = plan.spec
        self._config: Config = plan.target
        self._child = pulumi.ResourceOptions(parent=parent)
        self._project_id = self._project()
        self._address = self._reserved_address()
        self._keys = [self._ssh_key(key) for key in dict.fromkeys(plan.spec.access.admins)]

    @property
    def endpoint(self) -> pulumi.Output[str]:
        return self._address.address

    @property
    def known(self) -> Mapping[str, pulumi.Output[str]]:
        return {"project": pulumi.Output.from_input(self._project_id)}

    def machine(self, machine: MachinePlan, user_data: pulumi.Output[Any], parent: pulumi.Resource) -> MachineOutputs:
        wanted, config = machine.wanted, self._config
        reservation = config.reservations.get(machine.name)
        # A plain input would stand in clear in the state, whatever the schema says of it.
        secret: pulumi.Output[Any] = pulumi.Output.secret(user_data)
        device = metal.Device(
            machine.name,
            hostname=machine.name,  # CPEM finds a node's device by it
            project_id=self._project_id,
            metro=config.metro,
            plan=machine.place.host_class,
            operating_system=config.operating_system,
            billing_cycle=config.billing_cycle,
            hardware_reservation_id=reservation,
            # A reserved server is free again only minutes after it was given back: its next device must wait.
            wait_for_reservation_deprovision=True if reservation else None,
            # Without this list, the keys of every member of the project are let in.
            project_ssh_key_ids=[key.id for key in self._keys],
            tags=[f"cluster={wanted.cluster}", f"pool={wanted.pool}", f"{ZONE_TAG}{wanted.zone}"],
            user_data=secret,
            opts=self._device_options(machine, parent),
        )
        announces = wanted.role == "control-plane" or self._announces_services()
        session = (self._bgp_session(machine.name, device, parent),) if announces else ()
        # The private address: BGP and CPEM's InternalIP are on it, and etcd's traffic stays off the internet.
        return MachineOutputs(
            id=device.id, address=device.access_private_ipv4, resource=device, body=(device, *session)
        )

    def finish(self, machines: Mapping[str, MachineOutputs]) -> Mapping[str, Sequence[pulumi.CustomResource]]:
        """Nothing here names all machines: each session belongs to one device."""
        return {}

    def _project(self) -> pulumi.Input[str]:
        """Id of the project. One that exists is used as it is: BGP cannot be taken from it again."""
        if self._config.existing_project:
            return self._config.project
        project = metal.Project(
            self._spec.name,
            name=self._config.project,
            # "local" needs nobody's approval. A removed bgpConfig, or a name changed together with it, never settles.
            bgp_config=metal.ProjectBgpConfigArgs(deployment_type="local", asn=self._config.bgp_asn),
            opts=self._child,
        )
        return project.id

    def _reserved_address(self) -> metal.ReservedIpBlock:
        """Address of the API, public: the provider can reserve public_ipv4 and global_ipv4 only, and global is for many
        metros. Every input replaces it, tags too, and the certificates name it: no input here ever changes.
        """
        return metal.ReservedIpBlock(
            f"{self._spec.name}-api",
            project_id=self._project_id,
            metro=self._config.metro,
            type="public_ipv4",
            quantity=1,
            opts=self._child,
        )

    def _ssh_key(self, key: str) -> metal.ProjectSshKey:
        """Named by its digest: the removal of one key leaves the others alone."""
        digest = hashlib.sha256(" ".join(key.split()[:2]).encode()).hexdigest()[:8]
        name = f"{self._spec.name}-admin-{digest}"
        return metal.ProjectSshKey(name, name=name, project_id=self._project_id, public_key=key, opts=self._child)

    def _device_options(self, machine: MachinePlan, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=parent,
            # Each of these replaces the device, hence all devices of a pool at once. They count at birth only: the next
            # generation is built with the values of its day, since a replacement takes the program's inputs.
            ignore_changes=[
                "userData",
                "customData",
                "metro",
                "plan",
                "operatingSystem",
                "billingCycle",
                "hardwareReservationId",
                "projectSshKeyIds",
            ],
            # Two devices of one hostname confuse CPEM, and the API answers 422 when a reservation is taken twice.
            delete_before_replace=True,
            # A device has no input of its own for it.
            replacement_trigger=machine.place.generation,
            additional_secret_outputs=["rootPassword"],  # secret in the provider's schema, but not in its SDK
        )

    def _announces_services(self) -> bool:
        return self._spec.services.load_balancer and self._config.load_balancer.provider != "none"

    def _bgp_session(self, name: str, device: metal.Device, parent: pulumi.Resource) -> metal.BgpSession:
        """kube-vip announces the API's address from the control plane, the load balancer those of services from all."""
        return metal.BgpSession(
            name,
            device_id=device.id,
            address_family="ipv4",
            opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
        )
