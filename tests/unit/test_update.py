"""What an `up` takes away, worked out of a preview and of what is there; and how `isostack check` is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components import facts
from isostack.preview import Preview
from isostack.preview.model import Resource
from isostack.saved import read_saved
from isostack.update import STORAGE_CLASS, update
from tests.cli import Run
from tests.examples import previews
from tests.saved import digest, export, written
from tests.specs import ROOT


@pytest.fixture(params=["shop-vsphere", "shop-tinkerbell", "shop-equinix"])
def stack(request: pytest.FixtureRequest) -> Preview:
    return next(each for each in previews("shop") if each.stack == request.param)


def without(preview: Preview, *urns: str) -> Preview:
    """Less these resources, and all that is below them."""
    gone = set(urns)
    for resource in preview.resources:
        if resource.parent in gone:
            gone.add(resource.urn)
    return replace(preview, resources=tuple(r for r in preview.resources if r.urn not in gone))


def named(preview: Preview, kind: str, name: str) -> Resource:
    (found,) = (each for each in preview.of_type(kind) if each.name == name)
    return found


def test_nothing_is_taken_from_a_stack_that_stays(stack: Preview) -> None:
    assert update(stack) is None
    found = update(replace(stack, before=stack))
    assert found is not None
    assert (len(found.machines), found.rebuilt, found.gone, found.keys, found.storage) == (14, (), (), (), ())
    assert set(found.machines.values()) == {"control-plane", "web", "db", "partner"}


def test_what_a_generation_builds_anew(stack: Preview) -> None:
    """What is raw of a machine, and not what only hangs on it."""
    machine = named(stack, facts.MACHINE, "shop-web-0")
    changed = tuple(
        replace(each, replacement_trigger="another") if _below(stack, each, machine.urn) and each.custom else each
        for each in stack.resources
    )
    found = update(replace(stack, before=replace(stack, resources=changed)))
    assert found is not None
    assert (found.rebuilt, found.gone) == (("shop-web-0",), ())
    membership = named(stack, "command:local:Command", "shop-web-0-membership")
    asked = replace(stack, before=stack, replaced=frozenset({membership.urn}))
    again = update(asked)
    assert again is not None
    assert again.rebuilt == ()


def _below(preview: Preview, resource: Resource, urn: str) -> bool:
    above = resource.parent
    while above and above != urn:
        above = preview.by_urn[above].parent
    return above == urn


def test_what_goes_for_good(stack: Preview) -> None:
    machine = named(stack, facts.MACHINE, "shop-web-5")
    found = update(replace(without(stack, machine.urn), before=stack))
    assert found is not None
    assert (found.rebuilt, found.gone) == ((), ("shop-web-5",))


def test_keys_that_are_lost_or_made_anew(stack: Preview) -> None:
    (pki,) = stack.of_type(facts.PKI)
    kept = {key.name: key for key in stack.children(pki.urn) if key.protect and key.type.endswith(":PrivateKey")}
    lost, again, admin = kept["shop-ca"], kept["shop-sa"], named(stack, "tls:index/privateKey:PrivateKey", "shop-admin")
    after = replace(without(stack, lost.urn), before=stack, replaced=frozenset({again.urn, admin.urn}))
    found = update(after)
    assert found is not None
    assert found.keys == ("shop-ca", "shop-sa")
    # Under another name it is the same: an alias says so.
    renamed = replace(lost, urn=f"{lost.urn}-x", name="shop-ca-x", aliases=(lost.urn,))
    kept_on = replace(stack, resources=tuple(renamed if r is lost else r for r in stack.resources), before=stack)
    found = update(kept_on)
    assert found is not None
    assert found.keys == ()


def test_storage_that_goes(stack: Preview) -> None:
    (fast,) = stack.of_type(STORAGE_CLASS)
    found = update(replace(without(stack, fast.urn), before=stack))
    assert found is not None
    assert found.storage == ("StorageClass fast",)
    addon = next(a for a in stack.of_type(facts.ADDON) if "storage.classes.*.name" in a.inputs["facts"]["serves"])
    found = update(replace(without(stack, addon.urn), before=stack))
    assert found is not None
    assert f"add-on {addon.name}" in found.storage


def test_a_preview_of_the_engine_says_it_itself(tmp_path: Path) -> None:
    (_, vsphere) = previews("edge")
    document = digest(vsphere)
    for step in document["steps"]:
        step["oldState"] = step["newState"]
        step["op"] = "replace" if step["newState"]["urn"].endswith("::edge-apps-0") else "same"
    document["changeSummary"] = {}
    found = update(read_saved(written(tmp_path, document)))
    assert found is not None
    assert found.rebuilt == ("edge-apps-0",)
    for step in document["steps"]:
        del step["oldState"]
    assert update(read_saved(written(tmp_path, document, "new.json"))) is None


def test_check_over_what_is_deployed(tmp_path: Path) -> None:
    (_, vsphere) = previews("edge")
    document: Any = export(vsphere)
    for resource in document["deployment"]["resources"]:
        if resource["type"].endswith(":VirtualMachine") and "control-plane" in resource["urn"]:
            resource["replacementTrigger"] = 0  # another generation
    file = written(tmp_path, document)
    ask = ("check", "edge-vsphere", "--pack", "safety", "--format", "json")
    run = Run(ROOT, *ask, "--deployed", file)
    (finding,) = run.json["stacks"]["edge-vsphere"]["findings"]
    assert (run.code, finding["rule"], finding["level"]) == (1, "safe-quorum", "mandatory")
    without = Run(ROOT, *ask)
    judged = without.json["stacks"]["edge-vsphere"]
    assert (without.code, judged["findings"]) == (0, [])
    assert judged["notApplicable"]["safe-quorum"].endswith("is seen by `isostack check --deployed FILE` alone")
    other = Run(ROOT, "check", "edge-tinkerbell", "--deployed", file)
    assert (other.code, other.err) == (
        2,
        f"error: {file}: it is of the stack edge-vsphere; one is wanted of: edge-tinkerbell\n",
    )
    assert json.loads(Path(file).read_text()) == document
