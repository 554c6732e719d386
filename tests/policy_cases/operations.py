"""Cases of the pack operations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.facts import PkiFacts
from components.rules import UNKNOWN, Raw, Stack
from policies.operations.restarts import AUTOSCALER, BUDGET, OWNERS
from policies.operations.rules import RELEASE, RUNS
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, virtual
from tests.specs import rich, spec

UNMEASURED = spec({"monitoring": {"nodeMetrics": False}})
UNSEEN = (
    "spec monitoring.nodeMetrics: false, and nothing else here measures the 2 nodes: a full disk, a throttled CPU or "
    "memory that runs out is noticed by what it breaks"
)
PROMETHEUS = raw(RELEASE, "metrics", {"chart": "prometheus"})
REDFISH = raw(
    RUNS[0], "bmcs", {"spec": {"template": {"spec": {"containers": [{"image": "example.com/redfish-exporter:1.0"}]}}}}
)
VCENTER = raw(RELEASE, "vcenter", {"chart": "vmware-exporter"})
STOPS = (
    ": no pod of it may be evicted, so no drain of a node that runs one ends\n"
    "restarts wait for ever, and `pulumi up` stops where such a machine is to go"
)
REFUSED = ": nobody can tell how many it means, and the API server refuses it"
NEITHER = f"which is neither a number nor a percentage{REFUSED}"
UNWRITTEN = (
    "spec access.audit: none: who read a Secret, deleted an object or let somebody in, nobody can find out afterwards"
)
SHARED = (
    "spec access.oidc: none: people share the admin's certificate, and no log tells them apart\n"
    "it cannot be revoked: who leaves with a copy has the whole cluster for up to 365 days, or until its CA is replaced"
)
RISK = "an exploited kernel escalation turns up within 90 days with p = 40 %: exposure, not breach"
OIDC = {"access.oidc": {"issuer": "https://login.example.com", "clientId": "k8s"}}
REBOOTS = {"availability": {"reboots": {"days": ["sun"], "start": "02:00", "end": "03:00"}}}
SHORT = {"availability.reboots.days": ["sun"], "availability.reboots.end": "03:00"}


def budget(name: str = "shop", **body: Any) -> Raw:
    return raw(BUDGET, name, {"spec": {"selector": {"matchLabels": {"app": "shop"}}} | body})


def owner(replicas: Any, kind: str = OWNERS[0], namespace: str = "default", app: str = "shop") -> Raw:
    body = {"replicas": replicas, "template": {"metadata": {"labels": {"app": app, "tier": "web"}}}}
    return raw(kind, "checkout", {"metadata": {"name": "checkout", "namespace": namespace}, "spec": body})


def scaler(least: int) -> Raw:
    return raw(AUTOSCALER, "checkout", {"spec": {"scaleTargetRef": {"name": "checkout"}, "minReplicas": least}})


def keyed(stack: Stack) -> Stack:
    admin = "client certificate of kubeadm:cluster-admins, 8760 h"
    return replace(stack, pki=PkiFacts(wanted={"admin": admin}))


def blocked(*resources: Raw) -> Stack:
    return adding(metal(spec()), *resources)


CASES = (
    Case("ops-monitoring-missing", virtual(UNMEASURED), (UNSEEN,)),
    Case("ops-monitoring-missing", metal(UNMEASURED), (UNSEEN,)),
    Case("ops-monitoring-missing", virtual(spec())),
    Case("ops-monitoring-missing", metal(spec())),
    Case("ops-monitoring-missing", adding(metal(UNMEASURED), PROMETHEUS)),
    Case(
        "ops-monitoring-missing",
        adding(metal(UNMEASURED), raw(RELEASE, "other", {"chart": UNKNOWN})),
        undecided="chart of other is known only after `pulumi up`",
    ),
    Case(
        "ops-hardware-unseen",
        virtual(spec()),
        (
            "spec monitoring.nodeMetrics: the node exporter alone looks for broken hardware: within a year one of 6 "
            "needs a repair with p = 38 %\n"
            "it runs inside VMs and sees nothing of their hosts, neither disks nor memory errors nor power supplies",
        ),
    ),
    Case(
        "ops-hardware-unseen",
        metal(spec()),
        (
            "spec monitoring.nodeMetrics: the node exporter alone looks for broken hardware: within a year one of 2 "
            "needs a repair with p = 15 %\n"
            "it counts memory errors and temperatures of its host, and sees no power supply, RAID controller or wear "
            "of disks",
        ),
    ),
    Case("ops-hardware-unseen", adding(metal(spec()), REDFISH)),
    Case("ops-hardware-unseen", adding(virtual(spec()), VCENTER)),
    # That nothing is measured at all is another rule's.
    Case("ops-hardware-unseen", metal(UNMEASURED)),
    Case(
        "ops-hardware-unseen",
        adding(metal(spec()), raw(RUNS[0], "other", {"spec": UNKNOWN})),
        undecided="spec of other is known only after `pulumi up`",
    ),
    Case(
        "ops-drain-blocked",
        adding(virtual(spec()), budget(maxUnavailable=0)),
        ("resource shop: maxUnavailable is 0" + STOPS,),
    ),
    Case("ops-drain-blocked", adding(virtual(spec()), budget(maxUnavailable=1))),
    Case("ops-drain-blocked", blocked(budget(minAvailable="100%")), ("resource shop: minAvailable is 100%" + STOPS,)),
    Case(
        "ops-drain-blocked",
        blocked(budget(minAvailable=1), owner(1)),
        ("resource shop: minAvailable is 1 of 1 replica (checkout)" + STOPS,),
    ),
    Case(
        "ops-drain-blocked",
        blocked(budget(minAvailable="51%"), owner(2, OWNERS[1])),
        ("resource shop: minAvailable is 51% of 2 replicas (checkout)" + STOPS,),
    ),
    Case("ops-drain-blocked", blocked(budget(minAvailable="50%"), owner(2))),
    Case("ops-drain-blocked", blocked(budget(minAvailable=1), owner(2))),
    Case("ops-drain-blocked", blocked(budget(minAvailable=1), owner(1, namespace="other"))),
    Case("ops-drain-blocked", blocked(budget(minAvailable=1), owner(1, app="other"))),
    Case("ops-drain-blocked", blocked(budget(minAvailable=2), owner(None), scaler(3))),
    Case(
        "ops-drain-blocked",
        blocked(budget(minAvailable=2), owner(None), scaler(2)),
        ("resource shop: minAvailable is 2 of 2 replicas (checkout)" + STOPS,),
    ),
    # All of them in one.
    Case(
        "ops-drain-blocked",
        adding(virtual(spec()), budget("a", maxUnavailable=0), budget("b", minAvailable="100%"), budget("c")),
        (f"resource a: a (maxUnavailable is 0) and b (minAvailable is 100%){STOPS.replace('of it', 'of theirs')}",),
    ),
    # What is no number is told, and hides no other.
    Case(
        "ops-drain-blocked",
        adding(virtual(spec()), budget("a", minAvailable="abc"), budget("b", maxUnavailable="0%"), owner(2)),
        (f"resource b: maxUnavailable is 0%{STOPS}", f"resource a: minAvailable is 'abc', {NEITHER}"),
    ),
    Case(
        "ops-drain-blocked",
        adding(virtual(spec()), budget(maxUnavailable="some")),
        (f"resource shop: maxUnavailable is 'some', {NEITHER}",),
    ),
    Case(
        "ops-drain-blocked",
        blocked(budget(minAvailable=1), owner("two")),
        (f"resource checkout: replicas is 'two', which is no whole number{REFUSED}",),
    ),
    # Whose pods it keeps is not seen.
    Case("ops-drain-blocked", blocked(budget(minAvailable=1))),
    Case(
        "ops-drain-blocked",
        blocked(budget(minAvailable=1), owner(UNKNOWN)),
        undecided="spec.replicas of checkout is known only after `pulumi up`",
    ),
    Case(
        "ops-audit-missing",
        virtual(rich({"access.audit": "none"})),
        (UNWRITTEN + "\nthat holds for partner too, whose code is expected to be hostile",),
    ),
    Case("ops-audit-missing", metal(spec({"access.audit": "none"})), (UNWRITTEN,)),
    Case("ops-audit-missing", virtual(rich())),
    Case("ops-audit-missing", metal(spec({"access.audit": "request"}))),
    Case(
        "ops-reboots-missing",
        virtual(spec()),
        (
            "spec availability.reboots: none: updated kernels do not run until a person has drained and restarted 2 "
            "nodes, 0.1 h for a round, one by one\n" + RISK,
        ),
    ),
    Case(
        "ops-reboots-missing",
        metal(spec()),
        (
            "spec availability.reboots: none: updated kernels do not run until a person has drained and restarted 2 "
            "nodes, 0.36 h for a round, one by one\n" + RISK,
        ),
    ),
    Case("ops-reboots-missing", virtual(spec(REBOOTS))),
    Case("ops-reboots-missing", metal(spec(REBOOTS))),
    # Of hostile code the pack isolation speaks.
    Case("ops-reboots-missing", metal(rich({"availability.reboots": None}))),
    Case(
        "ops-reboot-window-too-short",
        virtual(rich(SHORT | {"pools.0.nodes": 20})),
        (
            "spec availability.reboots: 28 nodes restart one by one, 3 min each, in 1 h a week: a round takes 2 weeks\n"
            "a fixed kernel runs on the last node 14 days later at worst, when an exploited escalation has turned up "
            "with p = 7.7 %: exposure, not breach",
        ),
    ),
    Case("ops-reboot-window-too-short", virtual(rich(SHORT))),
    Case(
        "ops-reboot-window-too-short",
        metal(rich(SHORT)),
        (
            "spec availability.reboots: 14 nodes restart one by one, 11 min each, in 1 h a week: a round takes 3 "
            "weeks\n"
            "a fixed kernel runs on the last node 21 days later at worst, when an exploited escalation has turned up "
            "with p = 11 %: exposure, not breach",
        ),
    ),
    Case("ops-reboot-window-too-short", metal(rich())),
    Case("ops-reboot-window-too-short", metal(rich(SHORT)), params={"maxWeeks": 3}),
    Case("ops-reboot-window-too-short", metal(spec())),
    Case("ops-no-oidc", keyed(virtual(spec())), (SHARED,)),
    Case("ops-no-oidc", keyed(metal(spec())), (SHARED,)),
    Case("ops-no-oidc", keyed(virtual(spec(OIDC)))),
    Case("ops-no-oidc", keyed(metal(spec(OIDC)))),
    Case("ops-no-oidc", metal(spec()), (SHARED.replace(" for up to 365 days", ""),)),
)
