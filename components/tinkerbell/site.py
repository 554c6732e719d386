"""The Tinkerbell site: a Hardware for each host of the inventory, and a Workflow for each that becomes a machine.

Creating a Workflow images a host, and nothing in Tinkerbell asks whether it is in use. So a Workflow is made only for a
machine of the plan, once for each of its generations, and no change of its inputs makes another. Which host a machine
has, its pin says: components.cluster creates nothing of a plan with machines that are not pinned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components import credentials
from components.kube import Manifest
from components.plan import ZONE, MachinePlan, Plan
from components.quantity import format_bytes
from components.site import MachineOutputs
from components.tinkerbell.config import BMC_PASSWORD, BMC_USERNAME, KUBECONFIG, Config
from components.tinkerbell.inventory import Bmc, Hardware
from components.tinkerbell.template import netplan, template

TINKERBELL, BMC = "tinkerbell.org/v1alpha1", "bmc.tinkerbell.org/v1alpha1"
LEASE_SECONDS = 2**32 - 2
"""As EKS Anywhere has it. Left out it is 0 and not a week as documented [seen] tinkerbell v0.25, smee/internal/dhcp."""
ENDED = "jsonpath={.status[?@ == 'SUCCESS' || @ == 'FAILED' || @ == 'TIMEOUT']}"
"""Waiting for SUCCESS alone would not see a failure until the timeout; filters [documented] pulumi-kubernetes 4.24."""
WAIT, WORKFLOW_TIMEOUT = "pulumi.com/waitFor", "2h"
"""POST and network boot, perhaps twice, and the hour that the template gives the actions."""
SPARE = "spare"


class Site:
    """The hosts of one inventory, in one namespace of the cluster that runs Tinkerbell."""

    def __init__(self, plan: Plan, parent: pulumi.Resource) -> None:
        self._plan, self._parent = plan, parent
        self._config: Config = plan.target
        self._hosts = {host.name: host for host in self._config.hosts}
        # Any machine's component: what stood below one is found by its type, whichever it was.
        self._node: pulumi.Resource | None = None
        # Never the cluster that kubectl happens to point at; and the identifier never changes, or every host would be
        # imaged anew.
        self._provider = kubernetes.Provider(
            f"{plan.spec.name}-tinkerbell",
            kubeconfig=credentials.secret(KUBECONFIG),
            cluster_identifier=f"{plan.spec.name}-tinkerbell",
            opts=pulumi.ResourceOptions(parent=parent),
        )
        text = template(plan.spec.name, self._config.image, self._config.tootles)
        self._template = self._object(
            TINKERBELL, "Template", plan.spec.name, {"data": text}, pulumi.ResourceOptions(parent=parent)
        )

    @property
    def endpoint(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self._config.endpoint)

    @property
    def known(self) -> Mapping[str, pulumi.Output[str]]:
        return {}

    def machine(self, machine: MachinePlan, user_data: pulumi.Output[Any], parent: pulumi.Resource) -> MachineOutputs:
        self._node = parent
        host, birth = self._hosts[str(machine.place.host)], f"{machine.name}-g{machine.place.generation}"
        # A host that was a spare has its objects below the site.
        opts = pulumi.ResourceOptions(parent=parent, aliases=[pulumi.Alias(parent=self._parent)])
        bmc = self._bmc(host, host.bmc, {WAIT: "condition=Contactable"}, opts) if host.bmc else None
        identity = random.RandomUuid(birth, opts=pulumi.ResourceOptions(parent=parent))
        spec = {
            "metadata": {"instance": {"id": identity.result, "hostname": machine.name}},
            "interfaces": [_interface(host, machine.name)],
            "userData": user_data,
        }
        # The running system has the network, identity and user data of its birth, whatever the inventory or the plan
        # says now. Tinkerbell itself turns allowPXE on and off in the interfaces.
        fixed = ["spec.userData", "spec.interfaces", "spec.metadata"]
        hardware = self._hardware(host, spec, _born(birth, opts, fixed))
        workflow = self._workflow(machine, host, [hardware, *([bmc] if bmc else [])], _born(birth, opts, ["spec"]))
        return MachineOutputs(
            id=workflow.status.apply(lambda status: self._succeeded(machine, host, status)),
            address=pulumi.Output.from_input(str(machine.place.address)),
            resource=workflow,
            body=(hardware, workflow),
        )

    def finish(self, machines: Mapping[str, MachineOutputs]) -> Mapping[str, Sequence[pulumi.CustomResource]]:
        """Spares: known to Tinkerbell, never booted by it."""
        used = {machine.place.host for machine in self._plan.machines}
        aliases = [pulumi.Alias(parent=self._node)] if self._node else []
        opts = pulumi.ResourceOptions(parent=self._parent, aliases=aliases)
        for host in self._config.hosts:
            if host.name not in used:
                if host.bmc:
                    self._bmc(host, host.bmc, {}, opts)
                self._hardware(host, {"interfaces": [_interface(host, host.name)]}, _born(SPARE, opts, []))
        return {}

    def _bmc(self, host: Hardware, bmc: Bmc, annotations: dict[str, str], opts: pulumi.ResourceOptions) -> Manifest:
        """The BMC and its credentials. Waiting for contact proves them before anything is destroyed."""
        name, namespace = f"bmc-{host.name}", self._config.namespace
        password = bmc.password.get_secret_value() if bmc.password else None
        username, key = (bmc.username, password) if password else self._credentials
        secret = Manifest(
            f"{name}-auth",
            api_version="v1",
            kind="Secret",
            body={
                "metadata": {"name": f"{name}-auth", "namespace": namespace},
                "type": "kubernetes.io/basic-auth",
                "stringData": {"username": username, "password": key},
            },
            opts=self._through(opts),
        )
        connection = {
            "host": bmc.address,
            "insecureTLS": True,  # required, and read by nobody [seen] tinkerbell v0.25
            "authSecretRef": {"name": f"{name}-auth", "namespace": namespace},
            # Redfish first: Tinkerbell's own order begins with IPMI.
            "providerOptions": {"preferredOrder": ["gofish", "ipmitool"]},
        }
        # The Secret stays in the namespace that it was made in, and so must the reference to it.
        own = pulumi.ResourceOptions(depends_on=[secret], ignore_changes=["spec.connection.authSecretRef.namespace"])
        after = pulumi.ResourceOptions.merge(opts, own)
        return self._object(BMC, "Machine", name, {"connection": connection}, after, annotations=annotations)

    def _hardware(self, host: Hardware, spec: Mapping[str, Any], opts: pulumi.ResourceOptions) -> Manifest:
        size = self._config.size(host)
        body = {
            **(
                {"bmcRef": {"apiGroup": "bmc.tinkerbell.org", "kind": "Machine", "name": f"bmc-{host.name}"}}
                if host.bmc
                else {}
            ),
            "disks": [{"device": host.disk}],
            "resources": {"cpu": str(size.cpus), "memory": format_bytes(size.memory)},
            **spec,
        }
        # The owner's label keeps Cluster API and EKS Anywhere from taking the host
        # [seen] cluster-api-provider-tinkerbell v0.7.0, controller/machine/hardware.go.
        zone = {ZONE: self._config.zone(host)}
        owner = {"v1alpha1.tinkerbell.org/ownerName": self._plan.spec.name}
        return self._object(TINKERBELL, "Hardware", host.name, body, opts, labels={**host.labels, **zone, **owner})

    def _workflow(
        self, machine: MachinePlan, host: Hardware, after: list[Manifest], opts: pulumi.ResourceOptions
    ) -> Manifest:
        spec = {
            "templateRef": self._plan.spec.name,
            "hardwareRef": host.name,
            "hardwareMap": {"mac": host.mac, "netplan": netplan(host)},
            # Without a BMC a person must boot the host from the network.
            "bootOptions": {"toggleAllowNetboot": True, **({"bootMode": "netboot"} if host.bmc else {})},
        }
        own = pulumi.ResourceOptions(
            depends_on=[self._template, *after], custom_timeouts=pulumi.CustomTimeouts(create=WORKFLOW_TIMEOUT)
        )
        return self._object(
            TINKERBELL,
            "Workflow",
            f"{host.name}-g{machine.place.generation}",
            spec,
            pulumi.ResourceOptions.merge(opts, own),
            resource=host.name,
            annotations={WAIT: ENDED},
        )

    def _object(
        self,
        api_version: str,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        opts: pulumi.ResourceOptions,
        *,
        resource: str = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Manifest:
        """An object of Tinkerbell. Its resource has the same name, unless another one must outlive a change of it."""
        optional = {"labels": labels, "annotations": annotations}
        metadata = {"name": name, "namespace": self._config.namespace, **{k: dict(v) for k, v in optional.items() if v}}
        body = {"metadata": metadata, "spec": spec}
        return Manifest(resource or name, api_version=api_version, kind=kind, body=body, opts=self._through(opts))

    def _through(self, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        """Another namespace would replace every object, and so image every host: what is there stays in its own."""
        own = pulumi.ResourceOptions(provider=self._provider, ignore_changes=["metadata.namespace"])
        return pulumi.ResourceOptions.merge(opts, own)

    def _succeeded(self, machine: MachinePlan, host: Hardware, status: Any) -> str:
        """The id of a host whose Workflow has ended well: the image is written, the system not yet up."""
        state = (status or {}).get("state")
        if state in ("FAILED", "TIMEOUT"):
            name, number = f"{host.name}-g{machine.place.generation}", machine.place.generation
            raise pulumi.RunError(
                f"Tinkerbell could not image {host.name}: Workflow {name} ended as {state}. Why, its actions say: "
                f"kubectl -n {self._config.namespace} get workflow {name} -o yaml. To try again, write "
                f"generations: {{{machine.name}: {number + 1}}} in the target config."
            )
        return host.name

    @cached_property
    def _credentials(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Of the BMCs that have none in the inventory."""
        return credentials.secret(BMC_USERNAME), credentials.secret(BMC_PASSWORD)


def _born(birth: str, opts: pulumi.ResourceOptions, fixed: list[str]) -> pulumi.ResourceOptions:
    """Of an object that is made anew with each birth of its machine, and then with the values of the day."""
    own = pulumi.ResourceOptions(replacement_trigger=birth, delete_before_replace=True, ignore_changes=fixed)
    return pulumi.ResourceOptions.merge(opts, own)


def _interface(host: Hardware, hostname: str) -> dict[str, Any]:
    ip = {"address": host.address, "netmask": host.netmask, "gateway": host.gateway, "family": 4}
    return {
        "dhcp": {
            "mac": host.mac,
            "hostname": hostname,
            "arch": "x86_64",
            "uefi": True,
            "lease_time": LEASE_SECONDS,
            "name_servers": list(host.nameservers),
            "ip": ip,
            **({"vlan_id": str(host.vlan)} if host.vlan else {}),
        },
        # Off at rest; the Workflow turns it on for its own time. Without netboot there is no DHCP answer at all.
        "netboot": {"allowPXE": False},
    }
