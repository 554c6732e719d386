"""The one component a program creates: a cluster with its keys, site, machines and add-ons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_command as command
import pulumi_kubernetes as kubernetes

from components import credentials, settings, targets
from components.addon import Installer
from components.facts import CLUSTER, SITE, ClusterFacts, SiteFacts
from components.machine import Machine
from components.pki import Pki
from components.plan import API_PORT, Plan, Ref
from components.site import Site

READY_SECONDS = 3600
"""How long an `up` waits for the API. Metal takes 15 to 40 minutes to POST, image and boot [engineers' knowledge]."""


class Cluster(pulumi.ComponentResource):
    """A Kubernetes cluster after a plan, whatever its target."""

    def __init__(self, plan: Plan) -> None:
        # Before anything is registered: what is, the SDK still creates after an error [seen] pulumi 3.272,
        # runtime/stack.py, run_pulumi_func.
        _hold(plan)
        facts = ClusterFacts(
            wanted=plan.spec,
            target=plan.kind,
            realisations=plan.realisations,
            endpoint=plan.endpoint,
            reasons=plan.reasons,
            policies=plan.policies,
            config={**plan.settings, **credentials.in_clear(settings.beside_target(plan))},
            hidden=dict(plan.target.hidden),
        ).props()
        super().__init__(CLUSTER, plan.spec.name, facts)
        self._plan, self._child = plan, pulumi.ResourceOptions(parent=self)
        self._pki = Pki(plan.spec.name, self._child)
        sites = {site.name: self._place(site) for site in plan.sites}
        self._home = sites[plan.machines[0].place.site]  # the control plane comes first: its site has the API's address
        late = self._pki.late(self._home.endpoint)
        self._server = pulumi.Output.concat("https://", self._home.endpoint, f":{API_PORT}")
        self._kubeconfig = self._pki.kubeconfig(self._server)
        machines = {m.name: Machine(plan, m, sites[m.place.site], late, self) for m in plan.machines}
        self._machines = {name: machine.outputs for name, machine in machines.items()}
        for name, site in sites.items():
            here = {m.name: self._machines[m.name] for m in plan.machines if m.place.site == name}
            others = site.finish(here)
            for machine in here:
                machines[machine].join(self._kubeconfig, others.get(machine, ()))
        self._install()
        self.register_outputs(facts)

    def outputs(self) -> Mapping[str, Any]:
        """The stack outputs: the same keys on every target."""
        places = {m.name: m.wanted for m in self._plan.machines}
        return {
            "endpoint": self._server,
            "kubeconfig": self._kubeconfig,
            "machines": {
                name: {
                    "id": made.id,
                    "address": made.address,
                    "role": places[name].role,
                    "pool": places[name].pool,
                    "zone": places[name].zone,
                }
                for name, made in self._machines.items()
            },
            "equivalence": dict(Counter(r.grade for r in self._plan.realisations)),
        }

    def _place(self, facts: SiteFacts) -> Site:
        """The site's component, and below it what its machines share."""
        component = pulumi.ComponentResource(SITE, f"{self._plan.spec.name}-{facts.name}", facts.props(), self._child)
        site = targets.site(self._plan.kind)(self._plan, parent=component)
        component.register_outputs(facts.props())
        return site

    def _install(self) -> None:
        """Wait until the API answers with the stack's own CA, then install the add-ons."""
        name = self._plan.spec.name
        ready = command.local.Command(
            f"{name}-ready",
            create="python3 components/readiness.py",
            environment={"SERVER": self._server, "CA": self._pki.ca, "SECONDS": str(READY_SECONDS)},
            opts=pulumi.ResourceOptions.merge(
                self._child, pulumi.ResourceOptions(depends_on=[made.resource for made in self._machines.values()])
            ),
        )
        provider = kubernetes.Provider(
            name,
            kubeconfig=self._kubeconfig,
            # Without an identifier the provider compares kubeconfigs: a renewed certificate would replace everything.
            cluster_identifier=name,
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[ready])),
        )
        ids = {Ref.to_machine(name).name: machine.id for name, machine in self._machines.items()}
        installer = Installer(
            {**self._home.known, **ids, "endpoint": self._home.endpoint},
            pulumi.ResourceOptions(parent=self, provider=provider),
        )
        for addon in self._plan.addons:
            installer.install(addon, ready)
        credentials.warn_of_missing()


def _hold(plan: Plan) -> None:
    """Machines that are not pinned can be previewed: an `up` of them could image a host in use."""
    if not plan.loose:
        return
    pin = f"isostack plan --pin {pulumi.get_stack()}"
    if pulumi.runtime.is_dry_run():
        pulumi.warn(f"{plan.loose}: `pulumi up` will refuse; first run `{pin}`")
    else:
        raise pulumi.RunError(
            f"{plan.loose}. Their hosts are found anew each time: one that is in use could be taken, and imaged over. "
            f"Run `{pin}`: it writes the hosts into the stack file, and pinned machines never move. Keep that file "
            "under version control. Nothing was created or changed."
        )
