"""Cases of the pack fleet."""

from __future__ import annotations

from typing import Any

from components.facts import Host
from components.rules import HIDDEN, UNKNOWN, Raw, Stack
from components.spec import Size
from policies.fleet.hardware import BMC, HARDWARE, WORKFLOW
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, site, virtual
from tests.specs import rich, spec

GIB = 1024**3
NO_POWER = (
    ": nothing powers them off or boots them from the network\n"
    "a rebuild of 21 min waits for a person first, 30 min [assumption]\n"
    "such a host cannot be fenced: where its node is lost, pods with a volume wait for that person too"
)
EITHER = "whichever is meant, the other may be powered off or imaged while it carries a node"


def hardware(name: str, number: int = 1, bmc: Any = "own", **dhcp: Any) -> Raw:
    """A host whose MAC, hostname, address and BMC have this number, unless others are given."""
    given = {"mac": f"aa:00:00:00:00:{number:02x}", "hostname": f"n{number}", "ip": {"address": f"10.0.0.{number}"}}
    body: dict[str, Any] = {"interfaces": [{"dhcp": given | dhcp}]}
    if bmc:
        body["bmcRef"] = {"kind": "Machine", "name": f"bmc-{name}" if bmc == "own" else bmc}
    return raw(HARDWARE, name, {"metadata": {"namespace": "tinkerbell"}, "spec": body})


def bmc(name: str, host: str) -> Raw:
    return raw(BMC, name, {"spec": {"connection": {"host": host}}})


def workflow(name: str, host: str, namespace: str = "tinkerbell") -> Raw:
    return raw(WORKFLOW, name, {"metadata": {"namespace": namespace}, "spec": {"hardwareRef": host}})


def hosts(*zones: str) -> tuple[Host, ...]:
    return tuple(
        Host(name=f"h{i}", zone=zone, cpus=8, memory=64 * GIB, usable_cpus=8, usable_memory=64 * GIB)
        for i, zone in enumerate(zones)
    )


def own(stack: Stack, spares: int = 0) -> Stack:
    """On hosts that are known, with so many spares."""
    return site(stack, hosts=hosts("a", "a", "a"), spare_hosts=spares)


def resized(stack: Stack, name: str, cpus: int, memory: int) -> Stack:
    """With another host below one machine."""
    size = Size(cpus=cpus, memory=memory * GIB, disk=200 * GIB)
    machines = tuple(
        machine.model_copy(update={"place": machine.place.model_copy(update={"size": size})})
        if machine.wanted.name == name
        else machine
        for machine in stack.machines
    )
    return Stack(stack.urn, stack.cluster, stack.sites, machines)


def zones(stack: Stack, *names: str, **changes: Any) -> Stack:
    return site(stack, hosts=hosts(*names), **changes)


TWO = spec({"pools.0.nodes": 2})
ZONES = spec({"zones": ["a", "b"], "pools.0.nodes": 3})

CASES = (
    Case(
        "fleet-no-bmc",
        adding(metal(rich()), hardware("r1"), hardware("r2", 2, bmc=None)),
        ("target inventory: 1 host without a BMC (r2)" + NO_POWER,),
    ),
    Case(
        "fleet-no-bmc",
        site(metal(rich()), power_control=False),
        ("target inventory: hosts without a BMC" + NO_POWER,),
    ),
    Case("fleet-no-bmc", adding(metal(rich()), hardware("r1"), hardware("r2", 2))),
    Case(
        "fleet-no-bmc",
        adding(metal(rich()), raw(HARDWARE, "r1", {"spec": UNKNOWN})),
        undecided="spec of r1 is known only after `pulumi up`",
    ),
    Case(
        "fleet-hardware-twice",
        adding(metal(rich()), hardware("r1"), hardware("r2", mac="AA:00:00:00:00:01")),
        ("resource r2: MAC aa:00:00:00:00:01, hostname n1, address 10.0.0.1: also of r1\n" + EITHER,),
    ),
    Case("fleet-hardware-twice", adding(metal(rich()), hardware("r1"), hardware("r2", 2), hardware("r3", 3))),
    Case(
        "fleet-hardware-twice",
        adding(metal(rich()), hardware("r1"), hardware("r2", 2, bmc="bmc-r1")),
        ("resource r2: bmcRef bmc-r1: also of r1\n" + EITHER,),
    ),
    Case(
        "fleet-hardware-twice",
        adding(metal(rich()), bmc("bmc-r1", "10.0.1.1"), bmc("bmc-r2", "10.0.1.1"), bmc("bmc-r3", "10.0.1.3")),
        ("resource bmc-r2: BMC 10.0.1.1: also of bmc-r1\n" + EITHER,),
    ),
    Case("fleet-hardware-twice", adding(metal(rich()), bmc("bmc-r1", HIDDEN), bmc("bmc-r2", HIDDEN))),
    Case(
        "fleet-hardware-twice",
        adding(metal(rich()), workflow("r1-g1", "r1"), workflow("r1-g2", "r1"), workflow("r1-g3", "r1", "lab")),
        ("resource r1-g2: hardwareRef r1: also of r1-g1\n" + EITHER,),
    ),
    Case(
        "fleet-hardware-twice",
        adding(metal(rich()), hardware("r1", mac=UNKNOWN)),
        undecided="spec.interfaces.0.dhcp.mac of r1 is known only after `pulumi up`",
    ),
    Case(
        "fleet-no-spare",
        own(metal(TWO)),
        (
            "target inventory: no spare for 3 hosts: within a year one needs a repair with p = 21 %\n"
            "each time its node is away until the repair, 72 h [assumption]: 17 h a year on average; on a spare it is "
            "back after 0.35 h, 0.085 h a year",
        ),
    ),
    Case("fleet-no-spare", own(metal(TWO), spares=1)),
    Case("fleet-no-spare", site(metal(TWO, known=False), spare_hosts=0)),
    Case(
        "fleet-mixed-pool",
        resized(metal(TWO), "tiny-apps-1", 4, 4),
        (
            "spec pools.apps.size: hosts of 2 to 4 CPU and 4Gi in one pool, asked are 2 CPU, 4Gi, 40Gi disk\n"
            "what is made for any of them leaves 33 % of the CPU and 0 % of the memory unused",
        ),
    ),
    Case("fleet-mixed-pool", metal(TWO)),
    Case("fleet-mixed-pool", resized(metal(TWO), "tiny-apps-1", 4, 4), params={"tolerancePercent": 100}),
    Case(
        "fleet-single-host-zone",
        zones(virtual(ZONES), "a", "a", "b"),
        (
            "target hosts: zone b has one host: with it the zone is gone, 1 node at most\n"
            "its VMs start again in another zone under the label of the old one, so replicas may share a host; "
            "maintenance of the host does the same",
        ),
    ),
    Case(
        "fleet-single-host-zone",
        zones(virtual(ZONES, ha=False), "a", "b"),
        (
            "target hosts: zones a, b have one host each: with it the zone is gone, 3 nodes at most\n"
            "its VMs stay off until the host is back; for maintenance they are moved to another zone or stopped",
        ),
    ),
    Case(
        "fleet-single-host-zone",
        zones(metal(ZONES), "a", "a", "b"),
        (
            "target inventory: zone b has one host: with it the zone is gone, 1 node at most\n"
            "until it is repaired or built anew, what must stay in the zone has no place to run",
        ),
    ),
    Case("fleet-single-host-zone", zones(virtual(ZONES), "a", "a", "b", "b")),
    Case("fleet-single-host-zone", zones(metal(ZONES), "a", "a", "b", "b")),
    Case(
        "fleet-class-oversized",
        metal(TWO, times=8),
        (
            "spec controlPlane.size: 1 host with 16 CPU and 4Gi for 2 CPU and 4Gi asked\n"
            "88 % of the CPU and 0 % of the memory is out of reach: no pod of a workload runs on the control plane",
        ),
    ),
    Case("fleet-class-oversized", metal(TWO, times=4)),
)
