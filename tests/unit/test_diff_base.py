"""`isostack diff --base` and `--deployed`, on a scratch repository with a base and a head, as pull requests have."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cli import COMMAND, ENVIRONMENT, Run, edit
from tests.examples import previews
from tests.saved import export, written
from tests.specs import ROOT


@dataclass(frozen=True)
class Repository:
    """A repository whose branch `main` is the base; what is changed in its files is the head."""

    root: Path

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout

    def diff(self, *arguments: str) -> Run:
        """And nothing is left of the base's worktree."""
        run = Run(self.root, "diff", *arguments)
        assert self.worktrees == 1
        return run

    @property
    def worktrees(self) -> int:
        return len(self.git("worktree", "list").splitlines())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """This checkout as somebody has committed it, with its examples."""
    made = Repository(tmp_path / "repository")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("components", "isostack", "policies", "stacks"):
        shutil.copytree(ROOT / name, made.root / name, ignore=ignored)
    for name in ("Pulumi.yaml", "__main__.py", ".gitignore"):
        shutil.copy(ROOT / name, made.root / name)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message=base")
    return made


def test_settings_that_show_in_no_resource_are_told_as_such(repository: Repository) -> None:
    """The template is looked up by its name: whatever becomes of that, no preview without vCenter knows."""
    stack = repository.root / "stacks/Pulumi.edge-vsphere.yaml"
    edit(stack, "template: ubuntu-2404-k8s", "template: ubuntu-2604-k8s")
    run = repository.diff("--base", "main", "edge-vsphere")
    said = "looked up by its name: what it finds counts at the next birth of machines"
    assert f"config: template  ubuntu-2404-k8s  ubuntu-2604-k8s  {said}" in run.out
    assert "\nno machine is touched, as far as is seen here\n" in run.out
    edit(stack, "workers: partiallyAutomated", "workers: manual")
    edit(stack, "dns: [10.60.0.53]", "dns: [10.60.0.54]")
    (changed,) = repository.diff("--base", "main", "edge-vsphere", "--format", "json").json["stacks"]
    meanings = {each["field"]: each["meaning"] for each in changed["causes"] if each["subject"] == "config"}
    made_with = "in what machines are made with: counts at the next birth"
    assert meanings == {"template": said, "network.dns[0]": made_with, "drs.workers": ""}


def test_clear_keys_beside_the_target_are_told(repository: Repository) -> None:
    """Encrypted ones are nobody's to tell, and keys that nothing reads are no change."""
    stack = repository.root / "stacks/Pulumi.shop-vsphere.yaml"
    keys = (
        "vsphere:vsphereServer: {0}",
        "backup:endpoint: https://{0}",
        "backup:region: {{secure: 'v1:{0}=='}}",
        "a:b: {0}",
    )
    text = stack.read_text()
    stack.write_text("\n".join((text, *(f"  {key.format('old')}" for key in keys), "")))
    repository.git("commit", "--quiet", "--all", "--message=keys")
    stack.write_text("\n".join((text, *(f"  {key.format('new')}" for key in keys), "")))
    (changed,) = repository.diff("--base", "main", "shop-vsphere", "--format", "json").json["stacks"]
    causes = {each["field"]: each for each in changed["causes"] if each["subject"] == "config"}
    assert causes.keys() == {"vsphere:vsphereServer", "backup:endpoint"}
    server, endpoint = causes["vsphere:vsphereServer"], causes["backup:endpoint"]
    assert (server["before"], server["after"]) == ("old", "new")
    assert server["meaning"] == "the provider looks there for all that is: nothing here knows what it finds"
    assert (endpoint["before"], endpoint["after"], endpoint["meaning"]) == ("https://old", "https://new", "")


def test_the_apis_new_address_is_told_of_every_machine(repository: Repository) -> None:
    edit(repository.root / "stacks/Pulumi.edge-vsphere.yaml", "endpoint: 10.60.10.10", "endpoint: 10.60.10.9")
    run = repository.diff("--base", "main", "edge-vsphere")
    names = "edge-control-plane-0, edge-apps-0, edge-apps-1"
    assert f"~ 3 machines: {names}: left alone: what changes counts at the next birth only\n" in run.out
    assert (
        "User data (the API's address, wherever it stands)\n"
        f"changed, of 3 machines: {names}: counts at the next birth only\n"
        "-10.60.10.10\n+10.60.10.9\n"
    ) in run.out


def test_a_machine_is_named_once_for_what_is_asked_and_there_alike(repository: Repository) -> None:
    edit(repository.root / "stacks/edge.yaml", "size: {cpus: 8, memory: 32Gi", "size: {cpus: 8, memory: 48Gi")
    (changed,) = repository.diff("--base", "main", "edge-vsphere", "--format", "json").json["stacks"]
    (names,) = (each["names"] for each in changed["causes"] if each["field"] == "size.memory")
    assert names == ["edge-apps-0", "edge-apps-1"]


def test_a_page_beside_the_result(repository: Repository) -> None:
    edit(repository.root / "stacks/edge.yaml", "evictAfter: 120s", "evictAfter: 90s")
    run = repository.diff("--base", "main", "edge", "--html", "page.html")
    assert (run.code, run.err) == (0, "wrote page.html\n")
    assert run.out.startswith("edge: equivalent with 1 degradation, as before\n")
    page = (repository.root / "page.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    for said in (
        "<h1>edge since main</h1>",
        '<p class="said">2 of 2 stacks change</p>',
        "<b>edge</b>: equivalent with 1 degradation, as before",
        '>availability.evictAfter</th><td class="value">2m</td><td class="value">90s</td>',
    ):
        assert said in page
    assert page.count("<del>-    value: &#39;120&#39;</del><ins>+    value: &#39;90&#39;</ins>") == 2
    assert page.count("The same difference as of ") == 1


def test_no_change_and_stacks_that_come_and_go(repository: Repository) -> None:
    run = repository.diff("--base", "HEAD", "edge")
    assert (run.code, run.err) == (0, "")
    assert "edge: equivalent with 1 degradation, as before\nno change since HEAD\n" in run.out
    stacks = repository.root / "stacks"
    (stacks / "Pulumi.edge-tinkerbell.yaml").rename(stacks / "Pulumi.edge-metal.yaml")
    run = repository.diff("--base", "main", "edge", "--format", "json")
    document = run.json
    assert run.code == 0
    assert {each["stack"]: each["kind"] for each in document["stacks"]} == {
        "edge-metal": "created",
        "edge-vsphere": None,
        "edge-tinkerbell": "deleted",
    }
    (verdict,) = document["verdicts"]
    assert (verdict["spec"], verdict["before"]["verdict"]) == ("edge", "equivalent with degradations")
    assert verdict["after"]["stacks"] == ["edge-metal", "edge-vsphere"]
    # A stack that is gone can be asked about; one that never was cannot.
    assert [
        s["stack"] for s in repository.diff("--base", "main", "edge-tinkerbell", "--format", "json").json["stacks"]
    ] == ["edge-tinkerbell"]
    run = repository.diff("--base", "main", "edge-tinkerbel")
    assert (run.code, run.err) == (2, "error: no stack has the spec 'edge-tinkerbel'; specs with stacks: edge, shop\n")


def test_the_base_runs_its_own_program(repository: Repository) -> None:
    """What the program makes of the same files is a change as well."""
    edit(repository.root / "components/vsphere/site.py", 'adapter_type="vmxnet3"', 'adapter_type="e1000e"')
    run = repository.diff("--base", "main", "edge-vsphere", "--format", "json")
    (stack,) = run.json["stacks"]
    (row,) = stack["resources"]
    assert row["properties"] == [
        {"path": "networkInterfaces[0].adapterType", "before": "vmxnet3", "after": "e1000e", "ignored": False}
    ]
    assert row["meaning"] == "in place; whether that restarts the machine, its provider knows"


def test_a_head_that_is_not_equivalent(repository: Repository) -> None:
    edit(repository.root / "stacks/shop.yaml", "accessModes: [ReadWriteOnce]", "accessModes: [ReadWriteMany]")
    run = repository.diff("--base", "main", "shop-vsphere", "--format", "markdown")
    assert run.code == 1
    assert "- ❌ **shop**: not equivalent (before: one stack alone)" in run.out
    assert "  - new trade-off: `storage.classes.fast.accessModes` on shop-vsphere: impossible" in run.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base", "nowhere"], "no revision 'nowhere' in this repository; git fetch brings"),
        (["--base", "--upload-pack=x"], "--base '--upload-pack=x' is no name of a revision; --base main"),
        (["--base", ""], "--base '' is no name of a revision; --base main"),
        (["--base", "main", "--deployed", "x.json"], "--base and --deployed are two questions; ask one"),
        ([], "two or more are held against each other, one is named; isostack diff A B"),
    ],
)
def test_bad_questions(repository: Repository, arguments: list[str], said: str) -> None:
    run = repository.diff("edge", *arguments)
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert run.err.startswith(f"error: {said}")


def test_outside_of_any_repository(repository: Repository) -> None:
    shutil.rmtree(repository.root / ".git")
    run = Run(repository.root, "diff", "--base", "main", "edge")
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert "is in no git repository that can be read: not a git repository" in run.err


def test_a_base_that_cannot_be_previewed(repository: Repository) -> None:
    spec = repository.root / "stacks/edge.yaml"
    text = spec.read_text()
    edit(spec, "zones: [", "zonse: [")
    repository.git("commit", "--quiet", "--all", "--message=bad")
    spec.write_text(text)
    run = repository.diff("--base", "main", "edge", "--format", "json")
    assert run.code == 2
    assert {problem["file"] for problem in run.json["problems"]} == {"main:stacks/edge.yaml"}
    assert "unknown key 'zonse'" in run.out
    # Its program is another thing than its files.
    program = repository.root / "__main__.py"
    text = program.read_text()
    program.write_text(f"{text}\nimport nothing_of_this_name\n")
    repository.git("commit", "--quiet", "--all", "--message=worse")
    program.write_text(text)
    run = repository.diff("--base", "main", "edge-vsphere")
    assert run.code == 2
    assert run.err.startswith("error: main: preview of stack edge-vsphere failed: the program raised")
    assert run.err.endswith("No module named 'nothing_of_this_name'\n")
    assert run.err.count("\n") == 1


@pytest.fixture
def short() -> Iterator[Path]:
    """A temporary folder whose path leaves room for names of sockets."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def test_an_interrupt_leaves_nothing(repository: Repository, short: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "diff", "--base", "main", "edge"],
        cwd=repository.root,
        env={**ENVIRONMENT, "TMPDIR": str(short)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while repository.worktrees == 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (-signal.SIGINT, b"", b"")
    assert (repository.worktrees, [p.name for p in short.iterdir() if p.name.startswith("isostack")]) == (1, [])


def test_what_is_deployed(tmp_path: Path) -> None:
    stack = previews("edge")[1]
    file = written(tmp_path, export(stack), "state.json")
    run = Run(ROOT, "diff", "--deployed", file, stack.stack)
    assert (run.code, run.err) == (0, "")
    assert f"no change since {file}" in run.out
    page = tmp_path / "page.html"
    run = Run(ROOT, "diff", "--deployed", file, stack.stack, "--html", str(page))
    assert (run.code, run.err) == (0, f"wrote {page}\n")
    assert '<p class="said">no change</p>' in page.read_text("utf-8")
    document = export(stack)
    vm = next(each for each in document["deployment"]["resources"] if each["type"].endswith(":VirtualMachine"))
    memory, vm["inputs"]["memory"] = vm["inputs"]["memory"], 1024
    run = Run(ROOT, "diff", "--deployed", written(tmp_path, document), stack.stack, "--format", "json")
    (changed,) = run.json["stacks"]
    (row,) = changed["resources"]
    assert row["properties"] == [{"path": "memory", "before": "1024", "after": str(memory), "ignored": True}]
    assert run.code == 0
    run = Run(ROOT, "diff", "--deployed", file, "edge-tinkerbell")
    said = f"error: {file}: it is of the stack {stack.stack}; one is wanted of edge-tinkerbell\n"
    assert (run.code, run.out, run.err) == (2, "", said)
