"""Golden user data: of one stack of each example whole, of the others what is different, which is little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from functools import cache
from textwrap import indent

import pytest

from components.bootstrap import Late, render
from components.bootstrap.script import whole
from components.plan import MachinePlan, Plan
from isostack.inputs import read, stacks_of
from isostack.stacks import find_project
from tests.specs import ROOT

Golden = Callable[[str, str], None]
MOST = 40
"""Lines in which a machine's user data may differ from that of the same machine on another target."""
BOUNDARY = "=" * 100


@cache
def plans(spec: str) -> dict[str, Plan]:
    """The example's plans, by stack."""
    found, _ = stacks_of(find_project(ROOT), spec)
    return {stack.name: read(stack).plan() for stack in found}


def machines(plan: Plan) -> list[MachinePlan]:
    """One of each kind: the node that makes the cluster, one that joins its control plane, the last worker."""
    return list({m.name: m for m in (plan.machines[0], plan.machines[1], plan.machines[-1])}.values())


@pytest.mark.parametrize("spec", ["edge", "shop"])
def test_user_data(spec: str, golden: Golden) -> None:
    (stack, plan), *others = plans(spec).items()
    texts = [render(plan, machine, Late.placeholder()) for machine in machines(plan)]
    golden(f"userdata/{stack}.yaml", f"\n# {BOUNDARY}\n".join(map(without_script, texts)))
    for name, other in others:
        lines = []
        for machine, here, text in zip(machines(other), machines(plan), texts, strict=True):
            found = list(differences(text, render(other, machine, Late.placeholder())))
            assert (machine.name, len(found) <= MOST) == (here.name, True)
            lines += [machine.name, *(f"  {line}" for line in found or ["no difference"])]
        golden(f"userdata/{name}_against_{stack}.txt", "\n".join(lines) + "\n")


def without_script(text: str) -> str:
    """It is a file of its own, and has its own tests."""
    script = indent(whole(ROOT / "components/bootstrap/bootstrap.sh"), "    ", bool)
    script = "\n".join(line.rstrip() for line in script.splitlines())
    assert text.count(script) == 1
    return text.replace(script, "    # components/bootstrap/bootstrap.sh")


def differences(a: str, b: str) -> Iterator[str]:
    """`FILE KEY: old -> new` for a line that is another, a count of lines for those that one alone has."""
    old, new = a.splitlines(), b.splitlines()
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        if j - i != m - k:
            yield f"{place(old, i)}: {m - k} lines in place of {j - i}"
            continue
        for at, (before, after) in enumerate(zip(old[i:j], new[k:m], strict=True), start=i):
            yield f"{place(old, at)}: {before.split(': ', 1)[-1].strip()} -> {after.split(': ', 1)[-1].strip()}"


def place(lines: list[str], at: int) -> str:
    """The file that a line belongs to, and the nearest name above it or in it."""
    above = lines[: at + 1][::-1]
    file = next((line.split("path: ")[1] for line in above if line.startswith("- path: ")), "cloud-config")
    name = next((line.split("name: ")[1] for line in above[:2] if "name: " in line), "")
    return " ".join((file.strip("'"), name.strip("'"))).strip()
