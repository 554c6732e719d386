"""The whole comment of four pull requests on the project's own example, shop, as `isostack pull-request` writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from isostack.ci.pullrequest import LIMIT
from tests.cli import edit
from tests.repository import Repository, repository

STACKS = ("shop-equinix", "shop-tinkerbell", "shop-vsphere")
UNDATED = "lifecycle: disabled"
"""What these packs say changes from one day to the next."""


@pytest.fixture
def shop(tmp_path: Path) -> Repository:
    made = repository(tmp_path / "clone", *STACKS)
    for name in STACKS:
        file = made.project.stacks / f"Pulumi.{name}.yaml"
        if "isostack:policies:" in file.read_text():
            edit(file, "isostack:policies:\n", f"isostack:policies:\n    levels: {{{UNDATED}}}\n")
        else:
            file.write_text(f"{file.read_text()}  isostack:policies: {{levels: {{{UNDATED}}}}}\n")
    made.commit()
    made.git("tag", "--force", "base")
    return made


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("pool-size", "shop.yaml", "{name: partner, nodes: 2,", "{name: partner, nodes: 3,"),
        ("kubernetes-version", "shop.yaml", "version: 1.36.3", "version: 1.36.4"),
        (
            "storage-class",
            "shop.yaml",
            "accessModes: [ReadWriteOnce]",
            "accessModes: [ReadWriteOnce], expansion: false",
        ),
        ("drs-level", "Pulumi.shop-vsphere.yaml", "controlPlane: manual", "controlPlane: fullyAutomated"),
    ],
)
def test_a_comment(
    shop: Repository, golden: Callable[[str, str], None], name: str, file: str, old: str, new: str
) -> None:
    edit(shop.project.stacks / file, old, new)
    shop.commit()
    done = shop.run("pull-request", "--base", "base")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) < LIMIT
    revision = shop.git("rev-parse", "base")[:12]
    assert done.stdout.count(revision) == 2
    golden(f"pull-requests/{name}.md", done.stdout.replace(revision, "BASE"))
