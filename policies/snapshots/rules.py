"""Snapshots: what brings the API objects back after a loss, and what only looks as if it did."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import Evidence, Param, Params, Rule, Stack, Violation, figure

HOUR = 3600


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
    worst, mean = (every + copy) / HOUR, (every / 2 + copy) / HOUR
    return (
        f"every {figure(every / HOUR)} h, more than {params['maxIntervalHours']:g} h\n"
        f"the loss {loss} takes up to {worst:.2f} h of changes with it, {mean:.2f} h on average "
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
        "attached meanwhile do not detach"
    )


def check_volumes(stack: Stack, params: Params) -> Iterator[Violation]:
    """A workload with one copy of its data loses it with its volume; one that replicates keeps others."""
    spec = stack.cluster.wanted
    single = [workload.name for workload in spec.workloads if workload.state == "volume"]
    if single and spec.backup.volumes is None:
        keep = "keeps its" if len(single) == 1 else "keep their"
        text = f"none: {', '.join(single)} {keep} only copy on a volume, lost with the storage or by one wrong delete"
        if any(site.machine_snapshots for site in stack.sites):
            text += "\na snapshot of the node's VM is none: the volume is not the node's, and does not detach meanwhile"
        elif any(wish.snapshots for wish in spec.storage.classes):
            text += "\na VolumeSnapshot is none: it lies in the storage that it is a snapshot of"
        yield Violation("backup.volumes", text)


RULES = (
    Rule(
        id="backup-etcd-missing",
        title="etcd is not copied away, or too rarely",
        severity="high",
        level="mandatory",
        claims=(13,),
        remediation="Set backup.etcd with an interval that you can afford to lose, and try a restore.",
        evidence=(
            Evidence(
                "documented", "etcd.io/docs/v3.6/op-guide/recovery: restored is a whole cluster, from one snapshot"
            ),
            Evidence("measured", "github.com/etcd-io/etcd/issues/13509: a member reverted by snapshot panics"),
            Evidence(
                "documented",
                "Google Distributed Cloud for VMware, infrastructure incompatibility: VM snapshots keep CSI volumes "
                "from detaching",
            ),
        ),
        check=check_etcd,
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
                default=60,
                minimum=0,
                maximum=HOUR,
                description="Time until a snapshot is in its bucket.",
                evidence=Evidence("assumption", "1 GiB at 17 MB/s"),
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
            Evidence(
                "documented", "kubernetes.io/docs/concepts/storage/volume-snapshots: a snapshot is one of a volume"
            ),
            Evidence(
                "documented", "github.com/kubernetes-sigs/vsphere-csi-driver/issues/478: no detach under a snapshot"
            ),
        ),
        check=check_volumes,
    ),
)
