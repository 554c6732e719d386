"""Remediation: why the wish is not met yet. The rule only; no add-on is installed."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan import Rule, degraded, if_asked

# Honest until it can be pinned: node-healthcheck-operator 0.12 and fence-agents-remediation 0.7 are delivered by the
# Operator Lifecycle Manager, which picks the version of the day from a catalogue, and have neither chart nor manifest
# [documented] github.com/medik8s/node-healthcheck-operator docs/installation.md; issue #328.
_REASON = (
    "nothing in the cluster fences a broken node: the operators that do (medik8s) have no release that can be pinned; "
    "they come through the Operator Lifecycle Manager"
)


def remediation_rules(power: str) -> Mapping[str, Rule]:
    """`power` says what the target does for a broken node without them: `vSphere HA restarts its VM elsewhere`."""
    return {"availability.remediation": if_asked(degraded(power, _REASON))}
