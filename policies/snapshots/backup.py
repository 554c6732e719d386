"""Backups: what brings API objects and volumes back after a loss, how much of them, and from how long ago."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import Evidence, Param, Params, Rule, Stack, Violation, figure
from isostack.assess.backup import COPY, COPY_SECONDS, VOLUME_COPY, VOLUME_COPY_SECONDS, lost, reach
from isostack.assess.snapshots import CHANGES, LIVE, NO_DETACH, ONE_VOLUME, REVERTED, WHOLE
from policies.words import named

HOUR, DAY = 3600, 86400


def check_etcd(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    etcd, members = spec.backup.etcd, spec.control_plane.nodes
    loss = f"of {members // 2 + 1} of {members} control-plane nodes" if members > 1 else "of the control-plane node"
    if etcd is None:
        yield Violation("backup.etcd", f"none: the loss {loss} takes every API object with it{_no_replacement(stack)}")
    elif etcd.every > params["maxIntervalHours"] * HOUR:
        yield Violation("backup.etcd.every", _too_rare(etcd.every, loss, params) + _no_replacement(stack))


def _too_rare(every: int, loss: str, params: Params) -> str:
    """RPO: at worst the interval and the time to copy away, on average half the interval and that time."""
    copy = params["copySeconds"]
    mean, worst = lost(every, copy)
    return (
        f"every {figure(every / HOUR)} h, more than {params['maxIntervalHours']:g} h\n"
        f"the loss {loss} takes up to {worst / HOUR:.2f} h of changes with it, {mean / HOUR:.2f} h on average "
        f"({copy:g} s to copy one away [assumption])"
    )


def _no_replacement(stack: Stack) -> str:
    """Where the site can snapshot machines, why that is no backup of etcd."""
    if not any(site.machine_snapshots for site in stack.sites):
        return ""
    members = stack.cluster.wanted.control_plane.nodes
    reverting = "breaks raft" if members > 1 else "takes the API back, but no node and no volume"
    return (
        f"\na snapshot of {'their VMs' if members > 1 else 'its VM'} is none: to revert one {reverting}, and volumes "
        "attached then do not detach"
    )


def check_volumes(stack: Stack, params: Params) -> Iterator[Violation]:
    """A workload with one copy of its data loses it with its volume; one that replicates keeps others."""
    spec = stack.cluster.wanted
    single = _single(stack)
    if single and spec.backup.volumes is None:
        keep = "keeps its" if len(single) == 1 else "keep their"
        text = f"none: {named(single)} {keep} only copy on a volume, lost with the storage or by one wrong delete"
        if any(site.machine_snapshots for site in stack.sites):
            text += "\na snapshot of the node's VM is none: it goes with the volume, which does not detach meanwhile"
        elif any(wish.snapshots for wish in spec.storage.classes):
            text += "\na VolumeSnapshot is none: it lies in the storage that it is a snapshot of"
        yield Violation("backup.volumes", text, subjects=tuple(single))


def check_rarely(stack: Stack, params: Params) -> Iterator[Violation]:
    single, volumes = _single(stack), stack.cluster.wanted.backup.volumes
    if not single or volumes is None or volumes.every <= params["maxIntervalHours"] * HOUR:
        return
    mean, worst = lost(volumes.every, params["copySeconds"])
    yield Violation(
        "backup.volumes.every",
        f"every {figure(volumes.every / HOUR)} h, more than {params['maxIntervalHours']:g} h\n"
        f"the loss of a volume takes up to {figure(worst / HOUR)} h of the data of {named(single)} with it, "
        f"{figure(mean / HOUR)} h on average ({params['copySeconds']:g} s to copy them away [assumption])",
        subjects=tuple(single),
    )


def check_retention(stack: Stack, params: Params) -> Iterator[Violation]:
    """What is noticed later than the oldest copy is old has no copy from before it."""
    backup, least = stack.cluster.wanted.backup, params["minDays"] * DAY
    for field, what, wish in (("etcd", "snapshot", backup.etcd), ("volumes", "backup", backup.volumes)):
        if wish is None or reach(wish.every, wish.keep) >= least:
            continue
        back = reach(wish.every, wish.keep)
        yield Violation(
            f"backup.{field}.keep",
            f"{wish.keep} of {figure(wish.every / HOUR)} h each reach {figure(back / HOUR)} h back, less than "
            f"{params['minDays']:g} days\n"
            f"a wrong delete or a bad upgrade that is noticed later is in every {what}; "
            f"{int(-(-least // wish.every)) + 1} would reach that far",
        )


def _single(stack: Stack) -> list[str]:
    return [workload.name for workload in stack.cluster.wanted.workloads if workload.state == "volume"]


RULES = (
    Rule(
        id="backup-etcd-missing",
        title="etcd is not copied away, or too rarely",
        severity="high",
        level="mandatory",
        claims=(13,),
        remediation="Set backup.etcd with an interval that you can afford to lose, and try a restore.",
        evidence=(
            WHOLE,
            REVERTED,
            Evidence(
                "documented",
                "Google Distributed Cloud for VMware, infrastructure incompatibility: VM snapshots keep CSI volumes "
                "from detaching",
            ),
        ),
        check=check_etcd,
        why="Whether the API objects are copied out of the cluster, and how often. A majority of the control plane "
        "lost is all of them lost: the members that are left hold the data and may not serve it. Snapshots of the "
        "VMs, or of the disks that hosts boot from, do not replace it: each is of one member at a time of its own.",
        params=(
            Param(
                name="maxIntervalHours",
                default=12,
                minimum=0.1,
                maximum=8760,
                description="Longest time between two snapshots of etcd.",
                evidence=Evidence(
                    "documented", "k3s and RKE2 take one every 12 h by default, docs.k3s.io/cli/etcd-snapshot"
                ),
            ),
            Param(
                name="copySeconds",
                default=COPY_SECONDS,
                minimum=0,
                maximum=HOUR,
                description="Time until a snapshot is in its bucket.",
                evidence=COPY.evidence,
            ),
        ),
    ),
    Rule(
        id="backup-volumes-missing",
        title="the only copy of a workload's data is copied nowhere",
        severity="high",
        # Whether a workload copies its data away by itself, the spec does not say.
        level="advisory",
        claims=(6, 13),
        remediation="Set backup.volumes, or let the workload copy its data away and say state: replicated.",
        evidence=(
            ONE_VOLUME,
            CHANGES,
            NO_DETACH,
        ),
        check=check_volumes,
        why="Whether data of which there is one copy is copied away. A snapshot of the volume lies in the storage that "
        "it is of, and goes with it. So does a snapshot of the node's VM: a log of changes beside the volume's disk.",
    ),
    Rule(
        id="backup-volumes-rarely",
        title="the only copy of a workload's data is copied away too rarely",
        severity="medium",
        level="advisory",
        claims=(6, 13),
        remediation="Lower backup.volumes.every to what you can afford to lose, and raise keep with it; or let the "
        "workload copy its data itself and say state: replicated.",
        evidence=(
            Evidence("assumption", "model: at worst the interval and the time to copy, isostack/assess/backup.py"),
            LIVE,
        ),
        check=check_rarely,
        params=(
            Param(
                name="maxIntervalHours",
                default=24,
                minimum=0.1,
                maximum=8760,
                description="Longest time between two backups of volumes.",
                evidence=Evidence("documented", "velero.io/docs/main/disaster-case: set up a daily backup"),
            ),
            Param(
                name="copySeconds",
                default=VOLUME_COPY_SECONDS,
                minimum=0,
                maximum=1e6,
                description="Time until a backup of the volumes is in its bucket.",
                evidence=VOLUME_COPY.evidence,
            ),
        ),
        why="How much data the loss of a volume takes with it, by the interval of the backups. Where that is too much, "
        "a copy each hour helps less than a second copy all the time: replication by the workload itself, on every "
        "target. A copy of a database's files while it runs need not open again: let it dump itself first.",
    ),
    Rule(
        id="backup-retention",
        title="Backups do not reach far back",
        severity="medium",
        # Sources disagree by a factor of twelve.
        level="advisory",
        claims=(13,),
        remediation="Raise backup.etcd.keep or backup.volumes.keep, or their interval where it is shorter than needed.",
        evidence=(
            Evidence(
                "documented", "docs.k3s.io/cli/etcd-snapshot: 5 snapshots, one each 12 h, so they reach 48 h back"
            ),
            Evidence("documented", "velero.io/docs/main/disaster-case: kept for 30 days by default"),
        ),
        check=check_retention,
        params=(
            Param(
                name="minDays",
                default=2.5,
                minimum=0,
                maximum=3650,
                description="How far back the oldest copy must reach.",
                evidence=Evidence("assumption", "over a weekend: what breaks on Friday evening is seen on Monday"),
            ),
        ),
        why="How old the oldest copy is, just after it was thinned out. Copies guard against two things: losing the "
        "storage, for which the last one is enough, and a mistake, for which one from before it was made is needed. "
        "How far is far enough is disputed: 48 hours by the defaults of k3s, 30 days by those of Velero. Velero "
        "removes copies by age, also when no new ones were made.",
    ),
)
