"""Safety of a change: what an update takes away from a cluster that is there. Asked where that is known."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import Evidence, Params, Rule, Stack, Undecided, Violation
from components.update import Update
from isostack.assess.capacity import MONITORS, fatal_members, writable
from policies import ceph
from policies.words import count, named

CONTROL_PLANE = "control-plane"


def _update(stack: Stack) -> Update:
    if stack.update is None:  # judge() does not ask then
        raise Undecided("what the update does is not known")
    return stack.update


def quorum(stack: Stack, params: Params) -> Iterator[Violation]:
    """An update deletes and makes what it can at once: nothing orders one machine after the other."""
    update = _update(stack)
    members = sum(pool == CONTROL_PLANE for pool in update.machines.values())
    lost = update.lost(CONTROL_PLANE)
    needed, left = members // 2 + 1, members - len(lost)
    if lost and left < needed:
        what = "the cluster's state is gone with it" if not left else "the API stops until they are back, or for good"
        yield Violation(
            "controlPlane.nodes",
            f"{named(lost)} of {members} control-plane nodes go at once: etcd needs {needed}, {left} "
            f"{'is' if left == 1 else 'are'} left\n{what}",
            tuple(lost),
        )


def pools(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for all pools that an update empties."""
    update, emptied = _update(stack), dict[str, list[str]]()
    for pool in dict.fromkeys(update.machines.values()):
        nodes, lost = [name for name, of in update.machines.items() if of == pool], update.lost(pool)
        if pool != CONTROL_PLANE and len(lost) == len(nodes):
            emptied[pool] = nodes
    if not emptied:
        return
    lost = [name for nodes in emptied.values() for name in nodes]
    for_good = all(name in update.gone for name in lost)
    homeless = [work.name for work in stack.cluster.wanted.workloads if work.pool in emptied]
    runs = f"\nnowhere to go for {named(homeless)}" if homeless else ""
    how = "deleted" if for_good else "built anew at once"
    if len(emptied) > 1:
        how = "deleted" if for_good else "built anew or deleted at once"
        field, what = "pools", f"all {len(lost)} nodes of {named(emptied)} are {how}"
    else:
        field = f"pools.{next(iter(emptied))}"
        what = f"its only node {lost[0]} is {how}" if len(lost) == 1 else f"all {len(lost)} nodes are {how}"
    yield Violation(field, f"{what}: pods drained from one find no other{runs}", tuple(lost))


def keys(stack: Stack, params: Params) -> Iterator[Violation]:
    """User data counts at a machine's birth: no running machine gets the new ones."""
    lost = _update(stack).keys
    if lost:
        yield Violation(
            "access",
            f"{named(lost)}: made anew or deleted, while {len(_update(stack).machines)} machines keep the old\n"
            "a machine that is made later does not fit its cluster",
            lost,
        )


def storage(stack: Stack, params: Params) -> Iterator[Violation]:
    lost = _update(stack).storage
    if lost:
        volumes = [work.name for work in stack.cluster.wanted.workloads if work.state != "none"]
        holds = f"\nvolumes of {', '.join(volumes)} may be in it" if volumes else ""
        yield Violation(
            "storage.classes",
            f"{named(lost)} deleted: nothing then attaches, detaches or deletes the volumes that are there{holds}",
            lost,
        )


def copies(stack: Stack, params: Params) -> Iterator[Violation]:
    """Nodes of Ceph's pools that go at once, with their disks and the monitors on them."""
    update = _update(stack)
    for release in ceph.clusters(stack):
        carry = {machine.wanted.pool for machine in ceph.nodes(stack, release)}
        there = [name for name, pool in update.machines.items() if pool in carry]
        lost = [name for pool in sorted(carry) for name in update.lost(pool)]
        size = ceph.copies(release)
        monitors = release.get("values", "cephClusterSpec", "mon", "count") or MONITORS
        left, struck = max(0, size - len(lost)), min(monitors, len(lost))
        if not lost or (left >= writable(size) and struck < fatal_members(monitors)):
            continue
        told = []
        if not left:
            told.append(f"of some objects all {size} copies go: their data is gone for good")
        elif left < writable(size):
            told.append(f"of some objects {left} of {size} copies is left, under {writable(size)} they take no I/O")
        if struck >= fatal_members(monitors):
            whole = "its only monitor may go too" if monitors == 1 else f"up to {struck} of {monitors} monitors go too"
            told.append(f"{whole}: without a majority of them every volume stops")
        yield Violation(
            release.name,
            f"{named(lost)} of {count(len(there), 'node')} with Ceph's disks go at once\n" + "\n".join(told),
            tuple(lost),
            of="resource",
        )


ETCD = Evidence("documented", "https://etcd.io/docs/v3.6/faq/: a cluster of n members needs n/2+1 of them")

RULES = (
    Rule(
        id="safe-quorum",
        title="An update takes more control-plane nodes at once than etcd can miss",
        severity="critical",
        level="mandatory",
        claims=(12,),
        why=(
            "Pulumi deletes and makes machines side by side, as far as nothing makes one wait for the other. So a "
            "change "
            "that builds several control-plane nodes anew takes them away together. etcd serves while a majority of "
            "its "
            "members is there; below that the API stops, and what only the lost members had is gone."
        ),
        remediation="Raise one generation at a time (generations), or pulumi up --target one machine after the other.",
        evidence=(ETCD,),
        check=quorum,
        of_update=True,
    ),
    Rule(
        id="safe-pool-emptied",
        title="An update takes every node of a pool at once",
        severity="high",
        level="mandatory",
        claims=(12,),
        why=(
            "A node that leaves is drained first: its pods move to the others of its pool. Where all nodes of the pool "
            "leave in one update, there is no other, and the drain waits for what cannot come, or the pods are gone."
        ),
        remediation="Raise the generations of some nodes of the pool at a time, or move its workloads before it goes.",
        evidence=(
            Evidence("documented", "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/"),
            Evidence("assumption", "workloads of a pool run in no other: their nodeSelector names it"),
        ),
        check=pools,
        of_update=True,
    ),
    Rule(
        id="safe-ceph",
        title="An update takes more nodes with Ceph's disks at once than their data can miss",
        severity="critical",
        level="mandatory",
        claims=(6, 12),
        why=(
            "Each copy of an object is on a node of its own, and goes with it where the machine is deleted or built "
            "anew: a VM's disks are deleted, a host may come back as another one. Ceph copies what it lost to other "
            "disks, which takes hours, and no update waits for it. With too few copies left objects take no I/O; with "
            "none left they are gone. The monitors keep their store on the system disks of the same nodes: without a "
            "majority of them nothing is read or written, and bringing one back is work by hand."
        ),
        remediation=(
            "Raise one generation at a time, and the next when `ceph status` says HEALTH_OK; take the last node of a "
            "pool away likewise."
        ),
        evidence=(
            Evidence(
                "documented",
                "docs.ceph.com/en/latest/rados/configuration/pool-pg-config-ref: below min_size objects take no I/O",
            ),
            Evidence("documented", "rook.io ceph-mon-health: a majority of monitors must be there"),
            Evidence("documented", "rook.io CephCluster CRD: dataDirHostPath is a path on the host's own disk"),
            Evidence("assumption", "a disk of a machine that is built anew holds no data of Ceph's any more"),
        ),
        check=copies,
        reads=(ceph.RELEASE,),
        of_update=True,
    ),
    Rule(
        id="safe-keys",
        title="An update makes keys anew that running machines have",
        severity="critical",
        level="mandatory",
        claims=(7,),
        why=(
            "CAs, the service accounts' key and the key of encryption at rest reach a machine with its user data, at "
            "its "
            "birth. Made anew they reach no running machine; and Secrets encrypted with a lost key stay unreadable."
        ),
        remediation="Keep them; how to change one on purpose, docs/bootstrap.md says (Keys).",
        evidence=(
            Evidence("documented", "https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/"),
            Evidence("documented", "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/"),
        ),
        check=keys,
        of_update=True,
    ),
    Rule(
        id="safe-storage",
        title="An update deletes what serves volumes that are there",
        severity="high",
        level="mandatory",
        claims=(6,),
        why=(
            "A PersistentVolume names its driver and its class. Without the driver nothing attaches, detaches or "
            "deletes "
            "it; without its class no claim of that class is bound again."
        ),
        remediation="Keep the class and its backend (storage.classes, storage of the target) until no volume is left.",
        evidence=(Evidence("documented", "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"),),
        check=storage,
        of_update=True,
    ),
)
