"""Which stacks a change touches, in real git repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.problems import InvalidInput
from isostack.ci.git import Change
from isostack.ci.touched import Touched, touched
from isostack.stacks import find_project
from tests.cli import edit
from tests.repository import Repository, repository

STACKS = ("shop-vsphere", "shop-tinkerbell", "edge-tinkerbell")


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    return repository(tmp_path, *STACKS)


def of(made: Repository, base: str = "base") -> Touched:
    return touched(find_project(made.project.root), Change.since(made.project.root, base).files())


def test_nothing_is_touched_by_nothing(made: Repository) -> None:
    assert of(made) == Touched({}, ())


def test_a_spec_touches_its_stacks_a_stack_file_its_own(made: Repository) -> None:
    edit(made.project.stacks / "shop.yaml", "nodes: 6", "nodes: 7")
    made.commit()
    assert of(made).stacks == dict.fromkeys(("shop-tinkerbell", "shop-vsphere"), ("stacks/shop.yaml",))
    edit(made.project.stacks / "Pulumi.edge-tinkerbell.yaml", "# ", "#  ")  # not committed
    assert of(made).stacks["edge-tinkerbell"] == ("stacks/Pulumi.edge-tinkerbell.yaml",)


def test_an_inventory_touches_the_stack_that_names_it(made: Repository) -> None:
    with (made.project.stacks / "shop-inventory.csv").open("a") as file:
        file.write("\n")
    assert of(made).stacks == {"shop-tinkerbell": ("stacks/shop-inventory.csv",)}


def test_the_program_and_the_packs_touch_all(made: Repository) -> None:
    (made.project.root / "components").unlink()
    (made.project.root / "components").mkdir()
    (made.project.root / "components/new file.py").touch()
    found = of(made).stacks
    assert sorted(found) == sorted(STACKS)
    assert found["shop-vsphere"] == ("components", "components/new file.py")


def test_what_no_stack_reads_touches_none(made: Repository) -> None:
    (made.project.stacks / "notes.txt").touch()
    (made.root / "README.md").touch()
    (made.project.stacks / "other.yaml").touch()
    assert of(made).stacks == {}


def test_a_project_in_a_folder_is_not_touched_from_outside(tmp_path: Path) -> None:
    made = repository(tmp_path, "shop-vsphere", folder="clusters/fra 1")
    (tmp_path / "components").mkdir()
    (tmp_path / "components/x.py").touch()
    assert of(made).stacks == {}
    edit(made.project.stacks / "shop.yaml", "nodes: 6", "nodes: 7")
    assert of(made).stacks == {"shop-vsphere": ("stacks/shop.yaml",)}


def test_a_deleted_stack_is_gone_a_renamed_one_touched(made: Repository) -> None:
    old = made.project.stacks / "Pulumi.shop-vsphere.yaml"
    old.rename(made.project.stacks / "Pulumi.shop-fra.yaml")
    assert of(made) == Touched({"shop-fra": ("stacks/Pulumi.shop-fra.yaml",)}, ("shop-vsphere",))


def test_a_stack_file_that_cannot_be_read_is_touched_with_its_spec(made: Repository) -> None:
    (made.project.stacks / "Pulumi.shop-vsphere.yaml").write_text("config:\n  isostack:spec: shop\n :")
    made.commit()
    made.git("tag", "--force", "base")
    edit(made.project.stacks / "shop.yaml", "nodes: 6", "nodes: 7")
    assert sorted(of(made).stacks) == ["shop-tinkerbell", "shop-vsphere"]


def test_what_the_base_got_since_is_no_change(made: Repository) -> None:
    made.git("checkout", "--quiet", "-b", "branch")
    edit(made.project.stacks / "edge.yaml", "zones", "zones ")
    made.commit()
    made.git("checkout", "--quiet", "main")
    edit(made.project.stacks / "shop.yaml", "nodes: 6", "nodes: 7")
    made.commit()
    made.git("checkout", "--quiet", "branch")
    assert list(of(made, "main").stacks) == ["edge-tinkerbell"]


def test_the_files_as_they_were_leave_no_trace(made: Repository) -> None:
    edit(made.project.stacks / "shop.yaml", "nodes: 6", "nodes: 7")
    with Change.since(made.root, "base").before() as tree:
        assert "nodes: 6" in (tree / "stacks/shop.yaml").read_text()
    assert not tree.exists()
    assert made.git("worktree", "list").count("\n") == 1
    assert "nodes: 7" in (made.project.stacks / "shop.yaml").read_text()


def test_a_revision_that_is_not_there_and_a_folder_without_git(
    made: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for base in ("0" * 40, "--output=x", "nobody"):
        with pytest.raises(InvalidInput, match=r"does not have the revision .*fetch-depth: 0 of actions/checkout"):
            Change.since(made.root, base)
    with pytest.raises(InvalidInput, match="not in a git work tree"):
        Change.since(tmp_path_factory.mktemp("plain"), "base")
