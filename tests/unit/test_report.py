"""Reports as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import StringIO

from rich.console import Console

from components.vsphere.raw import VM
from isostack.comparison import Comparison, compare
from isostack.finding import Declared, Finding, Judgement
from isostack.preview import Preview
from isostack.report import text
from tests.examples import previews

SHOP = previews("shop")


def printed(result: Comparison) -> str:
    out = Console(file=StringIO(), width=300)
    text.comparison(out, result)
    return str(out.file.getvalue())  # type: ignore[attr-defined]


def compared(*stacks: Preview, findings: Mapping[str, tuple[Finding, ...]] | None = None) -> str:
    said = {stack.stack: Judgement((findings or {}).get(stack.stack, ())) for stack in stacks}
    rules = tuple(Declared(rule, "p", "t", "high", "advisory", "do", ()) for rule in ("a-rule", "b-rule"))
    return printed(compare(stacks, rules, said))


def test_a_mistake_of_many_machines_is_one_row() -> None:
    *others, vsphere = SHOP
    halved = tuple(replace(r, inputs={**r.inputs, "numCpus": 1}) if r.type == VM else r for r in vsphere.resources)
    shown = compared(*others, replace(vsphere, resources=halved))
    assert shown.startswith("shop on equinix, tinkerbell, vsphere: not equivalent: 14 differences\n")
    rows = [line.split("  ")[0] for line in shown.splitlines() if "  cpus  " in line]
    assert rows == [
        "machine shop-control-plane-0 and 2 more",
        "machine shop-web-0 and 7 more",
        "machine shop-db-0 and 2 more",
    ]


def test_what_a_policy_blocks_stands_beside_the_verdict() -> None:
    finding = Finding("a-rule", "p", "t", "high", "mandatory", "violated", "", "", "", "no", "do", ())
    lines = compared(*SHOP, findings={SHOP[1].stack: (finding, replace(finding, level="advisory", rule="b-rule"))})
    assert lines.splitlines()[2] == "shop-tinkerbell: blocked by policy: a-rule"
    assert "blocked" not in compared(*SHOP)


def test_one_stack_is_not_called_equivalent() -> None:
    lines = compared(SHOP[1]).splitlines()
    assert lines[0] == "shop on tinkerbell: nothing to compare with"
    assert lines[1].startswith("there is one; in it: spec, PKI, 13 keys, 14 machines")
