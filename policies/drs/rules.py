"""The rules of the pack drs: what moving VMs is worth, and what of a VM decides whether and where it moves."""

from policies.drs import value

RULES = value.RULES
