"""Cases of the pack snapshots."""

from __future__ import annotations

from tests.policy_cases import Case
from tests.policy_stacks import metal, virtual
from tests.specs import rich

ONLY = "spec backup.volumes: none: search keeps its only copy on a volume, lost with the storage or by one wrong delete"
REPLICATED = {"workloads.3.state": "replicated"}

CASES = (
    Case(
        "backup-etcd-missing",
        metal(rich({"backup": {}})),
        ("spec backup.etcd: none: the loss of 2 of 3 control-plane nodes takes every API object with it",),
    ),
    Case("backup-etcd-missing", metal(rich())),
    Case(
        "backup-etcd-missing",
        virtual(rich({"backup": {}})),
        (
            "spec backup.etcd: none: the loss of 2 of 3 control-plane nodes takes every API object with it\n"
            "a snapshot of their VMs is none: to revert one breaks raft, and volumes attached meanwhile do not detach",
        ),
    ),
    Case("backup-etcd-missing", virtual(rich())),
    Case(
        "backup-volumes-missing",
        virtual(rich({"backup": {}})),
        (f"{ONLY}\na snapshot of the node's VM is none: the volume is not the node's, and does not detach meanwhile",),
    ),
    Case("backup-volumes-missing", virtual(rich())),
    Case("backup-volumes-missing", virtual(rich({"backup": {}} | REPLICATED))),
    Case(
        "backup-volumes-missing",
        metal(rich({"backup": {}})),
        (f"{ONLY}\na VolumeSnapshot is none: it lies in the storage that it is a snapshot of",),
    ),
    Case("backup-volumes-missing", metal(rich())),
)
