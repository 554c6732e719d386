"""Stacks side by side: what is told of two or three of them, in each format, and what is left out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from rich.console import Console

from components import facts
from isostack.part import Part
from isostack.reference import json_schema
from isostack.report import sidemarkdown, sidetext
from isostack.report.document import document
from isostack.report.markdown import LIMIT
from isostack.sidebyside import side_by_side
from tests.cli import Run
from tests.examples import previews
from tests.saved import digest, export, written
from tests.sides import CLASS, EQUINIX, SETS, TINKERBELL, VSPHERE, as_json, changed, printed
from tests.specs import ROOT
from tests.unit.test_parity import edited, without

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("name", SETS)
def test_golden(name: str, golden: Golden) -> None:
    result = side_by_side(SETS[name])
    golden(f"sides/{name}.txt", printed(result))
    golden(f"sides/{name}.md", sidemarkdown.comment(result, None))


def test_golden_of_all_that_is_told(golden: Golden) -> None:
    result = side_by_side(SETS["all"])
    golden("sides/all-unchanged.txt", printed(result, unchanged=True))
    golden("sides/all-unchanged.md", sidemarkdown.comment(result, None, unchanged=True))
    golden("sides/all.json", json.dumps(document("diff", **result.only(None)), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("only", [None, *Part])
def test_the_document_is_as_its_schema_says(name: str, only: Part | None) -> None:
    schema = json_schema("diff")
    made = as_json(side_by_side(SETS[name]), only)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(made, schema)
    assert (
        set(made) - {"version", "command", "parity"}
        == {
            None: {"fields", "objects", "mechanisms", "machines", "resources"},
            Part.FIELD: {"fields"},
            Part.KUBERNETES: {"objects", "mechanisms"},
            Part.MACHINES: {"machines"},
            Part.RAW: {"resources"},
        }[only]
    )
    # It says of nothing else that it may be there.
    assert set(made) <= set(schema["properties"])
    for name_ in ("Alike", "Text", "Wish"):
        assert schema["$defs"][name_]["required"]


@pytest.mark.parametrize("only", list(Part))
def test_only_one_part(only: Part) -> None:
    result = side_by_side(SETS["all"])
    headings = {
        Part.FIELD: "How the fields of the spec come true",
        Part.KUBERNETES: "Kubernetes objects",
        Part.MACHINES: "Machines",
        Part.RAW: "Raw resources",
    }
    shown = printed(result, only).splitlines()
    assert [part for part, heading in headings.items() if heading in shown] == [only]
    assert shown[0].endswith("; Kubernetes objects: 39 equal")
    comment = sidemarkdown.comment(result, only)
    words = {"come true in": Part.FIELD, "**Kubernetes": Part.KUBERNETES, ">Machines<": Part.MACHINES}
    assert [part for word, part in words.items() if word in comment] == [only] * (only is not Part.RAW)
    assert (">Raw resources<" in comment) is (only is Part.RAW)


def test_differences_stand_with_their_part() -> None:
    def taint(inputs: dict[str, Any]) -> None:
        inputs["facts"]["wanted"]["taints"] = []

    def audit(inputs: dict[str, Any]) -> None:
        inputs["facts"]["wanted"]["access"]["audit"] = "none"

    other = edited(edited(TINKERBELL, facts.MACHINE, "shop-db-0", taint), facts.CLUSTER, "shop", audit)
    other = replace(other, outputs={})
    result = side_by_side([VSPHERE, other])
    wheres = {
        part: [line.split("  ")[0] for line in printed(result, part).splitlines() if line.startswith(WHERES)]
        for part in Part
    }
    assert wheres == {
        Part.FIELD: ["spec"],
        Part.KUBERNETES: ["outputs"] * len(VSPHERE.outputs or ()),
        Part.MACHINES: ["machine shop-db-0", "machine shop-db-0"],
        Part.RAW: [],
    }
    assert sum(map(len, wheres.values())) == len(result.parity.differences)
    assert "Differences</summary>" in sidemarkdown.comment(result, Part.MACHINES)
    assert "Differences</summary>" not in sidemarkdown.comment(result, Part.RAW)


WHERES = ("spec  ", "outputs  ", "machine shop")


def test_fields_that_come_true_by_the_same_way_are_counted_and_left_out() -> None:
    result = side_by_side(SETS["vsphere-tinkerbell"])
    shown = printed(result, Part.FIELD)
    assert "pools.web.size.disk" in shown
    assert "kubernetes.podCidr" not in shown
    equal = sum(len(wish.fields) for wish in result.fields if not wish.differs)
    assert f"\n{equal} fields more come true in full and by the same way: --unchanged shows them\n" in shown
    all_of_them = printed(result, Part.FIELD, unchanged=True)
    for wish in result.fields:
        for field in wish.fields:
            assert field.path in all_of_them
    assert "--unchanged" not in all_of_them


def test_a_field_that_one_spec_lacks_and_a_worse_grade_are_shown() -> None:
    def short(inputs: dict[str, Any]) -> None:
        listed = inputs["facts"]["realisations"]
        place = next(i for i, each in enumerate(listed) if each["field"] == "kubernetes.podCidr")
        listed[place] |= {"grade": "impossible", "reason": "no such thing here"}
        del listed[next(i for i, each in enumerate(listed) if each["field"] == "access.audit")]

    result = side_by_side([VSPHERE, edited(TINKERBELL, facts.CLUSTER, "shop", short)])
    assert result.fields[0].grade == "impossible"
    shown = printed(result, Part.FIELD)
    assert "fields: 102 equal, 1 impossible; " in shown
    assert "\nimpossible  kubernetes.podCidr  " in shown
    wide = printed(result, Part.FIELD, width=300).splitlines()
    assert any(line.endswith("impossible: kubeadm networking.podSubnet; no such thing here") for line in wide)
    (line,) = (line for line in wide if "access.audit  " in line and line.startswith("equal"))
    assert line.endswith("  no such field")
    comment = sidemarkdown.comment(result, Part.FIELD)
    assert "<details open><summary>1 field of the spec that come true in part, or not at all</summary>" in comment


def test_what_all_degrade_alike_is_shown() -> None:
    def short(inputs: dict[str, Any]) -> None:
        (one,) = (each for each in inputs["facts"]["realisations"] if each["field"] == "kubernetes.podCidr")
        one |= {"grade": "degraded", "reason": "nowhere in full"}

    stacks = [edited(stack, facts.CLUSTER, "shop", short) for stack in (VSPHERE, TINKERBELL)]
    shown = printed(side_by_side(stacks), Part.FIELD, width=300)
    (line,) = (line for line in shown.splitlines() if line.startswith("degraded"))
    assert line.endswith("  the same")
    assert "kubernetes.podCidr" in line
    # In a list, once for all.
    assert "  all: degraded: kubeadm networking.podSubnet;" in printed(side_by_side(stacks), Part.FIELD, width=60)


def test_what_targets_choose_alike_and_add_ons_of_all_are_left_out() -> None:
    result = side_by_side((TINKERBELL, EQUINIX))
    chosen = [choice for each in result.objects for choice in each.choices]
    assert {choice.differs for choice in chosen} == {True, False}
    equal = next(each for each in result.objects for choice in each.choices if choice.path == "provisioner")
    assert equal.name == "StorageClass fast-storageclass"
    assert "provisioner" not in printed(result, Part.KUBERNETES, width=300).replace("rbd-provisioner", "")
    assert "provisioner" in printed(result, Part.KUBERNETES, width=300, unchanged=True).replace("rbd-provisioner", "")
    # What every target has is compared, and no mechanism of any.
    own = {
        r.inputs["facts"]["name"]
        for stack in (TINKERBELL, EQUINIX)
        for r in stack.of_type(facts.ADDON)
        if not r.inputs["facts"]["common"]
    }
    assert {each.addon for each in result.mechanisms} == own
    assert not any(each.addon in own for each in result.objects)


def test_machines_fold_by_pool() -> None:
    result = side_by_side(SETS["vsphere-tinkerbell"])
    shown = printed(result, Part.MACHINES)
    assert "shop-web-0" not in shown
    for word in (
        "6 x vm",
        "6 x m32",
        "CPU +300 %, memory +300 %, disk +794 %",
        "10.20.40.32-10.20.40.37",
        "a: 2, b: 2",
    ):
        assert word in shown
    assert shown.count("every pool  ") == shown.count("each made of") == 1
    assert "vsphere VirtualMachine" in " ".join(shown.split())
    each = printed(result, Part.MACHINES, unchanged=True)
    machines = VSPHERE.of_type(facts.MACHINE)
    assert all(machine.name in each for machine in machines)
    for machine in machines:
        place = machine.inputs["facts"]["place"]
        assert f"{place['host']}, {place['address']}" in " ".join(each.split())


def test_a_machine_that_is_made_otherwise_stands_apart() -> None:
    def grow(inputs: dict[str, Any]) -> None:
        inputs["facts"]["place"]["size"]["cpus"] *= 2

    beside = without(edited(VSPHERE, facts.MACHINE, "shop-web-2", grow), "shop-web-3")
    result = side_by_side([TINKERBELL, beside])
    (web,) = (pool for pool in result.machines if pool.pool == "web")
    sizes = [(len(group.machines), dict(group.more)) for group in web.stacks[1]]
    assert sizes == [(4, {}), (1, {"cpus": 100})]
    assert [dict(group.made_of) for group in web.stacks[1]] == [
        {"command Command": 1, "vsphere DrsVmOverride": 1, "vsphere HaVmOverride": 1, "vsphere VirtualMachine": 1}
    ] * 2
    shown = printed(result, Part.MACHINES)
    assert "4 x vm\n" in shown
    assert "1 x vm\n" in shown
    each = printed(result, Part.MACHINES, unchanged=True)
    (gone,) = (line for line in each.splitlines() if "shop-web-3" in line and "machine" not in line)
    assert gone.endswith("  -")


def test_raw_resources_in_equal_number_are_counted_and_left_out() -> None:
    result = side_by_side(SETS["vsphere-tinkerbell"])
    shown = printed(result, Part.RAW)
    assert "helm.sh Release" in shown
    assert "tls PrivateKey" not in shown
    assert "tls PrivateKey" in printed(result, Part.RAW, unchanged=True)
    equal = sum(not each.differs for each in result.resources)
    assert f"\n{equal} kinds more in the same number on all: --unchanged shows them\n" in shown
    assert f"{equal} kinds more" in sidemarkdown.comment(result, Part.RAW)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", SETS)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    shown = printed(side_by_side(SETS[name]), unchanged=True, width=width)
    assert [line for line in shown.splitlines() if len(line) > width] == []
    # Nothing is lost for it: every stack and every pool is told of.
    words = "".join(shown.split())
    for stack in SETS[name]:
        assert stack.stack in words
        assert stack.of_type(facts.MACHINE)[0].inputs["facts"]["place"]["hostClass"] in words


def test_the_verdict_outlives_the_limit_of_a_comment() -> None:
    def much(inputs: dict[str, Any]) -> None:
        inputs["hidden"] = {f"key{i}": "v" * 400 for i in range(400)}

    wide = VSPHERE
    names = [resource.name for resource in VSPHERE.resources if resource.type.endswith(":NetworkPolicy")]
    for name in names:
        wide = edited(wide, "kubernetes:networking.k8s.io/v1:NetworkPolicy", name, much)
    result = side_by_side([TINKERBELL, wide, EQUINIX])
    comment = sidemarkdown.comment(result, None, unchanged=True)
    assert LIMIT - 45_000 < len(comment) <= LIMIT
    assert "**not equivalent: 6 differences; " in comment[:300]
    assert "more parts: `isostack diff` with --format json has all" in comment
    assert comment.count("<details") == comment.count("</details>")
    assert comment.count("```diff") * 2 == comment.count("```")


def test_names_are_no_markup() -> None:
    odd = replace(TINKERBELL, origin="a[red]|<b>`.json")
    result = side_by_side([VSPHERE, odd])
    assert printed(result).startswith("shop-vsphere and shop-tinkerbell (a[red]|<b>`.json): equivalent")
    comment = sidemarkdown.comment(result, None)
    assert "<b>" not in comment
    head = next(line for line in comment.splitlines() if line.startswith("| kind |"))
    assert head.replace("\\|", "").count("|") == 4


@pytest.fixture(params=[digest, export])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    edge = next(each for each in previews("edge") if each.stack == "edge-tinkerbell")
    return written(tmp_path, request.param(edge))


def test_a_file_is_a_side(saved: str) -> None:
    run = Run(ROOT, "diff", "edge-vsphere", saved, "--unchanged")
    assert (run.code, run.err.replace("\n", "")) == (0, run.err.replace("\n", ""))
    assert run.out.startswith(f"edge-vsphere and edge-tinkerbell ({saved}): equivalent with 1 degradation; ")
    live = Run(ROOT, "diff", "edge-vsphere", "edge-tinkerbell", "--format", "json").json
    read = Run(ROOT, "diff", "edge-vsphere", saved, "--format", "json").json
    for part in ("fields", "mechanisms", "machines", "resources"):
        assert read[part] == live[part]


def test_the_command_line(tmp_path: Path) -> None:
    run = Run(ROOT, "diff", "shop-tinkerbell", "shop-equinix", "shop-vsphere", "--only", "raw", "--format", "markdown")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("### isostack diff: ⚠️ shop-tinkerbell, shop-equinix and shop-vsphere\n")
    assert "<summary>Machines</summary>" not in run.out
    run = Run(ROOT, "diff", "edge-tinkerbell", "edge-vsphere", "edge-tinkerbell")
    assert (run.code, run.err) == (2, "error: edge-tinkerbell cannot differ from itself; name two stacks\n")
    run = Run(ROOT, "diff")
    said = "error: two or more are held against each other, none is named; isostack diff A B; or what changes: "
    assert (run.code, run.out, run.err[: len(said)]) == (2, "", said)
    run = Run(ROOT, "diff", "--base", "HEAD", "edge", "--unchanged")
    said = "error: --only and --unchanged are of stacks side by side; isostack diff A B\n"
    assert (run.code, run.out, run.err) == (2, "", said)
    run = Run(ROOT, "diff", "edge-tinkerbell", "edge-vsphere", "--only", "fields")
    assert run.code == 2
    assert "'field', 'kubernetes', 'machines', 'raw'" in " ".join(run.err.replace("│", " ").split())


def test_no_colour_but_on_a_terminal() -> None:
    result = side_by_side([VSPHERE, edited(TINKERBELL, *CLASS, changed)])
    assert "\x1b" not in printed(result)
    out = Console(file=io.StringIO(), width=140, force_terminal=True, color_system="standard", highlight=False)
    sidetext.side_by_side(out, result, None)
    assert isinstance(out.file, io.StringIO)
    assert "\x1b[31m-allowVolumeExpansion: true" in out.file.getvalue()


def test_one_stack_and_its_export() -> None:
    """Whatever differs of one stack is told resource by resource; among the raw."""
    there = edited(VSPHERE, "vsphere:index/virtualMachine:VirtualMachine", "shop-web-0", lambda i: i.update(numCpus=1))
    there = replace(there, origin="state.json")
    result = side_by_side([VSPHERE, there])
    assert [each.subject for each in result.differences(Part.RAW)] == ["VirtualMachine shop-web-0"]
    assert "VirtualMachine shop-web-0  numCpus" in printed(result, Part.RAW)
