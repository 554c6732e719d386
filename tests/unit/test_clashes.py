"""Stacks that would be in each other's way: the same hosts or addresses at one site."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli import Run
from tests.configs import ScratchProject, scratch
from tests.specs import ROOT


@pytest.fixture
def two(tmp_path: Path) -> ScratchProject:
    """The example edge, and the same cluster under another name on the same inventory and compute cluster."""
    made = scratch(tmp_path)
    for file in ("edge.yaml", "edge-inventory.csv", "Pulumi.edge-vsphere.yaml", "Pulumi.edge-tinkerbell.yaml"):
        shutil.copy(ROOT / "stacks" / file, made.stacks)
    text = (made.stacks / "edge.yaml").read_text()
    (made.stacks / "other.yaml").write_text(text.replace("name: edge", "name: other", 1))
    for kind in ("vsphere", "tinkerbell"):
        text = (made.stacks / f"Pulumi.edge-{kind}.yaml").read_text()
        (made.stacks / f"Pulumi.other-{kind}.yaml").write_text(text.replace("spec: edge", "spec: other", 1))
    return made


def told(two: ScratchProject) -> dict[str, str]:
    """By file: warnings of clashes."""
    run = Run(two.root, "validate", "--format", "json")
    assert run.code == 0
    return {each["file"]: each["what"] for each in run.json["warnings"] if "would both have" in each["what"]}


def test_two_clusters_on_the_same_hosts(two: ScratchProject) -> None:
    assert told(two) == {
        "stacks/Pulumi.other-tinkerbell.yaml": "edge-tinkerbell and other-tinkerbell would both have store-017-n1, "
        "store-017-n2, store-017-n3, 10.60.12.10 and 3 more",
        "stacks/Pulumi.other-vsphere.yaml": "edge-vsphere and other-vsphere would both have 10.60.10.10, 10.60.10.11, "
        "10.60.10.32, 10.60.10.33",
    }


def test_vms_may_share_hosts_and_sites_may_have_the_same_addresses(two: ScratchProject) -> None:
    other = two.stacks / "Pulumi.other-vsphere.yaml"
    text = other.read_text()
    other.write_text(text.replace("10.60.10.", "10.60.11."))
    assert "stacks/Pulumi.other-vsphere.yaml" not in told(two)
    other.write_text(text.replace("store-017", "store-018"))
    assert "stacks/Pulumi.other-vsphere.yaml" not in told(two)


def test_the_examples_are_in_nobody_s_way(two: ScratchProject) -> None:
    for kind in ("vsphere", "tinkerbell"):
        (two.stacks / f"Pulumi.other-{kind}.yaml").unlink()
    assert told(two) == {}
    assert "would both have" not in Run(ROOT, "validate").err
