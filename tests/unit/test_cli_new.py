"""`isostack new` where something is there already: targets added to a spec, files kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import Run, edit
from tests.configs import ScratchProject, scratch


@pytest.fixture
def first(tmp_path: Path) -> ScratchProject:
    """A cluster on one target, its spec edited."""
    project = scratch(tmp_path)
    assert Run(project.root, "new", "first", "--target", "equinix").code == 0
    edit(project.stacks / "first.yaml", "nodes: 3\n", "nodes: 2 # mine\n")
    return project


def test_a_target_is_added_to_a_spec(first: ScratchProject) -> None:
    spec = (first.stacks / "first.yaml").read_text()
    run = Run(first.root, "new", "first", "--target", "tinkerbell", "--target", "vsphere")
    assert run.code == 0
    assert run.out.splitlines() == [
        "kept stacks/first.yaml",
        "wrote stacks/Pulumi.first-tinkerbell.yaml",
        "wrote stacks/first-inventory.csv",
        "wrote stacks/Pulumi.first-vsphere.yaml",
        "next: edit them until they fit what was kept: isostack validate first-tinkerbell first-vsphere",
    ]
    assert (first.stacks / "first.yaml").read_text() == spec
    assert Run(first.root, "validate", "first-tinkerbell", "first-vsphere").code == 0


def test_an_inventory_is_kept_too(first: ScratchProject) -> None:
    (first.stacks / "first-inventory.csv").write_text("mine\n")
    run = Run(first.root, "new", "first", "--target", "tinkerbell")
    assert run.code == 0
    assert "kept stacks/first-inventory.csv" in run.out
    assert (first.stacks / "first-inventory.csv").read_text() == "mine\n"


def test_a_stack_file_is_never_written_over(first: ScratchProject) -> None:
    run = Run(first.root, "new", "first", "--target", "vsphere", "--target", "equinix")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("error: stacks/Pulumi.first-equinix.yaml: exists already")
    assert not (first.stacks / "Pulumi.first-vsphere.yaml").exists()


def test_what_does_not_fit_the_spec_validate_tells(first: ScratchProject) -> None:
    edit(first.stacks / "first.yaml", "name: workers", "name: apps")
    edit(first.stacks / "first.yaml", "pool: workers", "pool: apps")
    assert Run(first.root, "new", "first", "--target", "vsphere").code == 0
    run = Run(first.root, "validate", "first-vsphere")
    assert run.code == 2
    assert "stacks/Pulumi.first-vsphere.yaml:" in run.err
    assert "'apps'" in run.err
