"""Cases of the pack drs."""

from __future__ import annotations

from tests.policy_cases import Case
from tests.policy_stacks import metal, virtual
from tests.specs import rich

EVEN = rich({"workloads.3.replicas": 3})
SHORT = (
    "pool db leaves 1.4 % of demand unmet (most by search: 1 on 3 nodes)\n"
    "too few pods to even out by moving them: replicas in a multiple of the nodes would"
)
ASSUMED = "at 70 % load, variation 1 [assumptions]"
CASES = (
    Case(
        "drs-value",
        virtual(EVEN),
        (
            "spec workloads: DRS (fullyAutomated) changes nothing measurable: this cluster cannot make a host short of "
            "CPU, at most 24 vCPU on 128 usable threads, 124 on 640 with 1 lost\n"
            f"nodes do not run short of CPU {ASSUMED}",
        ),
    ),
    Case("drs-value", virtual(EVEN, balancing=None)),
    Case(
        "drs-value",
        virtual(rich(), balancing=None),
        (
            f"spec workloads: nodes run short {ASSUMED}, and the descheduler sees what pods ask for, not what they "
            f"use: {SHORT}",
        ),
    ),
    Case(
        "drs-value",
        metal(rich()),
        (
            f"spec workloads: nodes run short {ASSUMED}, and the descheduler sees what pods ask for, not what they "
            f"use: {SHORT}",
        ),
    ),
    Case("drs-value", metal(EVEN)),
    Case("drs-value", metal(rich(), times=2)),
)
