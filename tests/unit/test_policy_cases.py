"""Each rule speaks where it should, in these words, and nowhere else; on each kind of machine that it is for."""

from __future__ import annotations

import pytest

from components.rules import Rule, Stack, Undecided
from tests.policy_cases import Case, cases
from tests.policy_stacks import ALL as RULES
from tests.policy_stacks import found

ALL = dict(cases())


@pytest.mark.parametrize("case", ALL.values(), ids=ALL)
def test_a_rule_says_what_it_should(case: Case) -> None:
    assert case.declared.machines & case.stack.kinds, "it would not be asked"
    if case.undecided:
        with pytest.raises(Undecided, match=r".") as raised:
            found([case.declared], case.stack, **case.params)
        assert str(raised.value) == case.undecided
    else:
        assert found([case.declared], case.stack, **case.params) == list(case.says)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_speaks_somewhere_and_is_silent_somewhere(rule: Rule) -> None:
    for kind in sorted(rule.machines):
        own = [case for case in ALL.values() if case.declared is rule and _is_of(case.stack, kind)]
        assert any(case.says for case in own), f"nothing shows that it speaks of a stack of {kind}"
        assert any(not case.says and not case.undecided for case in own), f"nothing shows that it is silent on {kind}"


def _is_of(stack: Stack, kind: str) -> bool:
    return kind in stack.kinds
