"""Inputs of an assessment from a file of measurements: how full nodes are, and how unlike workloads are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from components.problems import InvalidInput, Problem, listed
from components.rules import Evidence
from components.spec import Spec
from isostack.assess.inputs import Input
from isostack.assess.questions.balance import UTILISATION, VARIATION
from isostack.assess.usage import Matched, Usage, filled, matched, per_replica


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file says of a spec's workloads."""

    inputs: Mapping[str, Input]
    """By id: those that it says."""
    notes: tuple[Problem, ...]
    """What it leaves out, or has beside them."""


def measured(usage: Usage, spec: Spec) -> Measured:
    """Raises InvalidInput where it has no workload of the spec."""
    # A tenant's namespace is named like it; pods of other pools may be in any.
    owners = {work.name: spec.pool(work.pool).tenant for work in spec.workloads}
    found = matched(usage, spec.workloads, {name: tenant for name, tenant in owners.items() if tenant})
    if not found.pods and not found.totals:
        what = f"none of its {len(usage.names)} columns is of a workload of the spec"
        raise InvalidInput([Problem(what, f"it has {listed([*owners]) or 'none'}", file=usage.source)])
    each = per_replica(usage, found, spec.workloads)
    workloads = [work for work in spec.workloads if work.name in each.names]
    used = filled(each)
    # Of the nodes of the pools that were measured: the others are as they are assumed.
    pools = {work.pool for work in workloads}
    there = sum(pool.nodes * pool.size.cpus for pool in spec.pools if pool.name in pools)
    share = float(np.mean(used @ np.array([work.replicas for work in workloads]))) / there
    inputs = {UTILISATION.id: _of(UTILISATION, share, usage)}
    if len(workloads) > 1:
        shares = used / np.array([work.requests.cpu / 1000 for work in workloads])
        mean = shares.mean(axis=1)
        # At one moment, which is what runs short, and not of means over days.
        at_once = np.divide(shares.std(axis=1), mean, out=np.zeros_like(mean), where=mean > 0)
        inputs[VARIATION.id] = _of(VARIATION, float(at_once.mean()), usage)
    return Measured(inputs, tuple(_notes(usage, found)))


def _of(each: Input, value: float, usage: Usage) -> Input:
    within = min(max(value, each.least), each.most)
    evidence = Evidence("measured", f"by you, in {usage.source}")
    return replace(each, value=within, low=within, high=within, evidence=evidence)


def _notes(usage: Usage, found: Matched) -> Iterator[Problem]:
    if found.unmeasured:
        what = f"not measured: {listed(found.unmeasured)}"
        yield Problem(what, "they count as idle in how full nodes are", file=usage.source)
    if found.unmatched:
        what = f"of no workload of the spec: {listed(found.unmatched)}"
        yield Problem(what, "they are left out", file=usage.source)
