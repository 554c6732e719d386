"""The processes behind previews: light parent, parallel children, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from isostack.preview import preview, preview_each
from tests.unit.preview_programs import named, preview_of, stack_file, write_program

REPOSITORY = Path(__file__).parents[2]
# A parent of its own, for what can only be seen from outside. It has no `if __name__ == "__main__"`, and needs none.
PARENT = """
import sys
from pathlib import Path
from isostack.preview import preview
from isostack.stacks import StackFile
print(preview(Path({root!r}), [StackFile("dev", Path("x"), "shop", {{}}, frozenset())])[0].resources[1].name)
"""

# It has a process of its own that would stay behind.
SLEEPER = """
import pathlib, subprocess
process = subprocess.Popen(["sleep", "60"])
pathlib.Path("began").touch()
process.wait()
"""


def python(*arguments: str, **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, env=environment, text=True, stdout=-1, stderr=-1, **options)  # type: ignore[call-overload,no-any-return]


def parent_of(directory: Path, program: str) -> subprocess.Popen[str]:
    write_program(directory, program)
    script = directory / "parent.py"
    script.write_text(PARENT.format(root=str(directory)), encoding="utf-8")
    return python(str(script), start_new_session=True)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for 30 seconds"
        time.sleep(0.05)


def processes_of_session(session: int) -> set[int]:
    """The living ones, by /proc: field 1 is the state, 4 the session."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def test_the_parent_imports_nothing_of_pulumi() -> None:
    code = (
        "import isostack.preview, isostack.stacks, sys\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pulumi', 'grpc', 'google', 'pydantic'}))"
    )
    assert python("-c", code).communicate()[0] == "[]\n"


def test_the_fork_server_may_be_forked() -> None:
    code = (
        "import os, threading\n"
        "os.environ['TRACEPARENT'] = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'\n"
        "import isostack.preview.preload\n"
        "print(threading.active_count(), len(os.listdir('/proc/self/task')))"
    )
    assert python("-c", code).communicate()[0] == "1 1\n"


def test_stacks_run_side_by_side_and_come_back_in_order(tmp_path: Path) -> None:
    # Each waits for the other: one after the other, neither would end.
    write_program(
        tmp_path,
        """
        import pathlib, time
        me, other = pulumi.get_stack(), {"a": "b", "b": "a"}[pulumi.get_stack()]
        pathlib.Path(me + ".here").touch()
        while not pathlib.Path(other + ".here").exists():
            time.sleep(0.01)
        time.sleep(0.5 if me == "a" else 0)
        Thing("thing-" + me)
        """,
    )
    stacks = [stack_file("a"), stack_file("b")]
    first, second = preview(tmp_path, stacks, jobs=2, timeout=30)
    assert (first.stack, second.stack) == ("a", "b")
    assert (named(first, "thing-a").name, named(second, "thing-b").name) == ("thing-a", "thing-b")
    assert [stack.name for stack, _ in preview_each(tmp_path, stacks, jobs=2, timeout=30)] == ["b", "a"]


def test_one_job_at_a_time(tmp_path: Path) -> None:
    write_program(
        tmp_path,
        """
        import pathlib, time
        busy = pathlib.Path("busy")
        busy.touch(exist_ok=False)
        time.sleep(0.1)
        busy.unlink()
        """,
    )
    assert len(preview(tmp_path, [stack_file(name) for name in "abc"], jobs=1)) == 3


def test_the_program_runs_as_the_language_host_runs_it(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "__init__.py").write_text("HERE = 'the project'\n", encoding="utf-8")
    result = preview_of(
        tmp_path,
        """
        import os, sys, components
        Thing("thing", {
            "cwd": os.getcwd(), "path": sys.path[0], "components": components.HERE,
            "project": pulumi.get_project(), "stack": pulumi.get_stack(), "organization": pulumi.get_organization(),
            "root": pulumi.runtime.get_root_directory(), "dry_run": pulumi.runtime.is_dry_run(),
            "main": sys.modules["__main__"].__file__,
        })
        """,
    )
    root = str(tmp_path)
    assert named(result, "thing").inputs == {
        "cwd": root,
        "path": root,
        "components": "the project",
        "project": "shop",
        "stack": "dev",
        "organization": "organization",
        "root": root,
        "dry_run": True,
        "main": f"{root}/__main__.py",
    }


def test_nothing_outlives_the_command(tmp_path: Path) -> None:
    parent = parent_of(tmp_path, "Thing('thing')")
    output, errors = parent.communicate(timeout=60)
    assert (output, errors) == ("thing\n", "")
    wait_for(lambda: not processes_of_session(parent.pid))


def test_a_program_meets_ctrl_c_as_if_started_by_itself(tmp_path: Path) -> None:
    """The fork server is started with SIGINT blocked; what a program starts must not inherit that."""
    result = preview_of(
        tmp_path,
        """
        import signal
        Thing("thing", {
            "blocked": signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []),
            "default": signal.getsignal(signal.SIGINT) == signal.SIG_DFL,
        })
        """,
    )
    assert named(result, "thing").inputs == {"blocked": False, "default": True}


def test_ctrl_c_ends_the_children(tmp_path: Path) -> None:
    parent = parent_of(tmp_path, SLEEPER)
    wait_for((tmp_path / "began").exists)
    os.killpg(parent.pid, signal.SIGINT)
    _, errors = parent.communicate(timeout=30)
    assert parent.returncode != 0
    assert errors.count("Traceback") == 1  # its own: no child and no server has anything to say
    wait_for(lambda: not processes_of_session(parent.pid))


def test_the_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    parent = parent_of(tmp_path, SLEEPER)
    wait_for((tmp_path / "began").exists)
    assert len(processes_of_session(parent.pid)) > 1
    parent.kill()
    parent.wait()
    wait_for(lambda: not processes_of_session(parent.pid))
