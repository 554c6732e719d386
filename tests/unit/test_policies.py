"""The rules of the policy packs: what each says, on VMs and on metal, and the nearest case where it says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from pulumi_policy import PolicyResource, PolicyResourceOptions, StackValidationArgs
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from components.facts import (
    CLUSTER,
    MACHINE,
    SITE,
    Balancing,
    ClusterFacts,
    Host,
    MachineFacts,
    Place,
    SiteFacts,
    UserData,
)
from components.planning import wanted_machines
from components.quantity import parse_bytes
from components.rules import Evidence, Param, Params, Rule, Stack, Violation, evidence, figure, percent, split
from components.spec import Size, Spec
from isostack.assess.balance import Load, gamma_p, spread, unmet
from policies import pack
from policies.drs.rules import RULES as DRS
from policies.isolation.rules import RULES as ISOLATION
from policies.isolation.rules import exposure, others_met
from policies.snapshots.rules import RULES as SNAPSHOTS
from tests.specs import SHOP, rich, spec

ALL = (*ISOLATION, *SNAPSHOTS, *DRS)
DRS_ON = Balancing(workers="fullyAutomated", control_plane="manual")
URN = "urn:pulumi:s::p::"


def virtual(
    spec: Spec,
    *,
    hosts: Sequence[int] = (128,) * 6,
    on: Mapping[str, str | None] | None = None,
    balancing: Balancing | None = DRS_ON,
    ha: bool = True,
) -> Stack:
    """A stack of VMs on hosts of so many threads, in turn unless `on` says where by name."""
    named = [f"esx{i}" for i in range(len(hosts))]
    site = SiteFacts(
        name="main",
        kind="vsphere",
        machine="vm",
        hosts=tuple(
            Host(name=name, zone="a", cpus=cpus, memory=parse_bytes("1Ti"))
            for name, cpus in zip(named, hosts, strict=True)
        ),
        reserve_hosts=1 if ha else 0,
        spare_hosts=0,
        balancing=balancing,
        restarts_machines=ha,
        power_control=True,
        machine_snapshots=True,
    )
    return _stack(spec, site, {**_in_turn(spec, named), **(on or {})}, 1)


def metal(spec: Spec, *, known: bool = True, times: int = 1) -> Stack:
    """A stack of whole hosts with `times` the CPUs asked for; named as in an inventory, or left to a provider."""
    site = SiteFacts(
        name="main",
        kind="tinkerbell" if known else "equinix",
        machine="host",
        hosts=(),
        reserve_hosts=0,
        spare_hosts=1,
        balancing=None,
        restarts_machines=False,
        power_control=True,
        machine_snapshots=False,
    )
    hosts = {m.name: f"host-{m.name}" if known else None for m in wanted_machines(spec)}
    return _stack(spec, site, hosts, times)


def _in_turn(spec: Spec, hosts: Sequence[str]) -> dict[str, str | None]:
    return {m.name: hosts[i % len(hosts)] if hosts else None for i, m in enumerate(wanted_machines(spec))}


def _stack(spec: Spec, site: SiteFacts, hosts: Mapping[str, str | None], times: int) -> Stack:
    machines = []
    for wanted in wanted_machines(spec):
        size = Size(cpus=wanted.size.cpus * times, memory=wanted.size.memory, disk=wanted.size.disk)
        place = Place(host=hosts[wanted.name], host_class="any", size=size, address=None)
        machines.append(MachineFacts(wanted=wanted, place=place, user_data=UserData(digest="", files={}, bytes=0)))
    cluster = ClusterFacts(wanted=spec, target=site.kind, realisations=(), endpoint=None)
    return Stack(f"{URN}{CLUSTER}::{spec.name}", cluster, (site,), tuple(machines))


def found(rules: Sequence[Rule], stack: Stack, **params: float) -> list[str]:
    """What the rules say, as it is printed."""
    said = [
        str(violation)
        for rule in rules
        for violation in rule.check(stack, {param.name: param.default for param in rule.params} | params)
    ]
    assert all(len(message.splitlines()) <= 3 for message in said)
    return said


# ---- isolation


def test_own_pools_on_vms_share_hypervisors_and_on_metal_nothing() -> None:
    assert found(ISOLATION, virtual(rich())) == [
        "spec tenants.partner.trust: no kernel shared, but hypervisors: its 2 VMs start beside 2 of control-plane and "
        "2 of shop, on esx0 and esx1\n"
        "exploited escapes from a kernel and a VM both turn up within 30 days with p = 0.34 %, 47 times rarer than "
        "from a shared kernel (16 %): exposure, not breach"
    ]
    (fewer,) = found(ISOLATION, virtual(rich(), on={"shop-web-3": "esx2", "shop-control-plane-0": "esx3"}))
    assert "its 2 VMs start beside 1 of control-plane and 1 of shop, on esx1\n" in fewer
    assert found(ISOLATION, metal(rich())) == found(ISOLATION, metal(rich(), known=False)) == []


def test_hosts_of_its_own_are_worth_something_only_where_nothing_moves_vms() -> None:
    alone: dict[str, str | None] = {m.name: "esx0" for m in wanted_machines(rich())}
    alone |= {"shop-partner-0": "esx4", "shop-partner-1": "esx5"}
    manual = Balancing(workers="manual", control_plane="manual")
    moved = "its 2 VMs start on hosts of their own, but DRS or HA may move others beside them\n"
    assert found(ISOLATION, virtual(rich(), on=alone, balancing=manual, ha=False)) == []
    (by_drs,) = found(ISOLATION, virtual(rich(), on=alone, ha=False))
    (by_ha,) = found(ISOLATION, virtual(rich(), on=alone, balancing=None))
    assert moved in by_drs
    assert moved in by_ha


def test_unknown_hosts_are_not_decidable() -> None:
    (message,) = found(ISOLATION, virtual(rich(), on={"shop-partner-0": None}))
    assert "with whom its 2 VMs share them is not decidable at preview, hosts are chosen later\n" in message


def test_many_shared_hosts_are_counted() -> None:
    (message,) = found(ISOLATION, virtual(rich({"pools.2.nodes": 6})))
    assert "on esx0, esx1, esx2 and 3 more\n" in message


@pytest.mark.parametrize("place", [virtual, metal])
def test_a_pool_open_to_all_shares_kernels_on_every_target(place: Any) -> None:
    assert found(ISOLATION, place(rich({"pools.0.tenant": None}))) == [
        "spec tenants.partner.trust: a kernel shared with shop: no tenant has pool web to itself (6 nodes)\n"
        "a pod that breaks out to its node meets 0.94 of the 1 others on average (30 pods split evenly [assumption])\n"
        "an exploited kernel escalation turns up within 30 days with p = 16 %: exposure, not breach"
    ]
    assert found(ISOLATION, place(rich({"pools.0.tenant": None, "tenants.1.trust": "internal"}))) == []
    (faster,) = found(ISOLATION, place(rich({"pools.0.tenant": None})), exposureDays=7)
    assert "within 7 days with p = 3.9 %" in faster


def test_how_many_tenants_meet_is_not_decidable_without_workloads() -> None:
    (message,) = found(ISOLATION, metal(rich({"pools.0.tenant": None, "workloads": []})))
    assert "\nhow many tenants meet on a node is not decidable: no workload names these pools\n" in message


def test_one_tenant_has_nobody_to_share_with() -> None:
    alone = {"tenants": [{"name": "partner", "trust": "external"}], "pools": [SHOP["pools"][2]], "workloads": []}
    assert found(ISOLATION, virtual(rich(alone))) == []


@pytest.mark.parametrize(
    ("events", "days", "expected"),
    [(8, 7, 0.03946), (8, 30, 0.1585), (8, 90, 0.4041), (1, 7, 0.00502), (1, 30, 0.02134), (1, 90, 0.06265)],
)
def test_exposure(events: int, days: float, expected: float) -> None:
    assert exposure(events, days) == pytest.approx(expected, rel=1e-3)


def test_tenants_met_by_hand() -> None:
    assert others_met(2, 2, 1) == 1  # on the one node there is
    assert others_met(2, 2, 2) == 0.5  # the other tenant's one pod is on one of two nodes
    # All ten tenants of 40 pods on 8 nodes: 9.952 of them on any one node.
    assert others_met(10, 400, 8) / 9 * 10 == pytest.approx(9.952, rel=1e-3)


# ---- snapshots

VM_SNAPSHOT = (
    "\na snapshot of their VMs is none: to revert one breaks raft, and volumes attached meanwhile do not detach"
)


def test_no_backup_of_etcd() -> None:
    none = rich({"backup": {}})
    lost = "spec backup.etcd: none: the loss of 2 of 3 control-plane nodes takes every API object with it"
    assert found(SNAPSHOTS, virtual(none)) == [lost + VM_SNAPSHOT]
    assert found(SNAPSHOTS, metal(none)) == [lost]
    assert found(SNAPSHOTS, virtual(spec())) == [
        "spec backup.etcd: none: the loss of the control-plane node takes every API object with it\n"
        "a snapshot of its VM is none: to revert one takes the API back, but no node and no volume, and volumes "
        "attached meanwhile do not detach"
    ]


def test_a_backup_too_rare() -> None:
    rare = rich({"backup.etcd.every": "13h"})
    message = (
        "spec backup.etcd.every: every 13 h, more than 12 h\n"
        "the loss of 2 of 3 control-plane nodes takes up to 13.02 h of changes with it, 6.52 h on average "
        "(60 s to copy one away [assumption])"
    )
    assert found(SNAPSHOTS, metal(rare)) == [message]
    assert found(SNAPSHOTS, virtual(rare)) == [message + VM_SNAPSHOT]
    assert found(SNAPSHOTS, metal(rare), maxIntervalHours=13) == []
    for enough in ("6h", "12h"):
        assert found(SNAPSHOTS, virtual(rich({"backup.etcd.every": enough}))) == []


# ---- drs

NODES = (
    "pool db leaves 1.4 % of demand unmet (most by search: 1 on 3 nodes)\n"
    "too few pods to even out by moving them: replicas in a multiple of the nodes would"
)
ASSUMED = "at 70 % load, variation 1 [assumptions]"


def test_drs_does_nothing_where_hosts_have_a_thread_for_each_vcpu() -> None:
    assert found(DRS, virtual(rich())) == [
        "spec workloads: DRS (fullyAutomated) changes nothing measurable: this cluster cannot make a host short of "
        "CPU, at most 24 vCPU on 128 threads, 124 on 640 with 1 lost\n"
        f"nodes run short {ASSUMED}, where DRS does not reach: {NODES}"
    ]


def test_the_same_nodes_run_short_on_metal_unless_they_are_larger() -> None:
    short = f"spec workloads: nodes run short {ASSUMED}, and nothing moves load between hosts: {NODES}"
    assert found(DRS, metal(rich())) == found(DRS, metal(rich(), known=False)) == [short]
    assert found(DRS, metal(rich(), times=2)) == []


def test_replicas_in_a_multiple_of_the_nodes_leave_nothing_to_balance() -> None:
    even = rich({"workloads.3.replicas": 3})
    assert found(DRS, metal(even)) == []
    (message,) = found(DRS, virtual(even, balancing=None))
    assert message.startswith("spec workloads: DRS (disabled) changes nothing measurable: ")
    assert message.endswith(f"\nnodes do not run short of CPU {ASSUMED}")


def test_drs_matters_where_vcpus_outnumber_threads() -> None:
    singles = [
        {"name": f"w{i}", "pool": "web", "replicas": 1, "requests": {"cpu": "500m", "memory": "1Gi"}} for i in range(48)
    ]
    crowded = virtual(rich({"workloads": singles}), hosts=(28,) * 4)
    used, n = 0.7 * 124 / 112, 12
    without = unmet(used, used * ((1 - 1 / 4) / n) ** 0.5)
    (message,) = found(DRS, crowded)
    assert message.splitlines()[0] == (
        f"spec workloads: DRS (fullyAutomated) matters: without it hosts leave {percent(without)} of demand unmet, "
        f"with it at most {percent(0.4 * without)}, 124 vCPU on 112 threads"
    )
    assert 0.01 < without < 0.1
    (calm,) = found(DRS, crowded, utilisation=0.2)
    assert "DRS (fullyAutomated) changes nothing measurable: without it hosts leave 0 % of" in calm


def test_a_host_lost_can_make_the_others_short() -> None:
    """124 vCPU, at most 36 of them on one host: four hosts of 42 threads carry them with one lost, of 41 not."""
    calm = "this cluster cannot make a host short of CPU, at most 36 vCPU on"
    assert f"{calm} 42 threads, 124 on 126 with 1 lost\n" in found(DRS, virtual(rich(), hosts=(42,) * 4))[0]
    assert calm not in found(DRS, virtual(rich(), hosts=(41,) * 4))[0]
    assert f"{calm} 41 threads\n" in found(DRS, virtual(rich(), hosts=(41,) * 4, ha=False))[0]
    assert calm not in found(DRS, virtual(rich(), hosts=(99, 35, 99, 99), ha=False))[0]


def test_many_pods_a_node_can_be_evened_out() -> None:
    singles = [
        {"name": f"w{i}", "pool": "web", "replicas": 1, "requests": {"cpu": "500m", "memory": "1Gi"}} for i in range(60)
    ]
    (message,) = found(DRS, metal(rich({"workloads": singles})))
    assert message == (
        f"spec workloads: nodes run short {ASSUMED}, and nothing moves load between hosts: pool web leaves "
        f"{percent(unmet(0.7, 0.7 * ((1 - 1 / 6) / 10) ** 0.5))} of demand unmet (most by w0: 1 on 6 nodes)\n"
        "a descheduler by usage with a load-aware scheduler leaves at most 40 % of it, by restarting pods"
    )


def test_balance_is_not_decidable_without_workloads_or_hosts() -> None:
    nobody = rich({"workloads": []})
    undecided = "whether nodes run short is not decidable: none are named"
    assert found(DRS, metal(nobody)) == [f"spec workloads: {undecided}"]
    (message,) = found(DRS, virtual(nobody))
    assert message.endswith(f"with 1 lost\n{undecided}")
    (message,) = found(DRS, virtual(rich(), hosts=()))
    assert "DRS (fullyAutomated) changes is not decidable at preview: the hosts of site main are not known\n" in message


@pytest.mark.parametrize(
    ("rho", "n", "sigma", "percent_unmet"),
    [
        (0.7, 10, 0.2857, 4.249),
        (0.7, 20, 0.2021, 1.409),
        (0.7, 50, 0.1278, 0.1398),
        (0.7, 110, 0.08616, 0.003930),
        (0.5, 10, 0.2041, 0.5137),
        (0.5, 20, 0.1443, 0.03538),
        (0.8, 110, 0.09847, 0.1523),
    ],
)
def test_balance_model_against_its_worked_examples(rho: float, n: int, sigma: float, percent_unmet: float) -> None:
    """8 hosts with n equal single workloads each, variation 1.38."""
    deviation = spread([Load(str(i), 1, 1.0) for i in range(8 * n)], 8, rho, 1.38)
    assert deviation == pytest.approx(sigma, rel=1e-3)
    assert 100 * unmet(rho, deviation) == pytest.approx(percent_unmet, rel=1e-3)


@pytest.mark.parametrize(
    ("replicas", "sigma"), [(1, 0.1304), (2, 0.1207), (3, 0.1102), (4, 0.09859), (6, 0.06972), (8, 0.0)]
)
def test_spread_of_replicas(replicas: int, sigma: float) -> None:
    """8 hosts with 48 replicas each, 70 % load, variation 1.38; all requests can be laid out evenly."""
    loads = [Load(str(i), replicas, 1.0) for i in range(8 * 48 // replicas)]
    assert spread(loads, 8, 0.7, 1.38) == pytest.approx(sigma, abs=1e-4)


def test_requests_that_cannot_be_laid_out_evenly_spread_too() -> None:
    assert spread([Load("a", 1, 1.0), Load("b", 1, 3.0)], 2, 0.5, 0) == pytest.approx(0.25)  # 0.25 and 0.75
    assert spread([Load("a", 3, 1.0), Load("b", 1, 3.0)], 2, 0.5, 0) == pytest.approx(1 / 6)  # 2 and 4
    assert spread([], 2, 0.5, 1) == 0


def test_unmet_at_the_edges() -> None:
    assert unmet(0.7, 0) == 0
    assert unmet(1.25, 0) == pytest.approx(0.2)
    assert unmet(1.25, 1e-4) == pytest.approx(0.2)
    assert unmet(0.7, 1e-4) == 0


@pytest.mark.parametrize("x", [0.0, 0.1, 1.0, 3.0, 10.0, 40.0])
def test_gamma_against_closed_forms(x: float) -> None:
    from math import erf, exp, sqrt

    assert gamma_p(1, x) == pytest.approx(1 - exp(-x), abs=1e-12)
    assert gamma_p(3, x) == pytest.approx(1 - exp(-x) * (1 + x + x * x / 2), abs=1e-12)
    assert gamma_p(0.5, x) == pytest.approx(erf(sqrt(x)), abs=1e-12)


# ---- what every rule has, and what a pack makes of it


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_rule_is_complete(rule: Rule) -> None:
    assert rule.claims
    assert rule.remediation
    assert evidence(rule.tags) == tuple(f"[{item.grade}] {item.source}" for item in rule.evidence) != ()
    assert all(param.minimum <= param.default <= param.maximum for param in rule.params)


def test_a_violation_can_be_taken_apart_again() -> None:
    assert split(str(Violation("pools.web.tenant", "a: b\nc"))) == ("pools.web.tenant", "a: b\nc")
    assert split("the spec pools: x") == ("", "the spec pools: x")


@pytest.mark.parametrize(("value", "text"), [(0.0339, "0.034"), (128.4, "130"), (1.0, "1"), (0.93509, "0.94")])
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


def test_percents() -> None:
    assert [percent(share) for share in (0, 0.00001, 0.0034, 0.996)] == ["0 %", "under 0.01 %", "0.34 %", "100 %"]


def reports(
    rule: Rule, stack: Stack, change: Mapping[str, Any] | None = None, **config: float
) -> list[tuple[str, str]]:
    """What the SDK hears of a rule when the stack's cluster has these facts instead."""
    cluster = {**stack.cluster.props()["facts"], **(change or {})}
    heard: list[tuple[str, str]] = []
    args = StackValidationArgs(list(resources(stack, cluster)), config)
    pack.policy(rule).validate(args, lambda message, urn: heard.append((message, urn or "")))
    return heard


def resources(stack: Stack, cluster: Mapping[str, Any]) -> Iterator[PolicyResource]:
    """As the SDK hands them to a rule: all numbers are floats, and unknown values raise."""

    def floats(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: floats(item) for key, item in value.items()}
        if isinstance(value, list):
            return [floats(item) for item in value]
        return float(value) if type(value) is int else value

    def resource(type_: str, name: str, facts: Any, parent: PolicyResource | None) -> PolicyResource:
        options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [], None)
        props = unknown_checking_proxy(floats({"facts": facts}))
        return PolicyResource(type_, props, f"{URN}{type_}::{name}", name, options, None, parent, [], {})

    top = resource(CLUSTER, stack.cluster.wanted.name, cluster, None)
    yield top
    for site in stack.sites:
        yield resource(SITE, site.name, site.props()["facts"], top)
    for machine in stack.machines:
        yield resource(MACHINE, machine.wanted.name, machine.props()["facts"], top)


def broken(stack: Stack, params: Params) -> Iterator[Violation]:
    yield Violation("workloads", f"before, with {params['limit']:g}")
    raise LookupError("no such thing\nand more")


BROKEN = Rule(
    "broken", "t", "low", "mandatory", (1,), "r", (Evidence("assumption", "s"),), broken,
    (Param("limit", 2, 0, 9, "d", Evidence("assumption", "s")),),
)  # fmt: skip


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
@pytest.mark.parametrize("stack", [virtual(rich({"backup": {}})), metal(rich())], ids=["vm", "metal"])
def test_a_rule_says_the_same_through_the_sdk(rule: Rule, stack: Stack) -> None:
    assert reports(rule, stack) == [(message, stack.urn) for message in found([rule], stack)]


def test_a_rule_that_raises_is_reported_with_its_place() -> None:
    (before, failure) = reports(BROKEN, metal(rich()), limit=3)
    assert before == ("spec workloads: before, with 3", f"{URN}{CLUSTER}::shop")
    message, urn = failure
    assert urn == ""
    assert message.splitlines()[0] == "nothing was checked: the rule failed with LookupError: no such thing"
    assert message.splitlines()[1].startswith("at test_policies.py:")


def test_facts_of_another_version_are_reported() -> None:
    ((message, _),) = reports(SNAPSHOTS[0], metal(rich()), {"version": 2})
    assert message.startswith("nothing was checked: the rule failed with ValidationError: 1 validation error")


def test_unknown_facts_are_not_decidable() -> None:
    with pytest.raises(UnknownValueError) as raised:
        reports(SNAPSHOTS[0], metal(rich()), {"endpoint": UNKNOWN_STRING_VALUE})
    assert raised.value.message == (
        f"not decidable, string value at .facts.endpoint can't be known during preview ({URN}{CLUSTER}::shop)"
    )


def test_a_stack_without_a_cluster_is_not_applicable() -> None:
    with pytest.raises(Exception, match=r"^$") as raised:
        pack.policy(SNAPSHOTS[0]).validate(StackValidationArgs([], {}), lambda message, urn: pytest.fail(message))
    assert raised.value.reason == "this stack has no cluster of isostack"  # type: ignore[attr-defined]
