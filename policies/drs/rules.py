"""The rules of the pack drs: what moving VMs is worth, and what of a VM decides whether and where it moves."""

from policies.drs import descheduler, numa, value, vms

RULES = (*value.RULES, *vms.RULES, *numa.RULES, *descheduler.RULES)
