"""Volumes of a lost host: who makes sure that it is off, so that they may be attached elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from components.rules import Evidence, Params, Raw, Rule, Stack, Violation
from isostack.assess.recovery import volume_by_fencing, volume_by_person, volume_by_restart
from policies.placed import restarting
from policies.recovery.pods import STUCK, TIMES
from policies.recovery.quorum import HUMAN
from policies.words import count, named, seconds

FAR = "kubernetes:fence-agents-remediation.medik8s.io/v1alpha1:FenceAgentsRemediationTemplate"
NHC = "kubernetes:remediation.medik8s.io/v1alpha1:NodeHealthCheck"
COMPUTE_CLUSTER = "vsphere:index/computeCluster:ComputeCluster"
TAINT = "OutOfServiceTaint"
FIELD = "availability.remediation"


def check_fencing(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    kept = _with_volume(stack)
    realised = next((each for each in stack.cluster.realisations if each.field == FIELD), None)
    asked = spec.availability.remediation
    if not kept or (asked and realised is not None and realised.grade == "equal"):
        return
    by_person = volume_by_person(spec.availability.evict_after, params["humanSeconds"])
    said = f"asked, and not in full here: {realised.mechanism}" if asked and realised else "nothing fences a lost host"
    yield Violation(
        FIELD,
        f"{said}\npods of {named(kept)} wait for a person after the loss of a host: {seconds(by_person)} where that "
        f"takes {seconds(params['humanSeconds'])} [assumption]\nfenced, they are back after "
        f"{seconds(volume_by_fencing())} where a node is given up after 300 s, {seconds(volume_by_fencing(30))} after "
        "30 s",
        tuple(kept),
    )


def check_strategy(stack: Stack, params: Params) -> Iterator[Violation]:
    kept = _with_volume(stack)
    for template in stack.raw(FAR) if kept else ():
        strategy = template.get("spec", "template", "spec", "remediationStrategy")
        if strategy != TAINT:
            yield Violation(
                template.name,
                f"remediationStrategy is {strategy or 'left out, so ResourceDeletion'}: volumes stay attached for 360 "
                f"s more\npods of {named(kept)} are back {seconds(volume_by_fencing(taint=False))} after the loss of a "
                f"host instead of {seconds(volume_by_fencing())}, where a node is given up after 300 s",
                tuple(kept),
                of="resource",
            )


def check_never(stack: Stack, params: Params) -> Iterator[Violation]:
    for check in stack.raw(NHC):
        nodes = [labels["kubernetes.io/hostname"] for labels in _labels(stack) if _selects(check, labels)]
        healthy, unhealthy = check.get("spec", "minHealthy"), check.get("spec", "maxUnhealthy")
        if not nodes or (healthy is None and unhealthy is None):
            continue
        needs = _part(healthy, len(nodes)) if healthy is not None else len(nodes) - _part(unhealthy, len(nodes))
        if needs > len(nodes) - 1:
            said = f"minHealthy {healthy}" if healthy is not None else f"maxUnhealthy {unhealthy}"
            yield Violation(
                check.name,
                f"{said} of {count(len(nodes), 'node')} is {needs} that must be healthy: with one lost "
                f"{len(nodes) - 1} are, and none is ever remediated",
                tuple(nodes),
                of="resource",
            )


def check_ha(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    kept = _with_volume(stack)
    if kept and restarting(stack) is None:
        there = sum(len(site.hosts) for site in stack.sites)
        by_person = volume_by_person(spec.availability.evict_after, params["humanSeconds"])
        with_ha = f", with HA {seconds(volume_by_restart(there))}" if there > 1 else ""
        yield Violation(
            "ha.enabled",
            f"false: VMs of a lost host stay off, and so do pods of {named(kept)}: {seconds(by_person)} where "
            f"a person acts within {seconds(params['humanSeconds'])} [assumption]{with_ha}",
            tuple(kept),
            of="target",
        )
    elif restarting(stack):
        for cluster in stack.raw(COMPUTE_CLUSTER):
            if not cluster.get("haEnabled"):
                yield Violation(
                    cluster.name,
                    "haEnabled is not true, and the provider's default is false: ha.enabled of the target config is no "
                    "more than a claim",
                    of="resource",
                )


def _with_volume(stack: Stack) -> list[str]:
    return [workload.name for workload in stack.cluster.wanted.workloads if workload.state == "volume"]


def _labels(stack: Stack) -> Iterator[Mapping[str, str]]:
    """Of each node, as far as they are known before it is born."""
    for machine in stack.machines:
        wanted = machine.wanted
        role = {"node-role.kubernetes.io/control-plane": ""} if wanted.role == "control-plane" else {}
        yield {**wanted.labels, **role, "kubernetes.io/hostname": wanted.name, "kubernetes.io/os": "linux"}


def _selects(check: Raw, labels: Mapping[str, str]) -> bool:
    """A LabelSelector: all of its parts must hold."""
    match = check.get("spec", "selector", "matchLabels") or {}
    wants = check.get("spec", "selector", "matchExpressions") or ()
    if any(labels.get(key) != check.get("spec", "selector", "matchLabels", key) for key in match):
        return False
    return all(
        _holds(labels, *(check.get("spec", "selector", "matchExpressions", i, part) for part in _PARTS))
        for i in range(len(wants))
    )


_PARTS = ("key", "operator", "values")


def _holds(labels: Mapping[str, str], key: str, operator: str, values: Any) -> bool:
    if operator in {"In", "NotIn"}:
        return (labels.get(key) in (values or ())) == (operator == "In")
    return (key in labels) == (operator == "Exists")


def _part(value: Any, total: int) -> int:
    """A number, or a percentage of the nodes, rounded up as the operator does."""
    text = str(value)
    return ceil(int(text[:-1]) * total / 100) if text.endswith("%") else int(text)


RULES = (
    Rule(
        id="rec-stateful-no-fencing",
        title="After the loss of a host its volumes wait for a person",
        severity="high",
        # The operators come and go with releases; a site may have a person on call day and night.
        level="advisory",
        claims=(11, 6),
        remediation=(
            "Set availability.remediation: true where the target can fence (a BMC for each host), or let the workload "
            "copy its own data and say state: replicated."
        ),
        evidence=(
            STUCK,
            Evidence(
                "documented",
                "github.com/medik8s/node-healthcheck-operator docs/configuration.md: a node is unhealthy after 300 s "
                "by default; fence-agents-remediation powers it off through its BMC",
            ),
            TIMES,
        ),
        check=check_fencing,
        params=(HUMAN,),
        why="Kubernetes does not know whether a host that is silent is off. So it attaches its volumes nowhere else: "
        "on metal a pod with a volume waits until a person confirms it, or until something powers the host off. That "
        "Kubernetes heals itself holds for pods without volumes only, and for some on NFS, which is never detached. A "
        "VM is restarted by vSphere HA, which does know.",
        machines=frozenset({"host"}),
    ),
    Rule(
        id="rec-far-default-strategy",
        title="Fencing leaves the volumes of a fenced node attached for six minutes",
        severity="high",
        level="advisory",
        claims=(11,),
        remediation=f"Set remediationStrategy: {TAINT} in the FenceAgentsRemediationTemplate.",
        evidence=(
            Evidence(
                "documented",
                "github.com/medik8s/fence-agents-remediation 51f603e0: api/v1alpha1/fenceagentsremediation_types.go, "
                "the default is ResourceDeletion; controllers/fenceagentsremediation_controller.go, it deletes pods "
                "alone",
            ),
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/cluster-administration/node-shutdown: detached by force after 6 minutes, "
                "with the out-of-service taint at once",
            ),
            TIMES,
        ),
        check=check_strategy,
        why="Once a host is off its volumes can be attached elsewhere, but the controller still waits six minutes for "
        "its kubelet. The out-of-service taint says that it need not. The operator's default strategy deletes pods and "
        "sets no taint. That it so pays the wait is read in its code, not measured.",
        reads=(FAR,),
    ),
    Rule(
        id="rec-remediation-never-fires",
        title="A health check cannot remediate the first lost node",
        severity="medium",
        level="mandatory",
        claims=(11, 12),
        remediation="Give minHealthy as a number, the nodes less one, or the pool a third node (pools[].nodes).",
        evidence=(
            Evidence(
                "documented",
                "github.com/medik8s/node-healthcheck-operator dd444329 internal/controller/"
                "nodehealthcheck_controller.go, getMinHealthy: percentages are rounded up, and fewer healthy nodes "
                "skip it",
            ),
        ),
        check=check_never,
        why="NodeHealthCheck stops where too few of the nodes that it selects are healthy, since then the network is "
        "more likely to be at fault. Of two nodes 51 % are both: the first that is lost already blocks it, and nobody "
        "is told.",
        reads=(NHC,),
    ),
    Rule(
        id="rec-ha-off",
        title="VMs of a lost host are not restarted",
        severity="high",
        level="advisory",
        claims=(11, 6),
        remediation=(
            "Turn on vSphere HA in the compute cluster and say so (ha.enabled of the target config), or fence as on "
            "metal (availability.remediation)."
        ),
        evidence=(
            STUCK,
            TIMES,
            Evidence(
                "documented",
                "sources disagree: github.com/aws/eks-anywhere/issues/3586 (2022) advises against HA as untested, "
                "kubernetes-sigs/vsphere-csi-driver/issues/692 recommends it; hence advisory",
            ),
            Evidence("documented", "pulumi-vsphere ComputeCluster.haEnabled: default false"),
        ),
        check=check_ha,
        params=(HUMAN,),
        why="Without HA a VM is no better off than a host of metal, and nothing fences it: pods with volumes wait for "
        "a person. With HA they are back in about two minutes, volumes attached. Whether HA is on is a setting of the "
        "compute cluster: where the program makes that cluster too, it is looked at.",
        machines=frozenset({"vm"}),
        reads=(COMPUTE_CLUSTER,),
    ),
)
