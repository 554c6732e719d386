"""Recovery: what the loss of a host takes with it, how long it stays away, and what brings it back."""

from __future__ import annotations

from policies.recovery import fencing, hosts, pods, quorum, taints

RULES = (*hosts.RULES, *quorum.RULES, *pods.RULES, *fencing.RULES, *taints.RULES)
