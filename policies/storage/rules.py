"""Storage: whether volumes can be had and attached, where their copies are, and what erases them."""

from __future__ import annotations

from policies.storage import disks, volumes

RULES = (*volumes.RULES, *disks.RULES)
