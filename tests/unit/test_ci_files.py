"""What CI systems read: action.yml, the GitLab template, the hook and the workflow of the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.specs import ROOT
from tests.tools import folder

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
DOCS = (ROOT / "docs/ci.md").read_text("utf-8")
(WORKFLOW,) = (text for text in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL) if "runs-on" in text)


def schema(name: str, file: Path) -> str:
    """What the schema, which comes with the tool, says of the file."""
    command = [f"{Path(sys.executable).parent}/check-jsonschema", "--builtin-schema", name, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_files_are_what_their_schemas_want(tmp_path: Path) -> None:
    assert schema("vendor.github-actions", ROOT / "action.yml") == ""
    assert schema("vendor.gitlab-ci", ROOT / "ci/gitlab.yml") == ""
    (tmp_path / "workflow.yml").write_text(WORKFLOW)
    assert schema("vendor.github-workflows", tmp_path / "workflow.yml") == ""
    assert schema("custom.github-workflows-require-timeout", tmp_path / "workflow.yml") == ""
    (tmp_path / "action.yml").write_text((ROOT / "action.yml").read_text().replace("using: composite", "using: it"))
    assert schema("vendor.github-actions", tmp_path / "action.yml") != ""
    (tmp_path / "gitlab.yml").write_text((ROOT / "ci/gitlab.yml").read_text().replace("when: always", "when: maybe"))
    assert schema("vendor.gitlab-ci", tmp_path / "gitlab.yml") != ""


@pytest.fixture
def checked(tmp_path: Path) -> Path:
    """A clone whose workflow is that of the documentation."""
    for name, text in {
        "action.yml": (ROOT / "action.yml").read_text(),
        ".github/workflows/isostack.yml": WORKFLOW,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def actionlint(clone: Path) -> str:
    tool = f"{folder('actionlint', 'no Go to compile actionlint: its test is skipped')}/actionlint"
    shellcheck = f"{Path(sys.executable).parent}/shellcheck"
    command = [tool, "-no-color", "-shellcheck", shellcheck]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout


def test_actionlint_has_nothing_to_say(checked: Path) -> None:
    """It reads action.yml for the inputs that the workflow gives, and of an action itself no more than that. So its
    steps stand in a workflow of their own, in which their shell is checked, too."""
    assert actionlint(checked) == ""
    (checked / ".github/workflows/steps.yml").write_text(yaml.safe_dump(as_workflow(), sort_keys=False))
    assert actionlint(checked) == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (".github/workflows/isostack.yml", "fail-on:", "fails-on:", 'input "fails-on" is not defined'),
        (".github/workflows/isostack.yml", "pull-requests: write", "pull-requests: all", '"all" is invalid'),
        (".github/workflows/steps.yml", "steps.look", "steps.see", 'property "see" is not defined'),
        (".github/workflows/steps.yml", '"$SCRIPTS/isostack"', "$SCRIPTS/isostack", "SC2086"),
    ],
)
def test_actionlint_would_say_it(checked: Path, file: str, old: str, new: str, words: str) -> None:
    (checked / ".github/workflows/steps.yml").write_text(yaml.safe_dump(as_workflow(), sort_keys=False))
    text = (checked / file).read_text()
    assert old in text
    (checked / file).write_text(text.replace(old, new))
    assert words in actionlint(checked)


def as_workflow() -> dict[str, Any]:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    inputs = {name: {"type": "string", "default": "x"} for name in action["inputs"]}
    # A job has no github.action_path [seen] actionlint 1.7.12.
    steps = yaml.safe_load(yaml.safe_dump(action["runs"]["steps"]).replace("github.action_path", "github.workspace"))
    job = {"runs-on": "ubuntu-24.04", "steps": steps}
    return {"name": "steps", "on": {"workflow_call": {"inputs": inputs}}, "permissions": {}, "jobs": {"all": job}}


def steps() -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    yield from yaml.safe_load(WORKFLOW)["jobs"]["isostack"]["steps"]


def test_actions_of_others_are_pinned_by_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert len(used) == 3
    assert all(PINNED.fullmatch(name) or name == "./" for name in used), used


def test_scripts_get_inputs_by_their_environment_and_programs_no_token() -> None:
    for step in steps():
        assert "${{" not in step.get("run", ""), step["name"]
        if "pull-request " in step.get("run", ""):
            assert "token" not in str(step).lower()


def test_every_input_is_used_and_described() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    for name in yaml.safe_load(text)["inputs"]:
        assert f"inputs.{name} " in text, name
        assert f"`{name}`" in DOCS, name


def test_the_hook_runs_what_is_there() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook.keys() >= {"id", "name", "entry", "language", "files"}
    program, command = hook["entry"].split()
    assert (ROOT / program).stat().st_mode & 0o100
    assert (hook["language"], command, hook["pass_filenames"]) == ("script", "validate", False)
    assert f"id: {hook['id']}" in DOCS
    read = [path.name for path in (ROOT / "stacks").iterdir() if path.suffix != ".json"]
    assert all(re.search(hook["files"], name) for name in read)
