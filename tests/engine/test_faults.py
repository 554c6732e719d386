"""What goes wrong in the middle of an `up`: the next one finishes the job, makes nothing twice, and keeps every key."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.engine import Engine

STACK, VM = "edge-vsphere", "vsphere:index/virtualMachine:VirtualMachine"
NODE = "edge-apps-1"


@pytest.fixture
def edge(plugins: Engine) -> Engine:
    plugins.init(STACK)
    return plugins


def keys(engine: Engine) -> dict[str, str]:
    """What tells one key from another in the state: of each key that has been made, its public half."""
    resources = json.loads(engine.state(STACK))["checkpoint"]["latest"]["resources"]
    made = (r for r in resources if r["type"].endswith(":PrivateKey"))
    return {r["urn"]: r["outputs"]["publicKeyPem"] for r in made}


def made(engine: Engine) -> Counter[str]:
    """How often each resource was made, by URN."""
    return Counter(line["urn"] for line in engine.journal() if line["operation"] == "create" and not line["fault"])


def check_the_next_up_finishes(engine: Engine) -> None:
    """What was written down is made no second time, and keys are kept."""
    state = json.loads(engine.state(STACK))["checkpoint"]["latest"]["resources"]
    before, written = keys(engine), {r["urn"] for r in state}
    assert before
    found = engine.run("up", STACK)
    assert found.error == ""
    assert keys(engine).items() >= before.items()
    assert {urn for urn, times in made(engine).items() if times > 1} & written == set()
    assert engine.run("up", STACK).did() == []


def test_a_provider_that_fails_on_the_third_machine(edge: Engine) -> None:
    with edge.attached():
        edge.fault("create", VM, "edge-apps-1", "fail")
        found = edge.run("up", STACK)
        assert "planned: create of edge-apps-1 fails" in "\n".join((found.error, *found.diagnostics))
        check_the_next_up_finishes(edge)


def test_a_node_that_cannot_be_drained_keeps_its_machine(edge: Engine) -> None:
    with edge.attached():
        assert edge.run("up", STACK).error == ""
        file = edge.root / "stacks" / f"Pulumi.{STACK}.yaml"
        file.write_text(
            file.read_text("utf-8").replace("kind: vsphere", f"kind: vsphere\n    generations: {{{NODE}: 2}}")
        )
        edge.fault("delete", "command:local:Command", f"{NODE}-membership", "fail")
        found = edge.run("up", STACK)
        assert "planned: delete of edge-apps-1-membership fails" in "\n".join((found.error, *found.diagnostics))
        assert deleted(edge, VM) == []
        assert edge.run("up", STACK).error == ""  # the fault is met once
        assert deleted(edge, VM) == [NODE]


def deleted(engine: Engine, type_: str) -> list[str]:
    lines = (line for line in engine.journal() if line["operation"] == "delete")
    return [line["urn"].split("::")[-1] for line in lines if line["urn"].split("::")[2].endswith(type_)]


def test_a_provider_that_dies(edge: Engine) -> None:
    """What it had made and not told, nobody knows: a real one would leave that behind, and it is made once more."""
    edge.fault("create", VM, "edge-apps-1", "die")
    assert edge.run("up", STACK).error
    check_the_next_up_finishes(edge)


def wait_for_quiet(engine: Engine) -> None:
    """Until the planned fault has been met and nothing has been made for three seconds."""
    end, lines, since = time.monotonic() + 120, 0, time.monotonic()
    while time.monotonic() < end:
        now = list(engine.journal())
        if len(now) != lines:
            lines, since = len(now), time.monotonic()
        elif any(line["fault"] for line in now) and time.monotonic() > since + 3:
            return
        time.sleep(0.1)
    raise AssertionError("the engine is never done with the rest")


@pytest.fixture
def hanging(edge: Engine) -> Iterator[tuple[Engine, subprocess.Popen[str]]]:
    """An `up` whose third machine is never done, once all that does not wait for it is made and written down."""
    edge.fault("create", VM, "edge-apps-1", "hang")
    with edge.start("up", STACK) as process:
        try:
            wait_for_quiet(edge)
            yield edge, process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def test_an_engine_that_is_killed(hanging: tuple[Engine, subprocess.Popen[str]]) -> None:
    """All that was made before was written down: the engine had time for it."""
    engine, process = hanging
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert json.loads(engine.state(STACK))
    engine.pulumi("cancel", "--yes", "--stack", STACK)  # the lock of the dead
    check_the_next_up_finishes(engine)
    assert set(made(engine).values()) == {1}


def test_one_up_has_the_lock_until_ctrl_c(hanging: tuple[Engine, subprocess.Popen[str]]) -> None:
    """A second `up` is refused. Ctrl-C cancels what hangs; what is made is written down, and the lock given back."""
    engine, process = hanging
    before = made(engine)
    second = engine.run("up", STACK)
    assert "the stack is currently locked" in second.error
    assert made(engine) == before
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert "create of edge-apps-1 is cancelled" in output
    check_the_next_up_finishes(engine)
