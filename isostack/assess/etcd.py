"""etcd: whether a member that stands still for a moment costs the cluster its leader. Times in seconds."""

from __future__ import annotations

ELECTION = 1.0
"""etcd's election timeout, which kubeadm leaves as it is. [documented] etcd.io/docs/v3.6/tuning: 1000 ms"""


def election(stun: float, members: int, timeout: float = ELECTION) -> float:
    """Probability that the others elect a new leader when the leader stands still for `stun`.

    Each of them waits a time of its own, even between one and two timeouts. [seen] github.com/etcd-io/raft raft.go,
    resetRandomizedElectionTimeout. 3 members, 1.2 s: 0.36.
    """
    late = min(max((stun - timeout) / timeout, 0.0), 1.0)
    missed: float = (1 - late) ** (members - 1)
    return 1 - missed
