"""Operations: restarts of nodes for updates, how long a round of them takes, and what keeps a node from draining."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil

from components.rules import Evidence, Param, Params, Raw, Rule, Stack, Undecided, Violation, figure, percent
from isostack.assess.exposure import KERNEL_ESCALATIONS, exposure
from isostack.assess.fleet import POST
from isostack.assess.patching import JOIN, drain_seconds, weeks
from policies.values import Malformed, number, part
from policies.words import count, named

HOUR = 3600
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
OWNERS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"


# ---- restarts


def check_missing(stack: Stack, params: Params) -> Iterator[Violation]:
    """Where a tenant's code is hostile, the pack isolation says it."""
    spec = stack.cluster.wanted
    if spec.availability.reboots or (len(spec.tenants) > 1 and any(t.trust == "external" for t in spec.tenants)):
        return
    days, each = params["exposureDays"], _each(stack, params)
    yield Violation(
        "availability.reboots",
        "none: updated kernels do not run until a person has drained and restarted "
        f"{count(len(each), 'node')}, {figure(sum(each) / HOUR)} h for a round, one by one\n"
        f"an exploited kernel escalation turns up within {days:g} days with p = "
        f"{percent(exposure(KERNEL_ESCALATIONS, days))}: exposure, not breach",
    )


def check_window(stack: Stack, params: Params) -> Iterator[Violation]:
    reboots = stack.cluster.wanted.availability.reboots
    each = _each(stack, params)
    if reboots is None or not each:
        return
    window, mean = _seconds(reboots.end) - _seconds(reboots.start), sum(each) / len(each)
    needed = weeks(len(each), mean, len(reboots.days), window)
    if needed > params["maxWeeks"]:
        yield Violation(
            "availability.reboots",
            f"{count(len(each), 'node')} restart one by one, {figure(mean / 60)} min each, in "
            f"{figure(len(reboots.days) * window / HOUR)} h a week: a round takes {needed} weeks\n"
            f"a fixed kernel runs on the last node {7 * needed} days later at worst, when an exploited escalation has "
            f"turned up with p = {percent(exposure(KERNEL_ESCALATIONS, 7 * needed))}: exposure, not breach",
        )


def _each(stack: Stack, params: Params) -> list[float]:
    """Seconds that each node takes: drained, booted, joined."""
    virtual = {site.name for site in stack.sites if site.machine == "vm"}
    nodes = Counter(machine.wanted.pool for machine in stack.machines)
    pods: Counter[str] = Counter()
    for workload in stack.cluster.wanted.workloads:
        pods[workload.pool] += workload.replicas
    return [
        drain_seconds(ceil(pods[machine.wanted.pool] / nodes[machine.wanted.pool]))
        + params["vmBootSeconds" if machine.place.site in virtual else "hostBootSeconds"]
        + JOIN
        for machine in stack.machines
    ]


def _seconds(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * HOUR + int(minutes) * 60


# ---- drains


def check_drain(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for all budgets that let no pod go, and one for each resource that has no number there."""
    found, malformed, undecided = dict[str, str](), dict[str, Violation](), None
    for budget in stack.raw(BUDGET):
        try:
            if why := _blocks(stack, budget):
                found[budget.name] = why
        except Malformed as error:
            malformed[error.violation.field] = error.violation
        except Undecided as error:
            undecided = undecided or error
    if found:
        whose = "it" if len(found) == 1 else "theirs"
        what = named(found.values() if len(found) == 1 else (f"{name} ({why})" for name, why in found.items()))
        yield Violation(
            next(iter(found)),
            f"{what}: no pod of {whose} may be evicted, so no drain of a node that runs one ends\n"
            "restarts wait for ever, and `pulumi up` stops where such a machine is to go",
            tuple(found),
            of="resource",
        )
    yield from malformed.values()
    if undecided:
        raise undecided


def _blocks(stack: Stack, budget: Raw) -> str:
    """Why a budget allows nothing; empty: it does, or that depends on pods which are not seen."""
    least, most = budget.get("spec", "minAvailable"), budget.get("spec", "maxUnavailable")
    if part(budget, 1, "spec", "maxUnavailable") == 0:
        return f"maxUnavailable is {most}"
    if str(least) == "100%":
        return "minAvailable is 100%"
    owners = [owner for owner in stack.raw(*OWNERS) if _selects(budget, owner)] if least is not None else []
    replicas = sum(_replicas(stack, owner) for owner in owners)
    needed = part(budget, replicas, "spec", "minAvailable")
    if not replicas or needed is None or needed < replicas:
        return ""
    return f"minAvailable is {least} of {count(replicas, 'replica')} ({named([owner.name for owner in owners])})"


def _selects(budget: Raw, owner: Raw) -> bool:
    """By labels alone; a budget with expressions is not looked into."""
    wanted, labels = budget.get("spec", "selector", "matchLabels"), owner.get("spec", "template", "metadata", "labels")
    if not isinstance(wanted, Mapping) or budget.get("spec", "selector", "matchExpressions"):
        return False
    return _namespace(budget) == _namespace(owner) and wanted.items() <= (labels or {}).items()


def _namespace(raw: Raw) -> str:
    return raw.get("metadata", "namespace") or "default"


def _replicas(stack: Stack, owner: Raw) -> int:
    """As written, or as few as an autoscaler may make of them."""
    for scaler in stack.raw(AUTOSCALER):
        if scaler.get("spec", "scaleTargetRef", "name") == (owner.get("metadata", "name") or owner.name):
            return number(scaler, "spec", "minReplicas") or 1
    asked = number(owner, "spec", "replicas")
    return 1 if asked is None else asked


BOOTS = (
    Param(
        name="vmBootSeconds",
        default=60,
        minimum=1,
        maximum=HOUR,
        description="Seconds from a VM's restart to its booted system.",
        evidence=Evidence("assumption", "a small guest"),
    ),
    Param(
        name="hostBootSeconds",
        default=POST,
        minimum=1,
        maximum=2 * HOUR,
        description="Seconds from a host's restart to its booted system.",
        evidence=Evidence(
            "measured",
            "77 restarts of servers, gitlab.com/testing-farm/infrastructure MR 1526: medians of 218 to 792 by "
            "generation, most of it firmware",
        ),
    ),
)
KEV = Evidence(
    "measured",
    "counted in CISA's Known Exploited Vulnerabilities of 2025-08-25, github.com/cisagov/kev-data: in 3.808 years 8 "
    "Linux kernel privilege escalations (of CVE year 2021 and later); a lower bound",
)
KURED = Evidence(
    "documented",
    "github.com/kubereboot/kured: one node at a time, drain-timeout 0 waits for ever",
)
DRAIN = Evidence("assumption", "5 pods evicted at a time, 20 s each, 60 s to join; replicas spread evenly over nodes")
MISSING = Rule(
    id="ops-reboots-missing",
    title="Updated kernels wait for a person",
    severity="medium",
    level="advisory",
    claims=(8,),
    remediation="Set availability.reboots to the days and hours in which nodes may restart.",
    evidence=(
        KEV,
        Evidence(
            "documented",
            "https://documentation.ubuntu.com/server/how-to/software/automatic-updates/: security updates are "
            "installed by themselves, restarts are not made",
        ),
        DRAIN,
    ),
    check=check_missing,
    params=(
        Param(
            name="exposureDays",
            default=90,
            minimum=1,
            maximum=3650,
            description="Days between two rounds of restarts by hand.",
            evidence=Evidence("assumption", "one a quarter"),
        ),
        *BOOTS,
    ),
    why="Ubuntu installs a fixed kernel by itself and goes on running the old one. That is the same in a VM and on a "
    "host: both restart, both restart their pods, and only the time of the firmware differs.",
)
SHORT = Rule(
    id="ops-reboot-window-too-short",
    title="A round of restarts does not fit into the hours of a week",
    severity="medium",
    level="advisory",
    claims=(8, 3),
    remediation="Add days to availability.reboots.days, or end later.",
    evidence=(KURED, DRAIN, KEV),
    check=check_window,
    params=(
        Param(
            name="maxWeeks",
            default=1,
            minimum=1,
            maximum=520,
            description="Weeks that a round of restarts may take.",
            evidence=Evidence("assumption", "Ubuntu publishes kernels every two to four weeks"),
        ),
        *BOOTS,
    ),
    why="Nodes restart one at a time and begin only within the hours of the spec. Where nodes times their restart "
    "exceed the hours of a week, some run an old kernel when the next one is there. A host takes nine times as long as "
    "a VM, nearly all of it in its firmware. Not counted: the minutes until a node finds that it is its turn.",
)
DRAIN_BLOCKED = Rule(
    id="ops-drain-blocked",
    title="A PodDisruptionBudget lets no pod go",
    severity="medium",
    level="mandatory",
    claims=(8, 12),
    remediation="Set maxUnavailable: 1 in the budget, or run one replica more than it must keep.",
    evidence=(
        Evidence(
            "documented",
            "https://kubernetes.io/docs/tasks/run-application/configure-pdb/: with maxUnavailable 0 or minAvailable "
            "100% a node that runs such a pod cannot be drained",
        ),
        KURED,
    ),
    check=check_drain,
    reads=(BUDGET, *OWNERS, AUTOSCALER),
    why="Restarts, upgrades and the way of a machine out of the cluster all evict pods, as far as budgets allow. One "
    "that allows nothing does not protect its pods: it only moves their end to the day on which somebody forces it. "
    "Looked at are budgets of the program; of charts' own, nothing is seen.",
)
