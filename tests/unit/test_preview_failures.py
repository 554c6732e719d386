"""Programs that fail, print, die or do not end: the user gets the reason, and always an answer."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from components.problems import InvalidInput
from isostack.preview import Message, PreviewFailed, PreviewsFailed, preview, preview_each
from tests.unit.preview_programs import named, preview_of, stack_file, write_program


def failure_of(directory: Path, program: str, *, timeout: float = 60) -> PreviewFailed:
    with pytest.raises(PreviewFailed) as failed:
        preview_of(directory, program, timeout=timeout)
    return failed.value


def test_an_exception_is_shown_from_the_programs_first_frame(tmp_path: Path) -> None:
    failed = failure_of(tmp_path, "def size(text):\n    return int(text)\nsize('big')\n")
    assert failed.stack == "dev"
    assert failed.text == textwrap.dedent(f"""\
        the program raised an exception:
        Traceback (most recent call last):
          File "{tmp_path}/__main__.py", line 1, in <module>
            import prelude, program
          File "{tmp_path}/program.py", line 4, in <module>
            size('big')
          File "{tmp_path}/program.py", line 3, in size
            return int(text)
                   ^^^^^^^^^
        ValueError: invalid literal for int() with base 10: 'big'""")


def test_an_exception_in_a_callback_is_shown_with_its_line(tmp_path: Path) -> None:
    failed = failure_of(
        tmp_path,
        """
        def shout(urn):
            raise LookupError("no voice")
        pulumi.export("x", Thing("thing").urn.apply(shout))
        """,
    )
    assert failed.text == textwrap.dedent(f"""\
        the program raised an exception:
        Traceback (most recent call last):
          File "{tmp_path}/program.py", line 3, in shout
            raise LookupError("no voice")
        LookupError: no voice""")


def test_a_chain_of_exceptions_is_trimmed_in_every_link(tmp_path: Path) -> None:
    failed = failure_of(tmp_path, "try:\n  1 / 0\nexcept ZeroDivisionError as e:\n  raise KeyError('b') from e")
    assert "ZeroDivisionError: division by zero" in failed.text
    assert failed.text.endswith("KeyError: 'b'")
    assert "runpy" not in failed.text
    assert "asyncio" not in failed.text


def test_a_run_error_is_its_message_alone(tmp_path: Path) -> None:
    assert failure_of(tmp_path, "raise pulumi.RunError('no such zone')").text == "no such zone"


def test_a_bad_value_for_the_sdk_shows_no_machinery(tmp_path: Path) -> None:
    failed = failure_of(tmp_path, "Thing('thing', {'x': object()})")
    assert "While processing resource: 'thing'" in failed.text
    assert "File " not in failed.text


def test_a_plain_data_source_is_named_with_its_output_form(tmp_path: Path) -> None:
    failed = failure_of(tmp_path, "import pulumi_vsphere\npulumi_vsphere.get_datacenter(name='dc')")
    assert failed.text.startswith(f"{tmp_path}/program.py:3: get_datacenter asks the provider")
    assert "use get_datacenter_output" in failed.text


@pytest.mark.parametrize("how", ["raise bad", "raise pulumi.RunError(str(bad)) from bad"])
def test_bad_input_comes_back_as_it_was_raised(tmp_path: Path, how: str) -> None:
    program = f"""
    from components.problems import InvalidInput, Problem
    bad = InvalidInput([Problem("too small", "at least 1", ("nodes",), "shop.yaml", 3, 4)])
    {how}
    """
    with pytest.raises(InvalidInput, match=r"^shop.yaml:3:4: nodes: too small; at least 1$"):
        preview_of(tmp_path, program)
    # Stacks of one spec have the same faults: each is said once.
    with pytest.raises(InvalidInput) as invalid:
        preview(tmp_path, [stack_file("a"), stack_file("b")])
    assert len(invalid.value.problems) == 1


def test_a_project_without_program(tmp_path: Path) -> None:
    with pytest.raises(PreviewFailed, match=r"unable to find main python program `__main__.py` in"):
        preview(tmp_path, [stack_file()])


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit(3)", "the program left with sys.exit(3)"),
        ("import os; os._exit(7)", "the process ended with exit code 7 in the middle of the program"),
        ("import os; os._exit(0)", "the process ended with exit code 0 in the middle of the program"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the process was ended by SIGSEGV"),
        # A copy of the process lives on, and with it our end of the pipe.
        ("import os, time\nif os.fork(): os._exit(8)\ntime.sleep(60)", "the process ended with exit code 8"),
    ],
)
def test_a_program_that_dies(tmp_path: Path, program: str, reason: str) -> None:
    assert failure_of(tmp_path, f"Thing('thing')\n{program}").text.startswith(reason)


def test_sys_exit_with_success_is_success(tmp_path: Path) -> None:
    assert named(preview_of(tmp_path, "Thing('thing')\nimport sys; sys.exit(0)"), "thing")


@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import asyncio\nasync def main(): await asyncio.Future()\npulumi.run(main)",
        "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(60)",
        "import subprocess; subprocess.run(['sleep', '60'])",
    ],
)
def test_a_program_that_does_not_end(tmp_path: Path, program: str) -> None:
    began = time.monotonic()
    assert failure_of(tmp_path, program, timeout=1).text == "the program did not end within 1 seconds"
    assert time.monotonic() - began < 20


def test_a_thread_that_does_not_end_keeps_nobody_waiting(tmp_path: Path) -> None:
    program = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\nThing('thing')"
    began = time.monotonic()
    assert named(preview_of(tmp_path, program), "thing")
    assert time.monotonic() - began < 20


def test_what_is_printed_becomes_messages_in_order(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = preview_of(
        tmp_path,
        """
        import os, subprocess, sys, warnings
        print("one")
        pulumi.log.info("two")
        print("three", file=sys.stderr)
        pulumi.log.warn("four", Thing("thing"))
        os.write(1, b"five\\n")
        subprocess.run(["echo", "six"])
        subprocess.run(["echo", "seven"], stdout=sys.stdout)
        print("eight \\udce4", end="")
        """,
    )
    said = [(message.severity, message.text) for message in result.messages]
    assert said == [
        ("info", "one"),
        ("info", "two"),
        ("info", "three"),
        ("info", "five"),
        ("info", "six"),
        ("info", "seven"),
        ("info", "eight \\udce4"),
        ("warning", "four"),  # waits for the resource's URN
    ]
    assert result.messages[-1] == Message("warning", "four", named(result, "thing").urn)
    assert capfd.readouterr() == ("", "")


def test_a_failure_keeps_what_was_said_before(tmp_path: Path) -> None:
    failed = failure_of(tmp_path, "print('reading')\npulumi.log.error('broken')\nraise pulumi.RunError('x')")
    assert failed.messages == (Message("info", "reading"), Message("error", "broken"))


def test_all_failures_are_reported_together(tmp_path: Path) -> None:
    write_program(tmp_path, "if pulumi.get_stack() != 'good': raise pulumi.RunError(f'no {pulumi.get_stack()}')")
    stacks = [stack_file(name) for name in ("bad", "good", "worse")]
    with pytest.raises(PreviewsFailed) as failed:
        preview(tmp_path, stacks)
    assert [stack for stack, _ in failed.value.failures] == ["bad", "worse"]
    assert str(failed.value) == ("preview of stack bad failed: no bad\n\npreview of stack worse failed: no worse")
    outcomes = {stack.name: outcome for stack, outcome in preview_each(tmp_path, stacks)}
    assert {name: isinstance(outcome, Exception) for name, outcome in outcomes.items()} == {
        "bad": True,
        "good": False,
        "worse": True,
    }
