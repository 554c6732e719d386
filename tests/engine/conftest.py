"""An engine for each test that asks for one, with the example stacks in a project of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.configs import scratch
from tests.engine import Engine
from tests.specs import ROOT
from tests.tools import folder


@pytest.fixture(scope="session")
def tools() -> list[str]:
    """Folders for the path: the Pulumi CLI."""
    return [folder("pulumi", "neither the Pulumi CLI nor Go to compile it: the tests of the real engine are skipped")]


@pytest.fixture
def plugins(tmp_path: Path, tools: list[str]) -> Engine:
    """Its stand-ins are plugins, which each run starts and ends, as it does real ones."""
    project = scratch(_made(tmp_path / "project"))
    for file in (ROOT / "stacks").iterdir():
        shutil.copy(file, project.stacks)
    return Engine(_made(tmp_path / "engine"), tools, project.root)


@pytest.fixture
def engine(plugins: Engine) -> Iterator[Engine]:
    """Its stand-ins run as long as the test does."""
    with plugins.attached():
        yield plugins


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
