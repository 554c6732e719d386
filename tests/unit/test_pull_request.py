"""`isostack pull-request` in scratch repositories with a base and a head: what it says, writes and exits with."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from isostack.ci import pullrequest
from isostack.ci.git import Change
from tests.cli import edit
from tests.repository import Repository, repository

DRS = "drs: {workers: fullyAutomated, controlPlane: manual}"
MOVED = "drs: {workers: fullyAutomated, controlPlane: fullyAutomated}"
STACK = "Pulumi.shop-vsphere.yaml"


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """The project is in a folder of the repository."""
    return repository(tmp_path / "clone", "shop-vsphere", folder="clusters")


def in_github(made: Repository, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As the action runs it, for a pull request on `base`."""
    folder = made.root.parent
    event = {"pull_request": {"number": 7, "base": {"sha": made.git("rev-parse", "base").strip()}}}
    (folder / "event.json").write_text(json.dumps(event))
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(folder / "event.json")}
    summary = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return made.run("pull-request", "--out", str(folder / "out"), *arguments, **job, **summary)


def test_a_finding_that_is_new_and_one_that_went(made: Repository) -> None:
    stack = made.project.stacks / STACK
    edit(stack, DRS, MOVED)
    made.commit()
    done = in_github(made, "--fail-on", "advisory")
    folder = made.root.parent
    assert (done.returncode, done.stderr) == (1, "")
    annotation, last = done.stdout.splitlines()
    assert annotation.startswith(f"::warning file=clusters/stacks/{STACK},line=")
    assert "title=drs-etcd-automated (shop-vsphere)::" in annotation
    assert last.startswith("isostack check: 1 advisory, ")
    report = (folder / "out/report.md").read_text()
    assert (folder / "out/comment.md").read_text() == f"<!-- isostack pull-request: isostack -->\n{report}"
    assert (folder / "summary.md").read_text() == f"{report}\n"
    assert report.startswith("## isostack: ❌ new findings\n\n| stacks | touched by |\n")
    assert f"| shop-vsphere | <code>stacks/{STACK}</code> |" in report
    assert "### isostack check: new: ⚠️ 1 advisory\n" in report
    assert report.count("<b>drs-etcd-automated</b>") == 1
    assert "Went with this change" not in report
    page = (folder / "out/change.html").read_text()
    assert page.startswith("<!doctype html>")
    assert '<p class="said">1 of 1 stacks change</p>' in page
    # Programs get all of them: those that are left out would be closed by a code-scanning service.
    results = json.loads((folder / "out/check.sarif").read_text())["runs"][0]["results"]
    assert {"drs-etcd-automated"} < {result["ruleId"] for result in results}
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results if "locations" in r]
    assert {uri.split("/")[0] for uri in uris} == {"clusters"}
    old = len(results) - 1
    assert f"Not shown, since they were there before: {old}." in report

    made.git("tag", "--force", "base")
    edit(stack, MOVED, DRS)
    done = in_github(made, "--fail-on", "advisory")
    assert done.returncode == 0
    report = (folder / "out/report.md").read_text()
    assert report.startswith("## isostack: ✅ nothing that blocks\n")
    went = (
        "**Went with this change:**\n\n- <code>drs-etcd-automated</code> <code>drs.controlPlane</code> shop-vsphere\n"
    )
    assert went in report
    assert made.git("worktree", "list").count("\n") == 1


def test_what_was_there_before_may_not_be_known(made: Repository) -> None:
    """The base is broken, and the change mends it."""
    stack = made.project.stacks / STACK
    edit(stack, DRS, "drs: {workers: sometimes}")
    made.commit()
    made.git("tag", "--force", "base")
    edit(stack, "drs: {workers: sometimes}", MOVED)
    done = made.run("pull-request", "--base", "base")
    assert (done.returncode, done.stderr) == (0, "")
    assert "<b>drs-etcd-automated</b>" in done.stdout
    assert "All findings count as new: <code>the files as they were before cannot be checked: " in done.stdout
    assert "they were there before" not in done.stdout


def test_faults_come_before_anything_else(made: Repository) -> None:
    edit(made.project.stacks / "shop.yaml", "nodes: 6", "nodes: six <b>`x`")
    done = in_github(made)
    folder = made.root.parent
    assert (done.returncode, done.stderr) == (2, "")
    (annotation,) = done.stdout.splitlines()
    assert annotation.startswith("::error file=clusters/stacks/shop.yaml,line=")
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["comment.md", "report.md"]
    report = (folder / "out/report.md").read_text()
    assert report.startswith("## isostack: ❌ 1 fault: nothing more can be told until that is mended\n")
    assert "- <code>clusters/stacks/shop.yaml:" in report
    assert "<b>" not in report


def test_a_target_that_cannot_carry_the_spec_is_a_fault(made: Repository) -> None:
    old = "loadBalancer: {provider: kube-vip, addresses: 10.20.41.16-10.20.41.47}"
    edit(made.project.stacks / STACK, old, "loadBalancer: {provider: none}")
    done = made.run("pull-request", "--base", "base")
    assert done.returncode == 2
    assert "services.loadBalancer: impossible: loadBalancer.provider is none" in done.stdout
    assert "(stack shop-vsphere)" in done.stdout


def test_a_change_of_no_stack_says_so(made: Repository) -> None:
    (made.root / "README.md").write_text("new")
    done = in_github(made)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
    marker, quiet, title, *_ = (made.root.parent / "out/comment.md").read_text().splitlines()
    assert marker == "<!-- isostack pull-request: isostack -->"
    assert quiet == "<!-- no stack is touched -->"
    assert title == "## isostack: ✅ no stack is touched"


def test_without_a_base(made: Repository) -> None:
    done = made.run("pull-request")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: this job is of no pull request, so it has no base; --base REF\n"


@pytest.mark.parametrize(
    ("code", "said", "shown"),
    [
        (0, "### change\n", "### change\n"),
        (1, "### not equivalent\n", "### not equivalent\n"),
        (2, "", "_What changes on each target cannot be shown:_ error: no"),
    ],
)
def test_the_change_is_shown_or_why_not(monkeypatch: pytest.MonkeyPatch, code: int, said: str, shown: str) -> None:
    """A stand-in answers for `diff`."""
    asked: list[tuple[str, ...]] = []

    def isostack(_: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        asked.append(arguments)
        if said:
            Path(arguments[arguments.index("--html") + 1]).write_text("a page")
        return subprocess.CompletedProcess([], code, said, "error: no\n")

    monkeypatch.setattr(pullrequest, "_isostack", isostack)
    pages = {"change.html": "a page"} if said else {}
    assert pullrequest._diff(Change(Path(), "f" * 40), ["a", "b"]) == (shown, code == 1, pages)
    (said_to,) = asked
    assert (said_to[:5], said_to[-2:]) == (("diff", "--base", "f" * 12, "--format", "markdown"), ("a", "b"))


def test_a_change_of_one_target_is_held_against_the_others(tmp_path: Path) -> None:
    """Whether targets are still equivalent takes all stacks of the spec; one that is broken is left out."""
    made = repository(tmp_path / "clone", "edge-vsphere", "edge-tinkerbell")
    edit(made.project.stacks / "Pulumi.edge-vsphere.yaml", "drs: {workers: partiallyAutomated", "drs: {workers: manual")
    made.commit()
    done = in_github(made)
    report = (made.root.parent / "out/report.md").read_text()
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n| edge-vsphere | <code>stacks/Pulumi.edge-vsphere.yaml</code> |\n" in report
    assert "1 of 2 stacks change\n" in report
    assert "**edge**: equivalent with " in report
    edit(made.project.stacks / "Pulumi.edge-tinkerbell.yaml", "kind: tinkerbell", "kind: tinkerbel")
    made.git("commit", "--all", "--message", "broken before")
    made.git("tag", "--force", "base")
    edit(made.project.stacks / "Pulumi.edge-vsphere.yaml", "drs: {workers: manual", "drs: {workers: disabled")
    in_github(made)
    assert "1 of 1 stacks change\n" in (made.root.parent / "out/report.md").read_text()


def test_a_stack_file_that_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    """Its machines go: that is written, with what becomes of its spec."""
    made = repository(tmp_path / "clone", "edge-vsphere", "edge-tinkerbell", folder="clusters")
    (made.project.stacks / "Pulumi.edge-vsphere.yaml").unlink()
    done = in_github(made)
    folder = made.root.parent
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
    report = (folder / "out/report.md").read_text()
    assert (folder / "out/comment.md").read_text() == f"<!-- isostack pull-request: isostack -->\n{report}"
    assert report.startswith("## isostack: ⚠️ a stack file is deleted\n\n**Stack file deleted:** <code>edge-vsphere<")
    assert ": 1 of 2 stacks change\n\n- ▫️ **edge**: one stack alone (before: equivalent with " in report
    assert "| edge-vsphere (deleted) | " in report
    assert re.search(r"\n\*\*Machines\*\*\n\n- ➖ \d+ machines: edge-", report)
    assert "isostack check" not in report
    assert (folder / "out/change.html").is_file()
    assert made.git("worktree", "list").count("\n") == 1
    # And with its spec and all its stacks.
    for name in ("Pulumi.edge-tinkerbell.yaml", "edge.yaml"):
        (made.project.stacks / name).unlink()
    report = made.run("pull-request", "--base", "base").stdout
    assert report.startswith("## isostack: ⚠️ 2 stack files are deleted\n")
    assert ": 2 of 2 stacks change\n" in report


def test_a_stack_that_could_not_be_read_before_is_deleted(made: Repository) -> None:
    file = made.project.stacks / STACK
    file.write_text("config: [")
    made.commit()
    made.git("tag", "--force", "base")
    file.unlink()
    done = made.run("pull-request", "--base", "base")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("## isostack: ⚠️ a stack file is deleted\n")
    assert "\n_What changes on each target cannot be shown:_ error: " in done.stdout
