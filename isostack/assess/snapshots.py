"""Snapshots and backups: what each kind of them brings back after which loss. A declared table, with its sources.

Numbers are those of the questions that it names; where no source has one, there are words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from components.rules import Evidence
from isostack.assess.case import Case

Verdict = Literal["yes", "partly", "no"]


class Loss(StrEnum):
    """What may be lost, as a column's head."""

    SYSTEM = "bad upgrade of a node"
    NAMESPACE = "deleted namespace"
    DATA = "overwritten data"
    STORAGE = "lost storage"
    CONTROL_PLANE = "lost control plane"
    SITE = "lost site"


@dataclass(frozen=True, slots=True)
class Against:
    """Whether a kind brings back what a loss took."""

    verdict: Verdict
    why: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Figure:
    """An RPO or RTO: words, and the question whose answer is the number."""

    text: str
    evidence: Evidence
    question: str = ""
    """Id; empty: no number has a source."""


@dataclass(frozen=True, slots=True)
class Here:
    """Whether a stack has it, by its spec and its plan."""

    there: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of snapshot, or what is used in its place."""

    id: str
    title: str
    holds: str
    evidence: tuple[Evidence, ...]
    """Of what it holds."""
    against: Mapping[Loss, Against]
    rpo: Figure
    """What is lost at most: the time before the loss whose changes do not come back."""
    rto: Figure
    """How long it takes until what was lost is there again."""
    here: Callable[[Case], Here]

    @property
    def sources(self) -> Iterator[Evidence]:
        """All that it rests on."""
        yield from self.evidence
        yield from (each.evidence for each in self.against.values())
        yield from (self.rpo.evidence, self.rto.evidence)


# What policies say too, they say by these.
REVERTED = Evidence("documented", "github.com/etcd-io/etcd/issues/13509: a member reverted by snapshot panics")
WHOLE = Evidence("documented", "etcd.io/docs/v3.6/op-guide/recovery: restored is a whole cluster, from one snapshot")
NO_DETACH = Evidence(
    "documented", "github.com/kubernetes-sigs/vsphere-csi-driver/issues/478: no detach under a snapshot"
)
DEPENDENT = Evidence(
    "documented",
    "github.com/kubernetes-sigs/vsphere-csi-driver/issues/1714: volumes are attached as dependent disks; issues/2911 "
    "quotes docs.vmware.com vSphere 7.0, GUID-8B6174E6: these are in a VM's snapshots, and go back with them",
)
CHANGES = Evidence(
    "documented",
    "VMware KB 1025279 as csusb.edu KB 222831 quotes it: a log of changes and no backup, not enough without the base "
    "disks, to be kept for 24 to 72 h at most",
)
ONE_VOLUME = Evidence(
    "documented", "kubernetes.io/docs/concepts/storage/volume-snapshots: a snapshot is one of a volume"
)
LIVE = Evidence(
    "documented",
    "velero.io/docs/main/file-system-backup: copied are the files of a running workload, not of one moment",
)
_PASSTHROUGH = Evidence("documented", "docs.vmware.com vSphere 8.0 Networking, GUID-BF2770C3: not with DirectPath I/O")
_GROUP = Evidence(
    "documented",
    "github.com/kubernetes-csi/docs book/src/group-snapshot-restore-feature.md: several volumes at one moment take a "
    "group snapshot",
)
_GOES_ALONG = Evidence(
    "documented",
    "kubernetes.io/docs/concepts/storage/volume-snapshot-classes: with deletionPolicy Delete it goes with its object; "
    "as the classes of components/addons/snapshots.py have it",
)
_RECLAIMED = Evidence(
    "documented",
    "kubernetes.io/docs/concepts/storage/persistent-volumes: with reclaimPolicy Delete a volume goes with its claim; "
    "as the classes of components/addons/storage.py have it",
)
_CHOSEN = Evidence("documented", "velero.io/docs/main/api-types/restore: namespaces of a backup are restored alone")
_FILES = Evidence(
    "documented",
    "velero.io/docs/main/file-system-backup: copies of files, tied to no storage; components/addons/velero.py",
)
_SKIPS = Evidence("documented", "velero.io/docs/main/restore-reference: what exists is not overwritten")
_INTO_NEW = Evidence("documented", "velero.io/docs/v1.0.0/faq: objects and data are restored into a new cluster")
_ANEW = Evidence("documented", "docs/architecture.md, Day two: a raised generation builds a machine anew")
_KEYS = Evidence("documented", "docs/bootstrap.md, Keys: made once and kept in the stack's state")
_OWN = Evidence("assumption", "by what it holds")
_ARRAY = Evidence("assumption", "as users of storage arrays know them: nothing here was read or measured")
_ELSEWHERE = Evidence("assumption", "its bucket, repository or state is not on the site")
_NO_FIGURE = Evidence("assumption", "no source gives a time, so none is said")


def _no(why: str, evidence: Evidence = _OWN) -> Against:
    return Against("no", why, evidence)


def _machine(case: Case) -> Here:
    if any(site.machine_snapshots for site in case.sites):
        return Here("partly", "can be taken, and must not stay: volumes do not detach meanwhile")
    return Here("no", "nothing below a node's system takes one")


def _etcd(case: Case) -> Here:
    wish = case.spec.backup.etcd
    return _copies(case, "etcd", wish.keep if wish else None)


def _volumes(case: Case) -> Here:
    wish = case.spec.backup.volumes
    return _copies(case, "volumes", wish.keep if wish else None)


def _copies(case: Case, what: str, keep: int | None) -> Here:
    if keep is None:
        return Here("no", f"the spec asks for none: backup.{what}")
    how = case.realisation(f"backup.{what}.every")
    return Here("yes", f"{how.mechanism}, {keep} kept") if how else Here("no", "the plan does not say how")


def _classes(case: Case) -> Here:
    """As the worst of its classes with the wish has it."""
    found = [
        (wish.name, case.realisation(f"storage.classes.{wish.name}.snapshots"))
        for wish in case.spec.storage.classes
        if wish.snapshots
    ]
    if not found:
        return Here("no", "the spec asks for none: storage.classes[].snapshots")
    grades = {how.grade if how else "impossible" for _, how in found}
    there: Verdict = "no" if grades == {"impossible"} else "yes" if grades == {"equal"} else "partly"
    said = (f"{name}: {': '.join(filter(None, (how.mechanism, how.reason)))}" for name, how in found if how)
    return Here(there, "; ".join(said) or "the plan does not say how")


def _declared(case: Case) -> Here:
    return Here("yes", "the spec and this stack")


def _below(case: Case) -> Here:
    if case.virtual:
        return Here("no", "the datastores are not this project's: whoever runs them may take one")
    return Here("no", "hosts boot from disks of their own")


KINDS: tuple[Kind, ...] = (
    Kind(
        id="snapshot.vm",
        title="Snapshot of a node's VM",
        holds="The disks of one VM as after a power cut: that of its system, and those of volumes attached just then. "
        "Not of VMs with passthrough devices.",
        evidence=(DEPENDENT, _PASSTHROUGH),
        against={
            Loss.SYSTEM: Against("partly", "a worker's; a member of etcd that goes back panics", REVERTED),
            Loss.NAMESPACE: _no("objects are in etcd, which goes back as a whole or not at all", WHOLE),
            Loss.DATA: Against(
                "partly", "volumes attached then go back with it, unknown to Kubernetes and all at once", DEPENDENT
            ),
            Loss.STORAGE: _no("it is a log of changes beside the disks, and goes with them", CHANGES),
            Loss.CONTROL_PLANE: _no(
                "it goes with the disks; and of several members one that goes back panics", REVERTED
            ),
            Loss.SITE: _no("it lies beside the disks", CHANGES),
        },
        rpo=Figure("what was written since it was taken, 72 h by VMware's advice", CHANGES),
        rto=Figure("to revert, no time has a source; a new node instead", _NO_FIGURE, "rollback.node"),
        here=_machine,
    ),
    Kind(
        id="snapshot.etcd",
        title="Snapshot of etcd",
        holds="All API objects at one revision. No volume, no image, no machine.",
        evidence=(WHOLE,),
        against={
            Loss.SYSTEM: _no("no node's system is in it"),
            Loss.NAMESPACE: Against(
                "partly", "its objects come back, and all others go back; its volumes are gone", _RECLAIMED
            ),
            Loss.DATA: _no("no data of volumes is in it"),
            Loss.STORAGE: _no("no data of volumes is in it"),
            Loss.CONTROL_PLANE: Against("yes", "one snapshot is all that a new one takes", WHOLE),
            Loss.SITE: Against("partly", "the objects, without what their volumes held", _ELSEWHERE),
        },
        rpo=Figure("changes since the last one, at worst", _OWN, "rollback.objects"),
        rto=Figure("on new machines", _OWN, "rollback.restore"),
        here=_etcd,
    ),
    Kind(
        id="snapshot.volume",
        title="VolumeSnapshot (CSI)",
        holds="One volume at one moment, as after a power cut, in the storage of the volume. Several at one moment "
        "take a group snapshot.",
        evidence=(ONE_VOLUME, _GROUP),
        against={
            Loss.SYSTEM: _no("no node's system is in it"),
            Loss.NAMESPACE: _no("it is an object of the namespace, and goes with it", _GOES_ALONG),
            Loss.DATA: Against("yes", "a new volume is made of it", ONE_VOLUME),
            Loss.STORAGE: _no("it lies in the storage that it is a snapshot of", ONE_VOLUME),
            Loss.CONTROL_PLANE: _no("no API object is in it"),
            Loss.SITE: _no("it lies in the storage that it is a snapshot of", ONE_VOLUME),
        },
        rpo=Figure("what was written since it was taken: when, you set; nothing here takes one", _OWN),
        rto=Figure("a new volume of it: no time has a source", _NO_FIGURE),
        here=_classes,
    ),
    Kind(
        id="snapshot.backup",
        title="Backup into a bucket (Velero)",
        holds="API objects, and the files of volumes as they were read while workloads ran: a database's need not "
        "open.",
        evidence=(LIVE, _FILES),
        against={
            Loss.SYSTEM: _no("no node's system is in it"),
            Loss.NAMESPACE: Against("yes", "it comes back alone, with its volumes", _CHOSEN),
            Loss.DATA: Against("yes", "the files as they were read, where the volume was deleted first", _SKIPS),
            Loss.STORAGE: Against("yes", "on any storage: these are files", _FILES),
            Loss.CONTROL_PLANE: Against(
                "partly", "into a new one that runs; the old one comes back from etcd's snapshot", _INTO_NEW
            ),
            Loss.SITE: Against("yes", "into a cluster elsewhere, on VMs or on metal", _ELSEWHERE),
        },
        rpo=Figure("data written since the last one, at worst", _OWN, "rollback.volumes"),
        rto=Figure("all volumes read back", _OWN, "rollback.data"),
        here=_volumes,
    ),
    Kind(
        id="snapshot.state",
        title="Spec in Git, stack's state",
        holds="What the cluster must be, and the keys that are made once. No API object of workloads, no data.",
        evidence=(_KEYS,),
        against={
            Loss.SYSTEM: Against("yes", "the node is built anew from its image", _ANEW),
            Loss.NAMESPACE: _no("workloads are none of its objects"),
            Loss.DATA: _no("no data is in it"),
            Loss.STORAGE: _no("no data is in it"),
            Loss.CONTROL_PLANE: Against(
                "partly", "its machines, and the key without which a snapshot of etcd keeps its Secrets shut", _KEYS
            ),
            Loss.SITE: Against("partly", "the same cluster elsewhere, empty", _ELSEWHERE),
        },
        rpo=Figure("nothing: the last commit and the last update are what counts", _ELSEWHERE),
        rto=Figure("a node built anew", _ANEW, "rollback.node"),
        here=_declared,
    ),
    Kind(
        id="snapshot.array",
        title="Snapshot of the storage below",
        holds="Of a datastore, or of the LUN that a host boots from: the disks of many machines as after a power cut.",
        evidence=(_ARRAY,),
        against={
            Loss.SYSTEM: Against("partly", "a worker's; a member of etcd that goes back panics", REVERTED),
            Loss.NAMESPACE: _no("objects are in etcd, which goes back as a whole or not at all", WHOLE),
            Loss.DATA: Against("partly", "where volumes lie there too; unknown to Kubernetes", _ARRAY),
            Loss.STORAGE: _no("it lies on the same array", _ARRAY),
            Loss.CONTROL_PLANE: _no("no member was stopped for it", _ARRAY),
            Loss.SITE: _no("it lies on the same array", _ARRAY),
        },
        rpo=Figure("what its owner sets", _ARRAY),
        rto=Figure("to revert, no time has a source; a new node instead", _NO_FIGURE, "rollback.node"),
        here=_below,
    ),
)
"""In the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a kind is worth to the stacks of a spec."""

    kind: str
    """Id."""
    title: str
    against: Mapping[Loss, Verdict]
    rpo: Figure
    rto: Figure
    stacks: Mapping[str, Here]


def kept(cases: Sequence[Case]) -> Iterator[Kept]:
    for kind in KINDS:
        verdicts = {loss: each.verdict for loss, each in kind.against.items()}
        yield Kept(kind.id, kind.title, verdicts, kind.rpo, kind.rto, {case.stack: kind.here(case) for case in cases})
