"""Any valid spec is the same cluster on every target: in the plan for many specs, in the whole preview for some."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components import bootstrap, targets
from components.plan import Plan
from components.planning import make_plan
from components.spec import Pool, Spec
from isostack.parity import Verdict, parity
from isostack.preview import preview
from isostack.stacks import find_project
from tests.configs import config_for, scratch
from tests.specs import specs


def plans(spec: Spec) -> dict[str, Plan]:
    return {kind: make_plan(spec, config_for(kind, spec)) for kind in targets.kinds()}


@given(specs())
def test_machines_are_the_same_wherever_they_stand(spec: Spec) -> None:
    first, *others = plans(spec).values()
    for other in others:
        assert [m.wanted for m in other.machines] == [m.wanted for m in first.machines]
        for a, b in zip(first.machines, other.machines, strict=True):
            ours, theirs = (bootstrap.facts(p, m, targets.raw(p.kind)) for p, m in ((first, a), (other, b)))
            assert ours.files == theirs.files
            assert theirs.carried == theirs.digest


@given(specs())
def test_every_machine_is_as_large_as_asked(spec: Spec) -> None:
    for plan in plans(spec).values():
        assert all(machine.place.size.covers(machine.wanted.size) for machine in plan.machines)


@given(specs())
def test_common_add_ons_are_the_same_but_for_their_mechanism(spec: Spec) -> None:
    common = [{a.name: (a.serves, a.mechanism) for a in plan.addons if a.common} for plan in plans(spec).values()]
    assert all(addons == common[0] for addons in common)


@given(specs())
def test_what_is_not_equal_says_why(spec: Spec) -> None:
    for plan in plans(spec).values():
        assert all(r.mechanism for r in plan.realisations)
        assert all(r.reason for r in plan.realisations if r.grade != "equal")


@pytest.mark.parametrize("kind", targets.kinds())
@given(specs(), st.data())
def test_a_grown_pool_moves_nothing(kind: str, spec: Spec, data: st.DataObject) -> None:
    grown = spec.model_copy(update={"pools": _grown(spec.pools, data.draw(st.integers(0, len(spec.pools) - 1)))})
    config = config_for(kind, grown)  # has room for the further machine
    before, after = make_plan(spec, config), make_plan(grown, config)
    places = {m.name: (m.wanted, m.place) for m in after.machines}
    assert len(places) == len(before.machines) + 1
    assert all(places[m.name] == (m.wanted, m.place) for m in before.machines)


def _grown(pools: tuple[Pool, ...], at: int) -> tuple[Pool, ...]:
    return tuple(p.model_copy(update={"nodes": p.nodes + 1}) if i == at else p for i, p in enumerate(pools))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(specs())
def test_whole_previews_are_equivalent(spec: Spec) -> None:
    with TemporaryDirectory() as folder:
        project = scratch(Path(folder))
        stacks = project.add(spec)
        found = find_project(project.root)
        result = parity(preview(found.root, [found.stack(stack) for stack in stacks]))
    assert result.differences == ()
    assert all(s.realisation.reason for s in result.shortfalls)
    assert (result.verdict is Verdict.EQUIVALENT) == (result.shortfalls == ())
