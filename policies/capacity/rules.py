"""Capacity: whether hosts hold their VMs and nodes their pods, also with one lost."""

from __future__ import annotations

from policies.capacity import hosts, nodes, order

RULES = (*nodes.RULES, *order.RULES, *hosts.RULES)
