"""The real Pulumi engine for tests: a CLI of its own home and backend, the stand-ins on its path, a scratch project."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components import settings
from isostack.inputs import plan_all, read
from isostack.pin import write_pins
from isostack.stacks import find_project
from tests.specs import ROOT
from tests.standins.packages import names
from tests.standins.server import FAULTS, JOURNAL

ATTACH = "PULUMI_DEBUG_PROVIDERS"
"""Providers that run already, by port [documented] pulumi pkg/resource/plugin/provider_plugin.go."""
ONE_CHECKPOINT = "PULUMI_SKIP_CHECKPOINTS"
"""[documented] pulumi sdk/go/common/env/env.go. A checkpoint after each resource takes more than half of an `up`."""
RECORDER = str(Path(__file__).with_name("recorder"))
CANARY = "CANARY-"
"""Begins each secret of a test's stacks."""


@dataclass(frozen=True)
class Step:
    """What the engine did, or would do, with one resource: same, create, update, replace, delete, ..."""

    operation: str
    urn: str

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        return self.urn.split("::")[-1]

    @property
    def short(self) -> str:
        """`VirtualMachine shop-web-0`."""
        return f"{self.type.rpartition(':')[2]} {self.name}"


@dataclass(frozen=True)
class Outcome:
    """What came of one run of the engine."""

    error: str
    steps: tuple[Step, ...]
    diagnostics: tuple[str, ...]
    policies: tuple[dict[str, Any], ...]
    told: str = ""
    """The document of a preview: `pulumi preview --json`."""

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(step.operation for step in self.steps))

    def did(self, *operations: str) -> list[str]:
        """What was done in these ways, in its order; without any: all that is not `same`."""
        return [s.short for s in self.steps if s.operation in operations or (not operations and s.operation != "same")]


@dataclass
class Engine:
    """One backend with one project in it."""

    folder: Path
    tools: Sequence[str]
    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bin_, home, state = (self.folder / name for name in ("bin", "home", "state"))
        for path in (bin_, home, state):
            path.mkdir()
        for name in names():
            _executable(bin_ / f"pulumi-resource-{name}", f"-m tests.standins {name}")
        # The engine gives it the address of the engine, the pack's folder and more, which the SDK takes for packs too.
        _executable(bin_ / "pulumi-analyzer-policy-python", '-u -m pulumi.policy "$1" "$2"', arguments=False)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PATH": os.pathsep.join((str(bin_), *self.tools, os.environ["PATH"])),
            "PYTHONPATH": str(ROOT),
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "open sesame",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            FAULTS: str(self.folder / "faults.json"),
            JOURNAL: str(self.folder / "journal"),
            "RECORDED_OPTIONS": str(self.folder / "options"),
        }

    @contextmanager
    def attached(self) -> Iterator[Engine]:
        """Quick: each run attaches to one process of all stand-ins, and writes its state once, at its end."""
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.standins"],
            env=self.environment,
            stdin=subprocess.PIPE,  # closed when this process ends, however it does: then the stand-ins end too
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout
                ports = process.stdout.readline().strip()
                assert ports, "the stand-ins do not start"
                self.environment |= {ATTACH: ports, ONE_CHECKPOINT: "true"}
                yield self
            finally:
                process.kill()

    def init(self, stack: str) -> None:
        """Make the stack, and set every secret that it reads to a canary, as its owner would with `pulumi config`."""
        self.pulumi("stack", "init", stack)
        project = find_project(self.root)
        (planned,) = plan_all([project.stack(stack)])
        values: list[str] = []
        for ref in settings.of_plan(planned.plan):
            if ref.secret:
                values += ["--secret", f"{ref.name}={CANARY}{ref.name}"]
            elif ref not in (settings.SPEC, settings.TARGET):
                values += ["--plaintext", f"{ref.name}=plain"]
        self.pulumi("config", "set-all", *values, "--stack", stack)

    def pin(self, stack: str) -> None:
        """Write the hosts of new machines into the stack file, where the target wants that."""
        file = find_project(self.root).stack(stack)
        plan = read(file).plan()
        if plan.unpinned:
            write_pins(file.path, plan)

    def pulumi(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, operation: str, stack: str, packs: Sequence[str] = ()) -> Outcome:
        """What tests.engine.child.ARGUMENTS names, with the program run as the Python language host would. `packs` are
        names of the project's own, or folders."""
        with self.start(operation, stack, packs) as process:
            try:
                output, _ = process.communicate(timeout=300)
            finally:
                if process.poll() is None:  # the group: else the plugins would hold the pipe, and this test, for ever
                    os.killpg(process.pid, signal.SIGKILL)
        return _outcome(output)

    def start(self, operation: str, stack: str, packs: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Leads a process group of its own, so that a test can kill the engine with all that it started."""
        command = [sys.executable, "-P", "-m", "tests.engine.child", str(self.root), stack, operation]
        return subprocess.Popen(
            [*command, *(str(ROOT / "policies" / pack) for pack in packs)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def state(self, stack: str) -> str:
        """The state file, as it lies on the disk."""
        return (self.folder / "state" / ".pulumi" / "stacks" / "isostack" / f"{stack}.json").read_text("utf-8")

    def journal(self) -> Iterator[dict[str, str]]:
        """What the stand-ins were told to make, change and delete, in this order."""
        file = Path(self.environment[JOURNAL])
        for line in file.read_text("utf-8").splitlines() if file.exists() else ():
            yield json.loads(line)

    def options(self) -> dict[str, dict[str, Any]]:
        """Of each resource that a run with the pack RECORDER has met, by URN."""
        lines = (self.folder / "options").read_text("utf-8").splitlines()
        return {line["urn"]: line for line in map(json.loads, lines)}

    def fault(self, operation: str, type_: str, name: str, does: str) -> None:
        plan = {"operation": operation, "type": type_, "name": name, "does": does}
        Path(self.environment[FAULTS]).write_text(json.dumps([plan]), "utf-8")


def _executable(path: Path, command: str, *, arguments: bool = True) -> None:
    rest = ' "$@"' if arguments else ""
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P {command}{rest}\n')
    path.chmod(0o755)


def _outcome(output: str) -> Outcome:
    """The child's last line is the result; what is before it came from the engine and its plugins."""
    before, _, last = output.rstrip("\n").rpartition("\n")
    try:
        found = json.loads(last)
    except ValueError:
        raise AssertionError(f"the engine's child said:\n{output}") from None
    steps = tuple(Step(*step) for step in found["steps"])
    return Outcome(found["error"], steps, (*found["diagnostics"], before), tuple(found["policies"]), found["told"])
