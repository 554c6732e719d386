"""One machine of the plan as a component: neutral facts above, the target's raw resources below."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pulumi
import pulumi_command as command

from components import bootstrap, targets
from components.bootstrap.labels import forbidden_labels
from components.bootstrap.late import Late
from components.facts import MACHINE, MachineFacts
from components.plan import MachinePlan, Plan
from components.site import MachineOutputs, Site


class Machine(pulumi.ComponentResource):
    """A node of the cluster on whatever the site makes of it."""

    outputs: MachineOutputs

    def __init__(
        self,
        plan: Plan,
        machine: MachinePlan,
        site: Site,
        late: pulumi.Output[Late],
        cluster: pulumi.Resource,
    ) -> None:
        raw = targets.raw(plan.kind)
        facts = MachineFacts(wanted=machine.wanted, place=machine.place, user_data=bootstrap.facts(plan, machine, raw))
        super().__init__(MACHINE, machine.name, facts.props(), pulumi.ResourceOptions(parent=cluster))
        self._plan, self._cluster = machine, cluster
        user_data = late.apply(lambda values: raw.encode(plan, machine, bootstrap.render(plan, machine, values)))
        self.outputs = site.machine(machine, user_data, parent=self)
        self.register_outputs({**facts.props(), "id": self.outputs.id, "address": self.outputs.address})

    def join(self, admin: pulumi.Output[str], others: Sequence[pulumi.CustomResource]) -> None:
        """The node's membership in its cluster: it comes after the machine and `others`, and ends before them. It is
        made anew with the machine alone: what stands around a machine that stays, such as its DRS override, may come
        and go. `admin`: the kubeconfig."""
        machine, program = self._plan, "python3 components/membership.py"
        command.local.Command(
            f"{machine.name}-membership",
            create=f"{program} join",
            delete=f"{program} leave",
            environment={
                "NODE": machine.name,
                "ROLE": machine.wanted.role,
                "LABELS": json.dumps(forbidden_labels(machine.wanted.labels), sort_keys=True),
                "ADMIN": admin,
            },
            triggers=[part.id for part in self.outputs.body],
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=list(others),
                delete_before_replace=True,
                deleted_with=self._cluster,  # when all goes, nobody moves pods from one doomed node to the next
            ),
        )
