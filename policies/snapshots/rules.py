"""The rules of the pack snapshots: what is a backup, how good it is, and what only looks like one."""

from policies.snapshots import backup, vms

RULES = (*backup.RULES, *vms.RULES)
