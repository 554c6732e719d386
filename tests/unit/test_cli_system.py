"""The command line against what a system does to it: full disks, closed pipes, Ctrl-C, other folders."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli import COMMAND, ENVIRONMENT, Run, edit
from tests.configs import ScratchProject, scratch
from tests.specs import ROOT, spec
from tests.unit.test_preview_processes import processes_of_session, wait_for


@pytest.fixture
def tiny(tmp_path: Path) -> ScratchProject:
    project = scratch(tmp_path)
    project.add(spec(), ("vsphere", "tinkerbell"))
    return project


def files_up_to(size: int) -> Callable[[], None]:
    """No file of the process can have more bytes. Root can be refused nothing else."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


RESULTS = [
    ("--help",),
    ("validate",),
    ("validate", "--format", "json"),
    ("plan", "tiny-vsphere"),
    ("plan", "tiny-vsphere", "--format=json"),
    ("preview", "tiny-vsphere"),
    ("diff", "tiny-vsphere", "tiny-tinkerbell"),
    ("compare", "tiny"),
    ("schema",),
    ("plan", "nothing", "--format", "json"),
]


@pytest.mark.parametrize("arguments", RESULTS, ids=" ".join)
def test_a_full_disk(tiny: ScratchProject, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=tiny.root, env=ENVIRONMENT, stdout=full, stderr=-1, text=True, timeout=120
        )
    assert done.returncode == 2
    assert "no space left on device" in done.stderr
    assert all(line.startswith(("error: ", "2 problems")) for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [*((arguments, 0) for arguments in RESULTS[:7]), (("compare", "tiny"), 1), (("schema",), 0)],
    ids=str,
)
def test_a_reader_that_has_seen_enough(tiny: ScratchProject, arguments: tuple[str, ...], code: int) -> None:
    """The exit code stays that of the result: this compare is blocked by a policy."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=tiny.root, env=ENVIRONMENT, stdout=closed, stderr=-1, text=True, timeout=120
        )
    assert (done.returncode, done.stderr) == (code, "")


def test_no_standard_output_at_all(tiny: ScratchProject) -> None:
    for arguments in (["validate"], ["plan", "tiny-vsphere"]):
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, *arguments]
        done = subprocess.run(command, cwd=tiny.root, env=ENVIRONMENT, stderr=-1, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


def test_new_writes_everything_or_nothing(tmp_path: Path) -> None:
    project = scratch(tmp_path)
    project.stacks.rmdir()
    new = ["new", "first", "--target", "tinkerbell"]
    run = Run(project.root, *new, before=files_up_to(600))
    assert (run.code, run.out, run.err) == (2, "", "error: file too large\n")
    assert not project.stacks.exists()
    # The last of its files cannot be created: a link that leads nowhere has its name.
    project.stacks.mkdir()
    link = project.stacks / "first-inventory.csv"
    link.symlink_to("nowhere")
    run = Run(project.root, *new)
    assert (run.code, run.out, run.err) == (2, "", "error: stacks/first-inventory.csv: file exists\n")
    assert list(project.stacks.iterdir()) == [link]
    link.unlink()
    project.stacks.rmdir()
    assert Run(project.root, *new).code == 0


def test_pins_that_cannot_be_written(tiny: ScratchProject) -> None:
    path = tiny.stacks / "Pulumi.tiny-tinkerbell.yaml"
    before = path.read_text()
    run = Run(tiny.root, "plan", "tiny-tinkerbell", "--pin", before=files_up_to(100))
    assert (run.code, run.out, run.err) == (2, "", "error: file too large\n")
    assert path.read_text() == before
    assert len(list(tiny.stacks.iterdir())) == 4


@pytest.mark.parametrize("processes", [2, 3, 6])
def test_ctrl_c_is_quiet_and_leaves_nothing(processes: int) -> None:
    """Sent, as a terminal does, to all processes: when the first of them start, and when some are at work."""
    command = subprocess.Popen(
        [*COMMAND, "compare", "shop"], cwd=ROOT, env=ENVIRONMENT, stdout=-1, stderr=-1, start_new_session=True
    )
    wait_for(lambda: len(processes_of_session(command.pid)) >= processes)
    os.killpg(command.pid, signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out, err) == (-signal.SIGINT, b"", b"")  # which a shell shows as 130
    wait_for(lambda: not processes_of_session(command.pid))


def test_ctrl_c_on_a_terminal_gives_the_cursor_back() -> None:
    """The spinner hides it while the previews are made."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [*COMMAND, "compare", "shop"],
        cwd=ROOT,
        env={**ENVIRONMENT, "TERM": "xterm"},
        stdin=theirs,
        stdout=-1,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"\x1b[?25l" not in shown:
        shown += os.read(ours, 1024)
    os.killpg(command.pid, signal.SIGINT)
    out, _ = command.communicate(timeout=60)
    with suppress(OSError):  # what a closed terminal answers
        while read := os.read(ours, 1024):
            shown += read
    os.close(ours)
    assert (command.returncode, out) == (-signal.SIGINT, b"")
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    assert b"Traceback" not in shown


def test_outside_of_a_project_it_is_the_checkout(tmp_path: Path) -> None:
    run = Run(tmp_path, "validate")
    assert run.code == 0
    assert "shop-vsphere: ok" in run.out
    # What is named by file is the caller's all the same.
    (tmp_path / "mine.yaml").write_text("name: [\n")
    run = Run(tmp_path, "validate", "mine.yaml")
    assert run.code == 2
    assert run.err.startswith("error: mine.yaml:1:")


def test_a_project_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    run = Run(tmp_path, "validate")
    assert (run.code, run.err) == (2, "error: Pulumi.yaml:1:1: name: a project needs a name; name: isostack\n")


def test_a_reader_of_errors_that_has_seen_enough_changes_no_exit_code(tiny: ScratchProject) -> None:
    edit(tiny.stacks / "tiny.yaml", "name", "nam")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "validate"], cwd=tiny.root, env=ENVIRONMENT, stdout=-1, stderr=writer, text=True, timeout=120
    )
    os.close(writer)
    assert (done.returncode, done.stdout) == (2, "tiny-tinkerbell: faulty\ntiny-vsphere: faulty\n")
