"""`--html` of `isostack compare` and `isostack diff`: the file beside the result, and why it is not written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from components.problems import InvalidInput
from isostack.writing import check_writable, write
from tests.cli import Run
from tests.configs import ScratchProject, scratch
from tests.specs import spec
from tests.unit.test_cli_system import files_up_to


@pytest.fixture
def tiny(tmp_path: Path) -> ScratchProject:
    project = scratch(tmp_path)
    project.add(spec(), ("vsphere", "tinkerbell"))
    return project


def test_the_file_comes_beside_the_result(tiny: ScratchProject) -> None:
    plain = Run(tiny.root, "compare", "tiny", "--format", "json")
    both = Run(tiny.root, "compare", "tiny", "--format", "json", "--html", "report.html")
    assert both.json == plain.json
    assert both.code == plain.code
    assert both.err == f"{plain.err}wrote report.html\n"
    text = (tiny.root / "report.html").read_text("utf-8")
    assert text.startswith("<!doctype html>\n")
    assert text.endswith("</html>\n")
    # The same stacks, the same file; and it is another result than what was asked for on the standard output.
    again = Run(tiny.root, "compare", "tiny", "--html", "report.html")
    assert again.out.startswith("tiny on ")
    assert (tiny.root / "report.html").read_text("utf-8") == text
    assert not list(tiny.root.glob(".report*"))


def test_diff_writes_the_page_that_compare_writes(tiny: ScratchProject) -> None:
    stacks = ("tiny-vsphere", "tiny-tinkerbell")
    wanted = Run(tiny.root, "compare", *stacks, "--html", "compared.html")
    plain = Run(tiny.root, "diff", *stacks, "--only", "raw", "--format", "markdown")
    both = Run(tiny.root, "diff", *stacks, "--only", "raw", "--format", "markdown", "--html", "held.html")
    assert wanted.err.endswith("wrote compared.html\n")
    assert (both.out, both.code, both.err) == (plain.out, plain.code, f"{plain.err}wrote held.html\n")
    assert (tiny.root / "held.html").read_text("utf-8") == (tiny.root / "compared.html").read_text("utf-8")


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "nothing"),
        ("diff", "nothing", "nowhere"),
        ("diff", "--base", "nowhere"),
        ("diff", "--deployed", "none.json", "nothing"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_first(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Before any name is looked up: there is no project here."""
    for file, what in (
        (".", ".: it is a folder; name a file"),
        ("none/report.html", "none/report.html: there is no folder none; make it first"),
    ):
        run = Run(tmp_path, *command, "--html", file)
        assert (run.code, run.out, run.err) == (2, "", f"error: {what}\n")
    run = Run(tmp_path, *command, "--html", "none/report.html", "--format", "json")
    assert [problem["file"] for problem in run.json["problems"]] == ["none/report.html"]


def test_no_half_of_a_report(tiny: ScratchProject) -> None:
    report = tiny.root / "report.html"
    report.write_text("before")
    run = Run(tiny.root, "compare", "tiny", "--html", "report.html", before=files_up_to(20_000))
    assert (run.code, run.out) == (2, "")
    assert run.err.endswith("error: report.html: cannot be written: file too large\n")
    assert report.read_text() == "before"
    assert not list(tiny.root.glob(".report*"))


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    file.chmod(0o600)
    link.symlink_to("file")
    write(link, "after\n")
    assert link.is_symlink()
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("after\n", 0o600)
    write(tmp_path / "new", "text")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~mask


def test_into_a_device(tmp_path: Path) -> None:
    write(Path("/dev/null"), "text")
    with pytest.raises(InvalidInput, match="/dev/full: cannot be written: no space left on device"):
        write(Path("/dev/full"), "text")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidInput, match="permission denied; name a file in a folder of your own"):
        check_writable(tmp_path / "report.html")
