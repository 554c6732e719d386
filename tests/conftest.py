"""Fixtures of all tests: the project's root, golden files, and how hard Hypothesis tries."""

from __future__ import annotations

import os
from collections.abc import Callable
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests/golden"
SHOWN = 200
"""Lines of a difference that help; the rest is in the file."""

settings.register_profile("default", max_examples=50, deadline=None)
# The same examples on every run: a pull request fails for what it changes, not by chance.
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew, do not compare with it")


class OneOfEach(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of tests/cluster share one cluster that runs, those of tests/browser one browser, so each of the two
    goes to one process, first; all others go where there is room. Not by xdist's marks: its 3.8 loses them under
    pytest 9.2 [seen]."""

    def _split_scope(self, nodeid: str) -> str:
        return next((name for name in ("cluster", "browser") if nodeid.startswith(f"tests/{name}/")), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneOfEach | None:
    return OneOfEach(config, log) if config.getvalue("dist") == "load" else None


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """golden(name, text): fails with a diff when the text is not that of tests/golden/NAME."""
    update: bool = request.config.getoption("--update-golden")

    def check(name: str, text: str) -> None:
        path, shown = GOLDEN / name, f"tests/golden/{name}"
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            return
        if not path.exists():
            pytest.fail(f"{shown} is missing; write it with scripts/test --update-golden", pytrace=False)
        if (expected := path.read_text("utf-8")) != text:
            pytest.fail(_difference(shown, expected, text), pytrace=False)

    return check


def _difference(path: str, expected: str, text: str) -> str:
    lines = unified_diff(expected.splitlines(), text.splitlines(), path, "now", lineterm="", n=2)
    shown = list(islice(lines, SHOWN)) or ["they differ in line ends alone"]
    more = ["..."] if next(lines, None) is not None else []
    hint = "If the change is meant: scripts/test --update-golden, and commit what it writes."
    return "\n".join([f"{path} is not what the code gives now.", *shown, *more, hint])
