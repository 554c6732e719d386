"""Volumes of a lost host: who makes sure that it is off, so that they may be attached elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.rules import Evidence, Params, Raw, Rule, Stack, Undecided, Violation
from isostack.assess.recovery import DETACH_WAIT, given_up, volume_by_fencing, volume_by_restart
from policies.outage import FIELD, NHC, back, fences, kept, lost_after
from policies.placed import restarting
from policies.recovery.pods import STUCK, TIMES
from policies.recovery.quorum import HUMAN
from policies.values import Malformed, part
from policies.words import count, listed, named, seconds

FAR = "kubernetes:fence-agents-remediation.medik8s.io/v1alpha1:FenceAgentsRemediationTemplate"
COMPUTE_CLUSTER = "vsphere:index/computeCluster:ComputeCluster"
TAINT = "OutOfServiceTaint"


def check_fencing(stack: Stack, params: Params) -> Iterator[Violation]:
    alone = kept(stack)
    if not alone or (found := back(stack, params["humanSeconds"])).by != "a person":
        return
    realised = next((each for each in stack.cluster.realisations if each.field == FIELD), None)
    asked, after = (
        stack.cluster.wanted.availability.remediation,
        given_up(stack.cluster.wanted.availability.evict_after),
    )
    said = f"asked, and not in full here: {realised.mechanism}" if asked and realised else "nothing fences a lost host"
    yield Violation(
        FIELD,
        f"{said}\npods of {named(alone)} wait for a person after the loss of a host: {seconds(found.seconds)} where "
        f"that takes {seconds(params['humanSeconds'])} [assumption]\nfenced, they are back after "
        f"{seconds(volume_by_fencing(after))}, {seconds(after)} of that until the node is given up",
        tuple(alone),
    )


def check_strategy(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for all templates."""
    alone, found = kept(stack), dict[str, str]()
    for template in stack.raw(FAR) if alone else ():
        strategy = template.get("spec", "template", "spec", "remediationStrategy")
        if strategy != TAINT:
            found[template.name] = strategy or "left out, so ResourceDeletion"
    if found:
        after = lost_after(stack)
        which = f" ({named(found)})" if len(found) > 1 else ""
        yield Violation(
            next(iter(found)),
            f"remediationStrategy is {listed(dict.fromkeys(found.values()))}{which}: volumes stay attached for "
            f"{DETACH_WAIT} s more\npods of {named(alone)} are back {seconds(volume_by_fencing(after, taint=False))} "
            f"after the loss of a node that is then fenced, instead of {seconds(volume_by_fencing(after))}; it is "
            f"given up after {seconds(after)}",
            tuple(found),
            of="resource",
        )


def check_never(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for all health checks that are too strict, and one for each that has no number."""
    found, undecided = dict[str, tuple[str, int]](), None
    for check in stack.raw(NHC):
        try:
            nodes = sum(_selects(check, labels) for labels in _labels(stack))
            needs, said = _must_be_healthy(check, nodes)
        except Malformed as error:
            yield error.violation
            continue
        except Undecided as error:
            undecided = undecided or error
            continue
        if nodes and needs > nodes - 1:
            found[check.name] = (f"{said} of {count(nodes, 'node')} is {needs}", nodes)
    if len(found) == 1:
        ((name, (said, nodes)),) = found.items()
        yield Violation(
            name,
            f"{said} that must be healthy: with one lost {nodes - 1} are, and none is ever remediated",
            (name,),
            of="resource",
        )
    elif found:
        each = named(f"{name} ({said})" for name, (said, _) in found.items())
        yield Violation(
            next(iter(found)),
            f"{each}: so many must be healthy, and with one lost fewer are: none is ever remediated",
            tuple(found),
            of="resource",
        )
    if undecided:
        raise undecided


def _must_be_healthy(check: Raw, nodes: int) -> tuple[int, str]:
    """How many of so many nodes, and how the check says it."""
    healthy, unhealthy = part(check, nodes, "spec", "minHealthy"), part(check, nodes, "spec", "maxUnhealthy")
    if healthy is not None:
        return healthy, f"minHealthy {check.get('spec', 'minHealthy')}"
    if unhealthy is not None:
        return nodes - unhealthy, f"maxUnhealthy {check.get('spec', 'maxUnhealthy')}"
    return 0, ""


def check_ha(stack: Stack, params: Params) -> Iterator[Violation]:
    alone = kept(stack)
    if alone and restarting(stack) is None:
        there = sum(len(site.hosts) for site in stack.sites)
        with_ha = f", with HA {seconds(volume_by_restart(there))}" if there > 1 else ""
        in_vain = (
            f"\n{FIELD} is no way out: a VM of a dead host cannot be powered off through that host"
            if fences(stack)
            else ""
        )
        yield Violation(
            "ha.enabled",
            f"false: VMs of a lost host stay off, and so do pods of {named(alone)}: "
            f"{seconds(back(stack, params['humanSeconds']).seconds)} where a person acts within "
            f"{seconds(params['humanSeconds'])} [assumption]{with_ha}{in_vain}",
            tuple(alone),
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
            Evidence(
                "assumption",
                "the health checks of this project wait 600 s, or availability.evictAfter where that is longer: "
                "components/addons/remediation.py",
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
        reads=(NHC,),
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
        "sets no taint. That it so pays the wait is read in its code, not measured. Of VMs it concerns those that hang "
        "on a host that lives: fencing cannot reach a dead host's.",
        reads=(FAR, NHC),
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
            "Turn on vSphere HA in the compute cluster and say so (ha.enabled of the target config), or let the "
            "workload copy its own data and say state: replicated. Fencing (availability.remediation) does not "
            "replace HA."
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
        why="Without HA a VM is worse off than a host of metal that is fenced. A VM of a dead host cannot be powered "
        "off through that host, so fencing waits too [assumption: engineers' knowledge, not measured]: pods with "
        "volumes wait for a person, or for the host. With HA they are back in about two minutes, volumes attached. "
        "Whether HA is on is a setting of the compute cluster: it is looked at where the program makes that too.",
        machines=frozenset({"vm"}),
        reads=(COMPUTE_CLUSTER, NHC),
    ),
)
