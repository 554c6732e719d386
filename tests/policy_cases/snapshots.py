"""Cases of the pack snapshots."""

from __future__ import annotations

from tests.policy_cases import Case
from tests.policy_stacks import metal, virtual
from tests.specs import rich

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
)
