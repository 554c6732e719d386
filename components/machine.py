"""One machine of the plan as a component: neutral facts above, the target's raw resources below."""

from __future__ import annotations

import pulumi

from components import bootstrap, targets
from components.bootstrap.late import Late
from components.facts import MACHINE, MachineFacts
from components.plan import MachinePlan, Plan
from components.site import MachineOutputs, Site


class Machine(pulumi.ComponentResource):
    """A node of the cluster on whatever the site makes of it."""

    outputs: MachineOutputs

    def __init__(
        self, plan: Plan, machine: MachinePlan, site: Site, late: pulumi.Output[Late], opts: pulumi.ResourceOptions
    ) -> None:
        raw = targets.raw(plan.kind)
        facts = MachineFacts(wanted=machine.wanted, place=machine.place, user_data=bootstrap.facts(plan, machine, raw))
        super().__init__(MACHINE, machine.name, facts.props(), opts)
        user_data = late.apply(lambda values: raw.encode(plan, machine, bootstrap.render(plan, machine, values)))
        self.outputs = site.machine(machine, user_data, parent=self)
        self.register_outputs({**facts.props(), "id": self.outputs.id, "address": self.outputs.address})
