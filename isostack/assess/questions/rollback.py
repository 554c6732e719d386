"""Rollback: what is lost where something must go back, and how long it takes."""

from __future__ import annotations

from components.rules import Evidence
from isostack.assess.backup import COPY, VOLUME_COPY, lost, restored
from isostack.assess.case import Case, NoAnswer
from isostack.assess.fleet import rebuild_seconds
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values
from isostack.assess.waits import BOOT, POST

CLONE = Input(
    "rollback.clone",
    "Cloning a node's VM from its template",
    "s",
    Evidence("assumption", "40 GB at 1 GbE: 400 s, at 10 GbE: 40 s; linked clones 10 s"),
    300,
    10,
    600,
    0,
    36000,
)
DECIDE = Input(
    "rollback.decide",
    "Until somebody has decided to restore",
    "s",
    Evidence("assumption", "a person on call, with a written way"),
    600,
    300,
    3600,
    0,
    864_000,
)
DATA = Input(
    "rollback.etcdGib",
    "Size of a snapshot of etcd",
    "GiB",
    Evidence("documented", "etcd.io/docs/v3.6/dev-guide/limit: 2 GiB is the default quota, 8 the suggested most"),
    1,
    0.1,
    8,
    0.001,
    8,
)
RATE = Input(
    "rollback.rate",
    "Rate at which a snapshot is read back",
    "MB/s",
    Evidence("assumption", "1 GbE"),
    100,
    20,
    1000,
    1,
    1e5,
)
VERIFY = Input(
    "rollback.verify",
    "Starting what was restored, and looking at it",
    "s",
    Evidence("assumption", "one member after the other, then the nodes"),
    300,
    120,
    1800,
    0,
    864_000,
)
VOLUMES = Input(
    "rollback.volumesGib",
    "Data of all volumes together",
    "GiB",
    Evidence("assumption", "a few databases; no spec says it: put in yours"),
    500,
    50,
    5000,
    0.001,
    1e6,
)

NO_ETCD = "the spec asks for no backup of etcd: all would be lost"
NO_VOLUMES = "the spec asks for no backup of volumes: all would be lost"


def objects(case: Case, values: Values) -> Numbers:
    backup = case.spec.backup.etcd
    if backup is None:
        raise NoAnswer(NO_ETCD)
    return lost(backup.every, values[COPY.id])[1] / 3600


def volumes(case: Case, values: Values) -> Numbers:
    backup = case.spec.backup.volumes
    if backup is None:
        raise NoAnswer(NO_VOLUMES)
    return lost(backup.every, values[VOLUME_COPY.id])[1] / 3600


def data(case: Case, values: Values) -> Numbers:
    if case.spec.backup.volumes is None:
        raise NoAnswer(NO_VOLUMES)
    return restored(values[DECIDE.id], 0, values[VOLUMES.id], values[RATE.id], values[VERIFY.id]) / 3600


def node(case: Case, values: Values) -> Numbers:
    return _provision(case, values) / 60


def _provision(case: Case, values: Values) -> Numbers:
    """Seconds until a machine is a new one: cloned, or imaged."""
    return values[CLONE.id] + values[BOOT.id] if case.virtual else rebuild_seconds(values[POST.id])


def restore(case: Case, values: Values) -> Numbers:
    if case.spec.backup.etcd is None:
        raise NoAnswer(NO_ETCD)
    first = _provision(case, values)
    return restored(values[DECIDE.id], first, values[DATA.id], values[RATE.id], values[VERIFY.id]) / 60


QUESTIONS = (
    Question(
        id="rollback.objects",
        title="API objects changed and lost, restoring etcd, at worst",
        unit="h",
        why="From backup.etcd.every, the same on every target. A snapshot of VMs is no way back for etcd: a member "
        "that is reverted breaks raft's promises (rule snap-of-etcd-member).",
        inputs=(COPY,),
        model=objects,
        functions=(lost,),
    ),
    Question(
        id="rollback.volumes",
        title="Data of volumes changed and lost, restoring, at worst",
        unit="h",
        why="From backup.volumes.every, the same on every target. Snapshots of a storage class may be younger, but lie "
        "in the storage that they are of: isostack explain snapshot.volume.",
        inputs=(VOLUME_COPY,),
        model=volumes,
        functions=(lost,),
    ),
    Question(
        id="rollback.data",
        title="All volumes read back from their backup after",
        unit="h",
        why="Decided, read back from the bucket into new volumes, and looked at; the cluster is there. The same on "
        "every target: what counts is how much it is and how fast it comes. What nobody has ever tried takes longer.",
        inputs=(DECIDE, VOLUMES, RATE, VERIFY),
        model=data,
        functions=(restored,),
    ),
    Question(
        id="rollback.node",
        title="A broken node built anew from its image after",
        unit="min",
        why="The way back for a node's system on either target, instead of a snapshot: a VM is cloned, a host imaged "
        "through its BMC with two power-on self-tests. Decision and drain come on top.",
        inputs=(CLONE, BOOT, POST),
        model=node,
        functions=(rebuild_seconds,),
    ),
    Question(
        id="rollback.restore",
        title="A lost control plane back from a snapshot of etcd after",
        unit="min",
        why="Decided, its first machine built anew, the snapshot read back, started and looked at. Machines and etcd's "
        "snapshot are all it takes; volumes are where they were, and hold what was written since.",
        inputs=(DECIDE, CLONE, BOOT, POST, DATA, RATE, VERIFY),
        model=restore,
        functions=(restored, rebuild_seconds),
    ),
)
