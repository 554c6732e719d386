"""Realisations: every field of a spec comes true on every target, or the target says why not."""

import pytest
from hypothesis import given

from components import targets
from components.plan import Rule
from components.realise import SHARED, leaves, patterns
from components.spec import Spec
from tests.configs import config_for
from tests.specs import rich, specs


def rules(kind: str, spec: Spec) -> dict[str, Rule]:
    from components.planning import wanted_machines

    planner, config = targets.planner(kind), config_for(kind, spec)
    return dict(planner.rules(spec, config, planner.assign(spec, config, wanted_machines(spec))))


@pytest.mark.parametrize("kind", targets.kinds())
def test_every_field_has_a_rule_and_where_nothing_is_scarce_only_one(kind: str) -> None:
    own = rules(kind, rich())
    assert set(SHARED) | set(own) == set(patterns())
    assert not set(SHARED) & set(own)


@given(specs())
def test_leaves_match_the_patterns_of_the_types(spec: Spec) -> None:
    known = set(patterns())
    found = list(leaves(spec))
    assert {leaf.pattern for leaf in found} <= known
    assert len({leaf.path for leaf in found}) == len(found)


def test_a_spec_with_everything_uses_every_pattern() -> None:
    assert {leaf.pattern for leaf in leaves(rich())} == set(patterns())
