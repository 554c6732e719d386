"""The programs that scripts/tools compiles, for fixtures."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.specs import ROOT

NO_GO = 3
"""What scripts/tools exits with where a program is neither there nor can be compiled."""


def folder(name: str, without: str) -> str:
    """The folder of a tool. Where it cannot be had the test is skipped, saying `without`; with CI set it fails."""
    done = subprocess.run([ROOT / "scripts" / "tools", name], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NO_GO and "CI" not in os.environ:
        pytest.skip(without)
    assert done.returncode == 0, "scripts/tools failed"
    return done.stdout.strip()
