"""Cases of the pack recovery: fencing, health checks and HA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.facts import Realisation
from components.rules import UNKNOWN, Raw
from policies.outage import NHC
from policies.recovery.fencing import COMPUTE_CLUSTER, FAR
from policies.recovery.taints import KEY, NODES
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, realised, virtual
from tests.specs import rich

SHOP = virtual(rich())
"""14 VMs on 6 hosts in turn: control plane, web, db, partner; db has search on a volume."""
STATELESS = {"workloads.3.state": "none"}
FENCED = Realisation(field="availability.remediation", grade="equal", mechanism="fencing through BMCs")
BY_PERSON = Realisation(field="availability.remediation", grade="degraded", mechanism="a person does it", reason="r")


def lost_after(duration: Any) -> Raw:
    return raw(NHC, "workers", {"spec": {"unhealthyConditions": [{"type": "Ready", "duration": duration}]}})


def far(strategy: Any, name: str = "fencing") -> Raw:
    inner = {"remediationStrategy": strategy} if strategy else {}
    return raw(FAR, name, {"spec": {"template": {"spec": inner}}})


def tainted(key: Any, node: str = "shop-db-0", name: str = "mine") -> Raw:
    props = {"metadata": {"name": node}, "spec": {"taints": [{"key": key, "effect": "NoExecute"}]}}
    return raw(NODES[1], name, props)


def check(selector: Mapping[str, Any], name: str = "workers", **limit: Any) -> Raw:
    return raw(NHC, name, {"spec": {"selector": selector, **limit}})


PARTNER = {"matchLabels": {"isostack.io/pool": "partner"}}
WORKERS = {
    "matchExpressions": [
        {"key": "node-role.kubernetes.io/control-plane", "operator": "DoesNotExist"},
        {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [f"shop-web-{i}" for i in range(6)]},
        {"key": "isostack.io/pool", "operator": "In", "values": ["web", "partner"]},
        {"key": "topology.kubernetes.io/zone", "operator": "Exists"},
    ]
}
CASES = (
    Case(
        "rec-stateful-no-fencing",
        realised(metal(rich()), BY_PERSON),
        (
            "spec availability.remediation: asked, and not in full here: a person does it\n"
            "pods of search wait for a person after the loss of a host: 1968 s where that takes 1800 s "
            "[assumption]\n"
            "fenced, they are back after 722 s, 600 s of that until the node is given up",
        ),
    ),
    Case(
        "rec-stateful-no-fencing",
        metal(rich({"availability.remediation": False})),
        (
            "spec availability.remediation: nothing fences a lost host\n"
            "pods of search wait for a person after the loss of a host: 1968 s where that takes 1800 s "
            "[assumption]\n"
            "fenced, they are back after 722 s, 600 s of that until the node is given up",
        ),
    ),
    # A node is not given up before its pods are.
    Case(
        "rec-stateful-no-fencing",
        metal(rich({"availability.remediation": False, "availability.evictAfter": "900s"})),
        (
            "spec availability.remediation: nothing fences a lost host\n"
            "pods of search wait for a person after the loss of a host: 2808 s where that takes 1800 s [assumption]\n"
            "fenced, they are back after 1022 s, 900 s of that until the node is given up",
        ),
    ),
    Case("rec-stateful-no-fencing", realised(metal(rich()), FENCED)),
    Case("rec-stateful-no-fencing", metal(rich({"availability.remediation": False, **STATELESS}))),
    Case(
        "rec-far-default-strategy",
        adding(metal(rich()), far(None)),
        (
            "resource fencing: remediationStrategy is left out, so ResourceDeletion: volumes stay attached "
            "for 360 s more\n"
            "pods of search are back 1062 s after the loss of a node that is then fenced, instead of 722 s; it is "
            "given up after 600 s",
        ),
    ),
    Case(
        "rec-far-default-strategy",
        adding(metal(rich()), far("ResourceDeletion")),
        (
            "resource fencing: remediationStrategy is ResourceDeletion: volumes stay attached for 360 s "
            "more\n"
            "pods of search are back 1062 s after the loss of a node that is then fenced, instead of 722 s; it is "
            "given up after 600 s",
        ),
    ),
    # As soon as the program's own health check gives it up, and all templates in one.
    Case(
        "rec-far-default-strategy",
        adding(metal(rich()), far(None), far("ResourceDeletion", "other"), lost_after("90s")),
        (
            "resource fencing: remediationStrategy is left out, so ResourceDeletion and ResourceDeletion (fencing and "
            "other): volumes stay attached for 360 s more\n"
            "pods of search are back 552 s after the loss of a node that is then fenced, instead of 212 s; it is "
            "given up after 90 s",
        ),
    ),
    Case("rec-far-default-strategy", adding(metal(rich()), far("OutOfServiceTaint"))),
    Case("rec-far-default-strategy", adding(metal(rich(STATELESS)), far(None))),
    Case(
        "rec-far-default-strategy",
        adding(SHOP, far(None)),
        (
            "resource fencing: remediationStrategy is left out, so ResourceDeletion: volumes stay attached "
            "for 360 s more\n"
            "pods of search are back 1062 s after the loss of a node that is then fenced, instead of 722 s; it is "
            "given up after 600 s",
        ),
    ),
    Case("rec-far-default-strategy", adding(SHOP, far("OutOfServiceTaint"))),
    Case(
        "rec-far-default-strategy",
        adding(SHOP, far(UNKNOWN)),
        undecided="spec.template.spec.remediationStrategy of fencing is known only after `pulumi up`",
    ),
    Case(
        "rec-remediation-never-fires",
        adding(metal(rich()), check(PARTNER, minHealthy="51%")),
        (
            "resource workers: minHealthy 51% of 2 nodes is 2 that must be healthy: with one lost 1 are, "
            "and none is ever remediated",
        ),
    ),
    # All of them in one.
    Case(
        "rec-remediation-never-fires",
        adding(metal(rich()), check(PARTNER, minHealthy="51%"), check(PARTNER, "other", maxUnhealthy=0)),
        (
            "resource workers: workers (minHealthy 51% of 2 nodes is 2) and other (maxUnhealthy 0 of 2 nodes is 2): so "
            "many must be healthy, and with one lost fewer are: none is ever remediated",
        ),
    ),
    Case(
        "rec-remediation-never-fires",
        adding(metal(rich()), check(PARTNER, minHealthy="abc")),
        (
            "resource workers: minHealthy is 'abc', which is neither a number nor a percentage: nobody can tell how "
            "many it means, and the API server refuses it",
        ),
    ),
    Case("rec-remediation-never-fires", adding(metal(rich()), check(PARTNER, minHealthy="50%"))),
    Case("rec-remediation-never-fires", adding(metal(rich()), check(PARTNER, minHealthy=1))),
    Case("rec-remediation-never-fires", adding(metal(rich()), check({}, minHealthy="51%"))),
    Case("rec-remediation-never-fires", adding(metal(rich()), check({"matchLabels": {"no": "such"}}, minHealthy=9))),
    Case(
        "rec-remediation-never-fires",
        adding(metal(rich()), check(PARTNER, minHealthy=UNKNOWN)),
        undecided="spec.minHealthy of workers is known only after `pulumi up`",
    ),
    Case(
        "rec-remediation-never-fires",
        adding(SHOP, check(WORKERS, maxUnhealthy="0%")),
        (
            "resource workers: maxUnhealthy 0% of 2 nodes is 2 that must be healthy: with one lost 1 are, "
            "and none is ever remediated",
        ),
    ),
    Case("rec-remediation-never-fires", adding(SHOP, check(WORKERS, maxUnhealthy="40%"))),
    Case(
        "rec-ha-off",
        virtual(rich(), ha=False),
        (
            "target ha.enabled: false: VMs of a lost host stay off, and so do pods of search: 1968 s where "
            "a person acts within 1800 s [assumption], with HA 116 s",
        ),
    ),
    # Fencing needs the host that is dead.
    Case(
        "rec-ha-off",
        realised(virtual(rich(), ha=False), FENCED),
        (
            "target ha.enabled: false: VMs of a lost host stay off, and so do pods of search: 1968 s where "
            "a person acts within 1800 s [assumption], with HA 116 s\n"
            "availability.remediation is no way out: a VM of a dead host cannot be powered off through that host",
        ),
    ),
    Case("rec-ha-off", virtual(rich(STATELESS), ha=False)),
    Case("rec-ha-off", SHOP),
    Case(
        "rec-ha-off",
        adding(SHOP, raw(COMPUTE_CLUSTER, "mine", {"name": "k8s"})),
        (
            "resource mine: haEnabled is not true, and the provider's default is false: ha.enabled of the "
            "target config is no more than a claim",
        ),
    ),
    Case("rec-ha-off", adding(SHOP, raw(COMPUTE_CLUSTER, "mine", {"haEnabled": True}))),
    Case(
        "rec-ha-off",
        adding(SHOP, raw(COMPUTE_CLUSTER, "mine", {"haEnabled": UNKNOWN})),
        undecided="haEnabled of mine is known only after `pulumi up`",
    ),
    Case(
        "rec-taint-without-fence",
        metal(rich({"pools.1.taints.0.key": KEY})),
        (
            "spec pools.db.taints: node.kubernetes.io/out-of-service on every node from its birth: volumes "
            "are detached by force and its pods deleted, whether it runs or not: a disk with two writers is "
            "corrupt",
        ),
    ),
    Case("rec-taint-without-fence", metal(rich())),
    Case(
        "rec-taint-without-fence",
        adding(SHOP, tainted(KEY)),
        (
            "resource mine: node.kubernetes.io/out-of-service on shop-db-0, and nothing here powers it off "
            "before: volumes are detached by force and its pods deleted, whether it runs or not: a disk "
            "with two writers is corrupt",
        ),
    ),
    Case(
        "rec-taint-without-fence",
        adding(SHOP, tainted(KEY), tainted(KEY, "shop-db-1", "other")),
        (
            "resource mine: node.kubernetes.io/out-of-service on shop-db-0 and shop-db-1, and nothing here powers them "
            "off before: volumes are detached by force and its pods deleted, whether it runs or not: a disk with two "
            "writers is corrupt",
        ),
    ),
    Case("rec-taint-without-fence", adding(SHOP, tainted("dedicated"))),
    Case(
        "rec-taint-without-fence",
        adding(SHOP, tainted(UNKNOWN)),
        undecided="spec.taints.0.key of mine is known only after `pulumi up`",
    ),
)
