"""The jobs themselves: the shell of action.yml and of the GitLab template, run on a change in a scratch clone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli import edit
from tests.comments import TOKEN, served
from tests.repository import Repository, repository
from tests.specs import ROOT

DRS = "drs: {workers: fullyAutomated, controlPlane: manual}"


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """Its head has a new advisory finding; `scripts` is this checkout's."""
    made = repository(tmp_path / "clone", "shop-vsphere")
    (made.root / "scripts").symlink_to(ROOT / "scripts")
    edit(made.project.stacks / "Pulumi.shop-vsphere.yaml", DRS, DRS.replace("manual", "fullyAutomated"))
    made.commit()
    return made


def shell(made: Repository, script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """As both providers run a step [documented] https://docs.github.com/en/actions/reference/workflows-and-actions
    /workflow-syntax#jobsjob_idstepsshell"""
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        command,
        cwd=made.root,
        env={**kept, "no_proxy": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_action(made: Repository, tmp_path: Path) -> None:
    look, write, upload = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]
    event = {"pull_request": {"number": 7, "base": {"sha": made.git("rev-parse", "base").strip()}}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    runner = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    runner |= {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    own = {"FAIL_ON": "advisory", "SCRIPTS": str(ROOT / "scripts"), "FOLDER": str(tmp_path / "out")}
    assert own.keys() == look["env"].keys()
    done = shell(made, look["run"], {**runner, **own})
    assert (done.returncode, done.stderr) == (1, "")
    assert "::warning file=stacks/Pulumi.shop-vsphere.yaml,line=" in done.stdout
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs.keys() == {"folder", "comment", "sarif"}
    assert all(f"steps.look.outputs.{name}" in str([write, upload]) for name in ("comment", "sarif"))
    assert json.loads(Path(outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert "❌ new findings" in (tmp_path / "summary.md").read_text()
    with served("github") as comments:
        job = {**runner, "GITHUB_API_URL": comments.url, "GITHUB_REPOSITORY": "acme/clusters"}
        own = {
            "GITHUB_TOKEN": TOKEN,
            "AUTHOR": "github-actions[bot]",
            "SCRIPTS": own["SCRIPTS"],
            "COMMENT": outputs["comment"],
        }
        assert own.keys() == write["env"].keys()
        told = [shell(made, write["run"], {**job, **own}).stdout for _ in range(2)]
        assert told == ["comment created\n", "comment unchanged\n"]
        assert comments.bodies == [Path(outputs["comment"]).read_text()]
        comments.refusal = (403, b'{"message": "Resource not accessible by integration"}', {})
        refused = shell(made, write["run"], {**job, **own})
        assert refused.returncode == 2
        assert "permissions: pull-requests: write" in refused.stderr


@pytest.mark.parametrize("token", [TOKEN, ""])
def test_the_gitlab_template(made: Repository, token: str) -> None:
    """Without a token the verdict is the same."""
    (job,) = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8")).values()
    with served("gitlab") as comments:
        environment: dict[str, Any] = {
            **job["variables"],
            "ISOSTACK_FAIL_ON": "advisory",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": comments.url,
            "CI_PROJECT_ID": "12",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": made.git("rev-parse", "base").strip(),
            "ISOSTACK_GITLAB_TOKEN": token,
        }
        done = shell(made, "\n".join(job["script"]), environment)
        assert done.returncode == 1
        assert "## isostack: ❌ new findings" in done.stdout
        assert len(comments.bodies) == (1 if token else 0)
        assert ("no comment was written: ISOSTACK_GITLAB_TOKEN is not set" in done.stderr) == (not token)
    paths = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]
    assert all((made.root / path).exists() for path in paths)
    assert sorted(path.name for path in (made.root / paths[0]).iterdir()) == [
        "change.html",
        "check.json",
        "check.sarif",
        "check.xml",
        "comment.md",
        "report.md",
    ]
