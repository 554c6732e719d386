"""Kubernetes objects side by side: what differs as text, what is a secret anywhere in none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from isostack.objects import Text
from isostack.parity import Verdict
from isostack.preview.model import UNKNOWN, Secret
from isostack.report import sidemarkdown
from isostack.sidebyside import side_by_side
from tests.sides import CLASS, EQUINIX, TINKERBELL, VSPHERE, as_json, changed, printed
from tests.unit.test_parity import edited, without


def test_an_object_that_differs_is_shown_as_the_lines_that_do() -> None:
    result = side_by_side([VSPHERE, edited(TINKERBELL, *CLASS, changed)])
    (found,) = (each for each in result.objects if each.texts)
    assert (found.name, found.addon) == ("StorageClass fast-storageclass", "storage-classes")
    (text,) = found.texts
    assert (text.stacks, text.against) == ((1,), 0)
    assert text.diff is not None
    lines = text.diff.splitlines()
    assert [line for line in lines if line[0] in "+-"] == [
        "-allowVolumeExpansion: true",
        "+allowVolumeExpansion: false",
    ]
    # What a target may choose is in no difference.
    assert "other.example.com" not in text.diff
    (choice,) = (each for each in found.choices if each.path == "provisioner")
    assert choice.values == ("csi.vsphere.vmware.com", "other.example.com")
    shown = printed(result)
    assert shown.startswith("shop-vsphere and shop-tinkerbell: not equivalent: 1 difference; fields: 103 equal; ")
    assert "Kubernetes objects: 38 equal, 1 not\n" in shown
    assert "  --- shop-vsphere\n  +++ shop-tinkerbell\n" in shown
    assert "  -allowVolumeExpansion: true\n  +allowVolumeExpansion: false\n" in shown
    # Told once, by its text.
    assert "\nDifferences\n" not in shown
    comment = sidemarkdown.comment(result, None)
    assert "<details open><summary>StorageClass fast-storageclass, of the add-on storage-classes</summary>" in comment
    assert "```diff\n--- shop-vsphere\n+++ shop-tinkerbell\n@@" in comment


def test_stacks_that_differ_alike_share_a_text_and_one_may_lack_the_object() -> None:
    alike = [edited(stack, *CLASS, changed) for stack in (TINKERBELL, EQUINIX)]
    result = side_by_side([VSPHERE, *alike])
    (found,) = (each for each in result.objects if each.texts)
    assert [text.stacks for text in found.texts] == [(1, 2)]
    assert "  +++ shop-tinkerbell, shop-equinix\n" in printed(result)
    result = side_by_side([VSPHERE, without(TINKERBELL, "partner-namespace"), EQUINIX])
    (found,) = (each for each in result.objects if each.texts)
    assert found.texts == (Text((1,), 0, None),)
    assert "Namespace partner-namespace of the add-on tenants\n  absent on shop-tinkerbell\n" in printed(result)
    assert "Absent on shop-tinkerbell." in sidemarkdown.comment(result, None)
    # It need not be the first that has it.
    result = side_by_side([without(VSPHERE, "partner-namespace"), TINKERBELL])
    (found,) = (each for each in result.objects if each.texts)
    assert found.texts == (Text((0,), 1, None),)


def test_lines_of_a_text_in_an_object_are_lines_of_its_difference() -> None:
    (script,) = (r for r in TINKERBELL.resources if r.name == "system-upgrade-upgrade-configmap")
    key, text = "SCRIPT", script.inputs["data"]["SCRIPT"]
    lines = text.splitlines()

    def other(inputs: dict[str, Any]) -> None:
        inputs["data"][key] = text.replace(lines[5], "exit 7")

    assert lines.count(lines[5]) == 1
    result = side_by_side([VSPHERE, edited(TINKERBELL, script.type, script.name, other)])
    ((found,),) = (each.texts for each in result.objects if each.texts)
    changed_lines = [line for line in (found.diff or "").splitlines() if line[0] in "+-"]
    assert [line[1:].strip() for line in changed_lines] == [lines[5].strip(), "exit 7"]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (Secret("hush-hush"), "hush-hush"),
        (Secret({"a": "hush-hush"}), {"a": "hush-hush", "b": "hush-hush"}),
        ({"a": Secret("x")}, {"a": "hush-hush"}),
        ([{"name": "n", "value": Secret("x")}], [{"name": "n", "value": "hush-hush"}, {"name": "m", "value": "fine"}]),
        ([Secret("x")], ["another", "hush-hush"]),
        ([[Secret("x")], "p"], [["hush-hush"], "q"]),
    ],
)
def test_what_is_secret_on_one_side_is_shown_on_none(theirs: Any, ours: Any) -> None:
    one = edited(VSPHERE, *CLASS, lambda inputs: inputs.update(hidden=theirs))
    other = edited(TINKERBELL, *CLASS, lambda inputs: inputs.update(hidden=ours))
    for stacks in ((one, other), (other, one), (one, EQUINIX, other)):
        result = side_by_side(stacks)
        assert result.parity.verdict is Verdict.NOT
        texts = [printed(result, unchanged=True), sidemarkdown.comment(result, None), json.dumps(as_json(result))]
        for text in texts:
            assert "hush-hush" not in text
            assert "(stands in clear)" in text
            assert "[secret]" in text.replace("\\[secret\\]", "[secret]")


def test_secrets_that_differ_and_what_is_not_known_are_no_difference() -> None:
    one = edited(VSPHERE, *CLASS, lambda inputs: inputs.update(a=Secret("x"), b=UNKNOWN))
    other = edited(TINKERBELL, *CLASS, lambda inputs: inputs.update(a=Secret("y"), b=UNKNOWN))
    assert not any(each.texts for each in side_by_side([one, other]).objects)
