"""House rules that no linter knows. Who may import whom stands in pyproject.toml, [tool.importlinter]."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components import targets
from isostack import VERSION

ROOT = Path(__file__).parent.parent.parent
CODE = ("components", "isostack", "policies")
TARGET_FILES = {"config.py", "plan.py", "raw.py", "site.py", "addons.py", "examples"}
LONGEST_FILE = 400
HOME = re.compile(r"/(home|root|Users)/\w")
ENGINE = ("pulumi", "grpc", "google")
DOORS = ("isostack.analyzer", "isostack.check", "isostack.preview")
"""May load the engine, but only when they are asked to work."""


@cache
def _files() -> list[Path]:
    """All files that are or would be committed."""
    # Without safe.directory git refuses a checkout of another user, as containers often have it.
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def _sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in _files():
        name = path.relative_to(ROOT)
        if path.suffix == ".py" and (not folders or name.parts[0] in folders):
            yield str(name), ast.parse(path.read_text("utf-8"))


def _modules() -> list[str]:
    """Dotted names of all modules of the project that can be imported without running something."""
    paths = (Path(name).with_suffix("") for name, _ in _sources(*CODE))
    return sorted(".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__")


def _none(found: Iterable[str]) -> None:
    """Fails with all that was found, one a line."""
    lines = list(found)
    assert not lines, "\n".join(["", *lines])


@cache
def _contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def test_files_stay_short() -> None:
    programs = [p for p in _files() if p.suffix in {".py", ".sh"} or p.parent == ROOT / "scripts"]
    lengths = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in programs}
    _none(f"{name}: {length} lines" for name, length in lengths.items() if length > LONGEST_FILE)


def test_modules_say_in_their_first_line_what_they_hold() -> None:
    def says(module: ast.Module) -> bool:
        return bool(ast.get_docstring(module)) and module.body[0].lineno == 1

    _none(name for name, module in _sources() if module.body and not says(module))


@pytest.mark.parametrize("kind", targets.kinds())
def test_targets_hold_the_same_files(kind: str) -> None:
    assert {path.name for path in targets.folder(kind).iterdir()} >= TARGET_FILES


def test_every_target_is_registered_and_protected() -> None:
    folders = {path.parent for path in _files() if path.parent.parent == ROOT / "components" and path.name == "site.py"}
    assert {targets.folder(kind) for kind in targets.kinds()} == folders
    names = {f"components.{folder.name}" for folder in folders}
    assert set(_contracts()["targets"]["protected_modules"]) == names


def test_shared_code_names_no_target() -> None:
    """A target is known by its folder and its line in the registry. Whoever names one elsewhere is about to branch."""
    folders = [f"components/{targets.folder(kind).name}/" for kind in targets.kinds()]
    _none(
        f"{name}:{node.lineno}: {node.value}"
        for name, module in _sources(*CODE)
        if name != "components/targets.py" and not any(name.startswith(folder) for folder in folders)
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and node.value in targets.kinds()
    )


def test_every_pulumi_package_is_protected() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[=<>~]", line)[0].replace("-", "_") for line in project["dependencies"]}
    packages = {name for name in names if name.startswith("pulumi")}
    assert packages <= set(_contracts()["engine"]["protected_modules"])


def test_only_what_makes_resources_loads_pulumi() -> None:
    """`isostack --help`, `plan` and `validate` must not pay a second for an engine they do not use."""
    patterns = [name.replace(".", r"\.").replace("*", "[^.]+") for name in _contracts()["engine"]["allowed_importers"]]
    may = re.compile(rf"({'|'.join(patterns)})(\.|$)")
    light = [name for name in _modules() if name in DOORS or not may.match(name)]
    program = (
        "import sys\nfrom importlib import import_module\n"
        f"for name in {light!r}:\n"
        "    import_module(name)\n"
        f"    if loaded := sorted(set(sys.modules) & {set(ENGINE)!r}):\n"
        "        sys.exit(f'{name} loads {loaded}')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_policy_packs_do_not_load_numpy() -> None:
    """It takes longer to load than a pack to judge: only assessments pay for it."""
    program = (
        "import sys\nfrom importlib import import_module\n"
        f"for name in {[name for name in _modules() if name.startswith(('components', 'policies'))]!r}:\n"
        "    import_module(name)\n"
        "sys.exit('numpy is loaded' if 'numpy' in sys.modules else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_no_file_knows_where_it_was_written() -> None:
    def found(path: Path) -> bool:
        text = path.read_bytes().decode("utf-8", "ignore")
        return bool(HOME.search(text)) or f"{ROOT}/" in text

    _none(str(path.relative_to(ROOT)) for path in _files() if found(path))
