"""Capacity: what hosts hold, what is left of it after a loss, and who stands beside whom. Pure functions.

Units: bytes of memory in MiB where the name says so, logical CPUs (hardware threads). Validity: requests, not use;
steady state; no fit into NUMA nodes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import ceil, comb

from components.sizing import DAEMON_PODS, allocatable, nodes_needed, of_pool
from components.spec import MAX_PODS, Size, Spec, Workload

MEMORY_MB, VCPUS = (256, 1024, 4096, 16384), (1, 2, 4, 8)
OVERHEAD_MB = (
    (20.29, 24.28, 32.23, 48.16),
    (25.90, 29.91, 37.86, 53.82),
    (48.64, 52.72, 60.67, 76.78),
    (139.62, 143.98, 151.93, 168.60),
)
"""Memory that ESXi adds to a VM, by its memory and by its virtual CPUs [documented] vSphere 6.7 Resource Management,
Overhead Memory on Virtual Machines, "sample values"; later versions publish none."""
SIZE, MIN_SIZE = 3, 2
"""Copies that Ceph keeps of an object, and those that must be there for it to be written [documented]
docs.ceph.com/en/latest/rados/configuration/pool-pg-config-ref: osd_pool_default_size, osd_pool_default_min_size."""
MONITORS = 3
"""That Ceph's cluster chart runs where it is told no number [seen] github.com/rook/rook v1.20.6
deploy/charts/rook-ceph-cluster/values.yaml."""
VOLUMES_PER_NODE = 59
"""Block volumes that the vSphere CSI driver attaches to one node, unless it is told 255 [seen]
github.com/kubernetes-sigs/vsphere-csi-driver pkg/csi/service/node.go; [documented] github.com/openshift/openshift-docs
pull request 114546."""


def vm_overhead(vcpus: int, memory_mb: float) -> float:
    """MB that the hypervisor adds to a VM: between the table's values, and on from its last ones [assumption] above 8
    vCPU and 16 GiB. 4 and 16384: 151.9; 16 and 65536: 573.7."""
    i = _segment(VCPUS, vcpus)
    at = [_between(VCPUS[i : i + 2], row[i : i + 2], vcpus) for row in OVERHEAD_MB]
    j = _segment(MEMORY_MB, memory_mb)
    return _between(MEMORY_MB[j : j + 2], at[j : j + 2], memory_mb)


def _segment(points: Sequence[float], x: float) -> int:
    return min(max(bisect_right(points, x) - 1, 0), len(points) - 2)


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    ((x0, x1),), ((y0, y1),) = pairwise(xs), pairwise(ys)
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def vms_on_host(usable_cpus: int, usable_mb: float, vcpus: int, memory_mb: float) -> int:
    """VMs of one size that a host holds, a thread for each virtual CPU. 126 threads and 496.64 GiB, 16 vCPU and 64 GiB:
    7."""
    return int(min(usable_cpus // vcpus, usable_mb // (memory_mb + vm_overhead(vcpus, memory_mb))))


def restartable(free_mb: Sequence[float], vms: Sequence[tuple[int, float]]) -> list[bool]:
    """For each VM, by its virtual CPUs and MB, whether it starts on one of the hosts that have so much memory free: the
    largest first, each on the first host with room [assumption]. Memory is what counts, since it is reserved; CPUs are
    shared. 40000 free, two of 16 and 32768 MB: one of them."""
    free, found = list(free_mb), [False] * len(vms)
    for i in sorted(range(len(vms)), key=lambda i: -vms[i][1]):
        takes = vms[i][1] + vm_overhead(*vms[i])
        host = next((at for at, left in enumerate(free) if left >= takes), None)
        if host is not None:
            free[host] -= takes
            found[i] = True
    return found


def admitted(hosts_mb: Sequence[float], lost: int, vcpus: int, memory_mb: float, reserved_mb: float = 0) -> int:
    """VMs of one size and reservation that vSphere HA's admission control lets in with the largest hosts lost.

    It counts reserved memory and overhead alone [documented] docs.vmware.com vSphere 8.0 Availability, GUID-53F6938C. 4
    hosts of 512 GiB, 1 lost, 4 vCPU and 16 GiB, none reserved: 10352.
    """
    kept = sum(sorted(hosts_mb)[: max(0, len(hosts_mb) - lost)])
    return int(kept // (reserved_mb + vm_overhead(vcpus, memory_mb)))


def hosts_apart(members: int, surge: int, reserve: int) -> int:
    """Hosts that a mandatory anti-affinity rule needs: for a member more during an upgrade, or for those of lost hosts
    to start again. 3, 1, 1: 4."""
    return members + max(surge, reserve)


def together(on_hosts: Sequence[int], replicas: int) -> float:
    """Probability that two of so many replicas on different nodes are on one host, for the nodes on each host. 4 hosts
    of 4 and 3 replicas: 0.543."""
    ways = [1]
    # Of hosts that carry equally many, so many ways to take one node from each of k: there are few such groups.
    for nodes, alike in Counter(on_hosts).items():
        group = [comb(alike, k) * nodes**k for k in range(min(alike, replicas) + 1)]
        ways = [
            sum(ways[i] * group[k - i] for i in range(max(0, k - len(group) + 1), min(k, len(ways) - 1) + 1))
            for k in range(min(replicas, len(ways) + len(group) - 2) + 1)
        ]
    apart = ways[replicas] if replicas < len(ways) else 0
    return 1 - apart / comb(sum(on_hosts), replicas)


def quorum_lost(members: int, hosts: int) -> float:
    """Probability that the loss of one host takes etcd's majority, members placed at random. 3 on 4 hosts: 0.156."""
    fatal, p = fatal_members(members), 1 / hosts
    return sum(comb(members, k) * p**k * (1 - p) ** (members - k) for k in range(fatal, members + 1))


def fatal_members(members: int) -> int:
    """Members of etcd whose loss leaves no majority: 2 of 3."""
    return members - members // 2


def quorum_hosts(members: int) -> int:
    """Hosts on which members of etcd can stand so that the loss of one leaves a majority: 3: 3, 5: 3. Of one or two
    members each loss is fatal: as many hosts as members."""
    harmless = fatal_members(members) - 1
    return ceil(members / harmless) if harmless else members


def writable(size: int) -> int:
    """Copies that must be there for an object to take I/O, where nothing else is set: 3: 2, 2: 1 [seen] ceph/ceph pull
    request 20555, src/mon/OSDMonitor.cc."""
    return size - size // 2


def most_replicas(on_host: int, nodes: int, replicas: int) -> int:
    """Replicas that a host with so many of a pool's nodes carries at most, where they are spread evenly over nodes."""
    each, more = divmod(replicas, nodes)
    return on_host * each + min(on_host, more)


def carried(spec: Spec, pool: str) -> list[Workload]:
    """The workloads of a pool, each pod with what its sandbox takes beside it."""
    return of_pool(spec, spec.pool(pool))


def needed(size: Size, workloads: Sequence[Workload], pods: int = MAX_PODS) -> int | None:
    """Nodes of this size for the workloads, first fit decreasing, so many pods a node; None: a replica fits none."""
    return nodes_needed(size, list(workloads), pods)


def binding(size: Size, workloads: Sequence[Workload], pods: int = MAX_PODS) -> str:
    """What most nodes are needed for: CPU, memory or the number of pods; nothing where no workload asks for any."""
    cpu, memory = allocatable(size)
    asked = {
        "CPU": sum(w.replicas * w.requests.cpu for w in workloads) / max(cpu, 1),
        "memory": sum(w.replicas * w.requests.memory for w in workloads) / max(memory, 1),
        "the number of pods": sum(w.replicas for w in workloads) / (pods - DAEMON_PODS),
    }
    return max(asked, key=lambda limit: asked[limit])


def without(workloads: Sequence[Workload], lost: int) -> list[Workload]:
    """What must run with so many nodes lost: all, but a workload that copies its own data waits for one replica a node
    [assumption]."""
    return [
        w.model_copy(update={"replicas": max(1, w.replicas - lost)}) if w.state == "replicated" else w
        for w in workloads
    ]


def volumes_on_node(volumes: int, nodes: int) -> int:
    """Volumes on one node of a pool when another is lost, spread evenly; one for each replica [assumption]."""
    return ceil(volumes / max(1, nodes - 1))
