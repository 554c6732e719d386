"""Cases of the pack isolation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.rules import Stack
from components.spec import Size
from tests.policy_cases import Case
from tests.policy_stacks import metal, site, virtual
from tests.specs import SHOP, rich

OPEN = {"pools.0.tenant": None}
TRUSTED = {"tenants.1.trust": "internal"}
MET = "a pod that breaks out to its node meets 0.94 of the 1 others on average (30 pods split evenly [assumption])"
KERNEL = (
    "spec pools.web.tenant: none: external partner may share a kernel with shop, on 6 nodes of pool web\n"
    f"{MET}\nan exploited kernel escalation turns up within 30 days with p = 16 %: exposure, not breach"
)
HYPERVISOR = (
    "spec tenants.partner.trust: no kernel shared, but hypervisors: its 2 VMs start beside 2 of control-plane and 2 of "
    "shop, on esx0 and esx1\n"
    "exploited escapes from a kernel and a VM both turn up within 30 days with p = 0.34 %, 47 times rarer than from a "
    "shared kernel (16 %): exposure, not breach"
)
BY_HAND = {"availability.reboots": None}


def roomy(stack: Stack, pool: str, times: int) -> Stack:
    """The stack with hosts of a pool that are so many times what was asked, in all."""

    def larger(size: Size) -> Size:
        return Size(cpus=size.cpus * times, memory=size.memory * times, disk=size.disk)

    machines = (
        m.model_copy(update={"place": m.place.model_copy(update={"size": larger(m.place.size)})})
        if m.wanted.pool == pool
        else m
        for m in stack.machines
    )
    return replace(stack, machines=tuple(machines))


def controlled(stack: Stack, *controllers: str) -> Stack:
    return site(stack, networks=("10.20.40.0/23",), controllers=controllers)


def reached(named: str, what: str, where: str, p: str, field: str) -> str:
    return (
        f"target {field}: {named} ({what}) in {where}: neither router nor firewall lies between\n"
        "who holds one node reaches what powers, images and reads every machine; an exploited vulnerability of a "
        f"{what} turns up within 30 days with p = {p}: exposure, not breach"
    )


def in_clear(**changes: Any) -> dict[str, Any]:
    return {"access.encryptSecrets": False, **changes}


CASES = (
    Case("iso-hard-tenants-share-kernel", virtual(rich(OPEN)), (KERNEL,)),
    Case("iso-hard-tenants-share-kernel", metal(rich(OPEN)), (KERNEL,)),
    Case("iso-hard-tenants-share-kernel", virtual(rich())),
    Case("iso-hard-tenants-share-kernel", metal(rich())),
    Case("iso-hard-tenants-share-kernel", metal(rich(OPEN | TRUSTED))),
    Case("iso-external-tenant-boundary", virtual(rich()), (HYPERVISOR,)),
    Case("iso-external-tenant-boundary", virtual(rich(TRUSTED))),
    Case("iso-external-tenant-boundary", virtual(rich({"tenants.1.sandbox": True}))),
    Case("iso-external-tenant-boundary", virtual(rich(OPEN))),  # the kernel is the nearer wall
    Case(
        "iso-external-tenant-boundary",
        virtual(rich(), hosts=(), on=dict.fromkeys(f"shop-web-{i}" for i in range(6))),
        undecided="with whom the 2 VMs of partner share hosts: these are chosen later",
    ),
    Case(
        "iso-vm-boundary-unused",
        virtual(rich(OPEN | TRUSTED)),
        (
            "spec pools.web.tenant: none: VMs keep node from node here, not shop and partner from each other, on 6 "
            f"nodes of pool web\n{MET}, and the same if each VM were a whole host",
        ),
    ),
    Case("iso-vm-boundary-unused", virtual(rich(TRUSTED))),
    Case("iso-vm-boundary-unused", virtual(rich(OPEN))),  # a worse finding
    Case(
        "iso-vm-boundary-unused",
        virtual(rich(OPEN | TRUSTED | {"tenants": SHOP["tenants"][:1], "pools.2.tenant": None})),
    ),
    Case(
        "iso-host-per-tenant-waste",
        roomy(metal(rich()), "partner", 4),
        (
            "spec pools.partner.tenant: hosts of one tenant are larger than asked, and no other may use "
            "the rest: partner 75 % of 2 hosts unused\ntogether 1.5 of 2 hosts, 48 CPU more than asked",
        ),
    ),
    Case(
        "iso-host-per-tenant-waste",
        roomy(roomy(metal(rich()), "partner", 4), "web", 3),
        (
            "spec pools.web.tenant: hosts of one tenant are larger than asked, and no other may use the "
            "rest: web 67 % of 6 hosts and partner 75 % of 2 hosts unused\n"
            "together 5.5 of 8 hosts, 144 CPU more than asked",
        ),
    ),
    Case("iso-host-per-tenant-waste", roomy(metal(rich()), "partner", 2)),
    Case("iso-host-per-tenant-waste", roomy(metal(rich({"pools.2.tenant": None})), "partner", 4)),
    Case("iso-host-per-tenant-waste", metal(rich(), times=4)),  # of memory nothing is left
    Case(
        "iso-management-reachable",
        controlled(virtual(rich()), "10.20.41.200"),
        (reached("10.20.41.200", "vCenter", "the nodes' network 10.20.40.0/23", "19 %", "vcenter"),),
    ),
    Case("iso-management-reachable", controlled(virtual(rich()), "10.20.42.1")),
    Case(
        "iso-management-reachable",
        controlled(metal(rich()), *(f"10.20.40.{i}" for i in range(1, 6)), "10.96.0.9", "10.20.250.1"),
        (
            reached(
                "10.20.40.1, 10.20.40.2, 10.20.40.3 and 3 more",
                "BMC",
                "the nodes' network 10.20.40.0/23 and the services' network 10.96.0.0/16",
                "2.1 %",
                "inventory",
            ),
        ),
    ),
    Case("iso-management-reachable", controlled(metal(rich()), "10.20.250.1")),
    Case(
        "iso-secrets-in-clear",
        virtual(rich(in_clear())),
        (
            "spec access.encryptSecrets: false: every Secret lies as it is in etcd, on the disks of 3 nodes, in each "
            "copy of their VMs and in 28 snapshots at s3://example-backup/shop/etcd\n"
            "who reads one of these has every password and token of the cluster; the API server is not asked",
        ),
    ),
    Case("iso-secrets-in-clear", virtual(rich())),
    Case(
        "iso-secrets-in-clear",
        metal(rich(in_clear(backup={}))),
        (
            "spec access.encryptSecrets: false: every Secret lies as it is in etcd, on the disks of 3 nodes\n"
            "who reads one of these has every password and token of the cluster; the API server is not asked",
        ),
    ),
    Case("iso-secrets-in-clear", metal(rich({"backup": {}}))),
    *(
        case
        for place in (virtual, metal)
        for case in (
            Case(
                "iso-patch-lag",
                place(rich(BY_HAND)),
                (
                    "spec availability.reboots: none: a fixed kernel waits until a person restarts the nodes that run "
                    "code of partner\n"
                    "an exploited kernel escalation turns up within 30 days with p = 16 %, within 7 with 3.9 %: "
                    "exposure, not breach",
                ),
            ),
            Case("iso-patch-lag", place(rich())),
            Case("iso-patch-lag", place(rich(BY_HAND | TRUSTED))),
            Case(
                "iso-patch-lag",
                place(rich()),
                (
                    "spec availability.reboots.days: a fixed kernel waits up to 6 days for its restart, under code of "
                    "partner\n"
                    "an exploited kernel escalation turns up within 6 days with p = 3.4 %, within 4 with 2.3 %: "
                    "exposure, not breach",
                ),
                params={"maxWaitDays": 4},
            ),
        )
    ),
)
