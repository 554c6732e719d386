"""`isostack assess`: what it comes to, in text, Markdown and JSON; inputs of one's own, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from components.problems import InvalidInput
from isostack.assess.answers import Answer
from isostack.assess.questions import inputs, questions
from isostack.assessment import Assessment, Overall, Side, _overall, assess, planned_cases
from isostack.explaining import explanation
from isostack.given import given
from isostack.inputs import plan_all, stacks_of
from isostack.report import assessed, assessment
from isostack.stacks import find_project
from tests.cli import Run
from tests.specs import ROOT

PRICES = Path("docs/prices.yaml")


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of inputs is named as its user does."""
    monkeypatch.chdir(ROOT)


def assessed_spec(spec: str) -> Assessment:
    return assess(planned_cases(plan_all(stacks_of(find_project(ROOT), spec)[0])), given(PRICES, inputs()))


def of(ahead: str | None, stacks: tuple[str, ...] = ("a", "b")) -> Answer:
    return Answer("q", "t", "s", {}, ahead, stacks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "overall"),
    [
        ([of("VMs"), of(None)], Overall.VMS),
        ([of("metal"), of("metal")], Overall.METAL),
        ([of("VMs"), of("metal"), of("metal")], Overall.NEITHER),
        ([of(None)], Overall.EQUAL),
        ([of(None, ())], Overall.ALONE),
        ([of("VMs"), of(None, ())], Overall.VMS),
    ],
)
def test_dominance_or_none(answers: list[Answer], overall: Overall) -> None:
    assert _overall(answers) is overall


def test_headlines() -> None:
    shop = assessed_spec("shop")
    assert re.fullmatch(
        r"of \d+ questions VMs are ahead in \d+, metal in \d+, equal in \d+: neither dominates, what counts for you "
        r"decides",
        assessed.headline(shop),
    )
    behind = replace(shop, overall=Overall.VMS, answers=tuple(a for a in shop.answers if a.ahead == "VMs"))
    assert assessed.headline(behind).endswith("metal in 0: VMs are ahead, and behind in nothing")
    without = replace(shop, answers=(*behind.answers, *(replace(a, stacks=()) for a in shop.answers[:2])))
    assert assessed.headline(without).endswith("; 2 more have no answer")
    alone = replace(shop, overall=Overall.ALONE, sides=(Side("a", "metal", ""), Side("b", "VMs", "2026-06-30")))
    assert assessed.headline(alone) == "nothing to weigh: there are stacks on metal alone"
    assert assessed.sides(shop) == (
        "shop-tinkerbell (metal), shop-vsphere (VMs); shop-equinix is only shown: its service ended on 2026-06-30"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.00213, "0.00213"), (12.5, "12.5"), (1968, "1,970"), (398_123, "398,000"), (1e-9, "under 0.0001")],
)
def test_numbers(value: float, text: str) -> None:
    assert assessed.number(value) == text


@pytest.mark.parametrize("spec", ["shop", "edge"])
def test_a_page(spec: str, golden: Callable[[str, str], None]) -> None:
    golden(f"assess/{spec}.md", assessment.markdown(assessed_spec(spec)))


def test_the_command() -> None:
    run = Run(ROOT, "assess", "shop", "--inputs", str(PRICES))
    assert run.code == 0
    assert run.out.startswith("shop, on VMs or on metal? Of ")
    for name in questions():
        assert name in run.out
    document = Run(ROOT, "assess", "edge", "--format", "json").json
    assert (document["command"], document["assessment"]["overall"]) == ("assess", "neither is ahead in all")
    by_name = {each["question"]: each for each in document["assessment"]["answers"]}
    assert by_name.keys() == questions().keys()
    assert by_name["sizing.hosts"]["results"]["edge-vsphere"] == {"value": 2.0, "low": 2.0, "high": 2.0}
    assert {each["id"] for each in document["assessment"]["inputs"]} == inputs().keys()


def test_every_number_can_be_traced() -> None:
    for question in questions().values():
        text = " ".join(explanation(question.id).split())
        for function in (question.model, *question.functions):
            assert f"{function.__module__.replace('.', '/')}.py {function.__qualname__}" in text
            assert (ROOT / f"{function.__module__.replace('.', '/')}.py").is_file()
        for each in question.inputs:
            assert f"{each.id} {assessed.span(each)}: {each.title} {each.evidence}" in text
    for each in inputs().values():
        text = explanation(each.id)
        assert " ".join(str(each.evidence).split()) in " ".join(text.split())
        assert all((f"  {q.id} " in text) == (each in q.inputs) for q in questions().values())
    assert [line.split()[0] for line in explanation("inputs").splitlines()] == list(inputs())
    with pytest.raises(InvalidInput, match=r"did you mean 'recovery\.boot'"):
        explanation("recovery.bot")


def test_inputs_of_one_s_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("recovery.boot: 45\ncost.kwh: {low: 0.1, value: 0.2, high: 0.3}\n", "utf-8")
    found = given(file, inputs())
    boot, kwh = found["recovery.boot"], found["cost.kwh"]
    assert (boot.low, boot.value, boot.high) == (45, 45, 45)
    assert (kwh.low, kwh.value, kwh.high) == (0.1, 0.2, 0.3)
    assert str(kwh.evidence) == f"[assumption] given in {file}"
    assert found["recovery.start"] is inputs()["recovery.start"]


def test_faults_of_a_file_of_inputs(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "recovery.bot: 45\n"
        "recovery.boot: soon\n"
        "recovery.start: {low: 1, value: 2}\n"
        "recovery.attach: {low: 3, value: 2, high: 4}\n"
        "recovery.fence:\n"
        "  low: -1\n"
        "  value: 2\n"
        "  high: 4\n"
        "balance.utilisation: true\n"
        "nothing.like.it.at.all: 1\n",
        "utf-8",
    )
    with pytest.raises(InvalidInput) as error:
        given(file, inputs())
    assert [str(problem).removeprefix(f"{file}:") for problem in error.value.problems] == [
        "1:15: recovery.bot: no such input; did you mean 'recovery.boot'?",
        "2:16: recovery.boot: neither a number nor a range; recovery.boot: 1.5, or {low: 1, value: 1.5, high: 2}",
        "3:17: recovery.start: not a range; {low: 1, value: 1.5, high: 2}, all of them numbers",
        "4:18: recovery.attach: 3, 2 and 4 do not ascend; low is least, high is most",
        "6:8: recovery.fence.low: -1 is out of range; from 0 to 3600 s",
        "9:22: balance.utilisation: neither a number nor a range; balance.utilisation: 1.5, or {low: 1, value: 1.5, "
        "high: 2}",
        "10:25: nothing.like.it.at.all: no such input; `isostack explain inputs` lists them",
    ]


def test_what_is_no_spec_or_no_file() -> None:
    assert "did you mean 'shop'" in Run(ROOT, "assess", "shpo").err
    assert "no such file" in Run(ROOT, "assess", "shop", "--inputs", "nothing.yaml").err


TOP = """\
NAMESPACE     NAME                          CPU(cores)   MEMORY(bytes)
shop          checkout-7d9fc48b5-x2x8q      200m         300Mi
shop          checkout-7d9fc48b5-b4c5d      300m         300Mi
shop          catalogue-6c8d8b7f9c-x2x8q    400m         300Mi
shop          orders-db-0                   6000m        30Gi
shop          search-0                      2000m        20Gi
kube-system   cilium-x2x8q                  100m         300Mi
"""


def test_measured_use_takes_the_place_of_what_is_assumed(tmp_path: Path) -> None:
    file = tmp_path / "top.txt"
    file.write_text(TOP, "utf-8")
    run = Run(ROOT, "assess", "shop", "--usage", str(file), "--format", "json")
    told = run.err.replace(str(file), "top.txt").splitlines()
    assert told == [
        "warning: top.txt: not measured: partner-feed; they count as idle in how full nodes are",
        "warning: top.txt: of no workload of the spec: kube-system/cilium-x2x8q; they are left out",
    ]
    found = {each["id"]: each for each in run.json["assessment"]["inputs"]}
    used = 12 * 0.25 + 18 * 0.4 + 3 * 6 + 2
    assert found["balance.utilisation"]["value"] == pytest.approx(used / (6 * 8 + 3 * 16))
    shares = [0.25 / 0.5, 0.4 / 1, 6 / 8, 2 / 4]
    mean = sum(shares) / 4
    deviation = (sum((share - mean) ** 2 for share in shares) / 4) ** 0.5
    assert found["balance.variation"]["value"] == pytest.approx(deviation / mean)
    for name in ("balance.utilisation", "balance.variation"):
        assert found[name]["evidence"] == {"grade": "measured", "source": f"by you, in {file}"}
        assert found[name]["low"] == found[name]["high"] == found[name]["value"]


def test_measurements_of_something_else(tmp_path: Path) -> None:
    file = tmp_path / "top.txt"
    file.write_text("NAME            CPU(cores)   MEMORY(bytes)\nother-0   200m   300Mi\n", "utf-8")
    run = Run(ROOT, "assess", "shop", "--usage", str(file))
    assert run.code == 2
    assert run.err.replace(str(file), "top.txt") == (
        "error: top.txt: none of its 1 columns is of a workload of the spec; it has checkout, catalogue, orders-db, "
        "search and 1 more\n"
    )
