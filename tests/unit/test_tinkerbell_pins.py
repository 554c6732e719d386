"""Target tinkerbell: pinned machines stay on their hosts whatever comes later, and nothing is made of others."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components.cluster import Cluster
from components.load import Inputs, load
from components.plan import Plan
from components.planning import wanted_machines
from components.problems import InvalidInput, Problem
from components.source import load_yaml
from components.spec import Pool, Size, Spec
from isostack.comparison import summary
from isostack.pin import write_pins
from isostack.preview import preview
from isostack.stacks import find_project
from tests.configs import Row, ScratchProject, inventories, scratch
from tests.specs import sizes, spec, specs

KIND = "tinkerbell"
SIX = spec({"pools.0.nodes": 6})
SEVEN = spec({"pools.0.nodes": 7})
CLASSES = ("large", "full", "mid", "slim", "full", "large", "mid", "full", "large")
UNEVEN = [Row(number, "a", kind, "") for number, kind in enumerate(CLASSES, start=1)]
"""Hosts of any pool; a machine of the tiny cluster fits all of them."""


class Site:
    """A scratch project with one stack."""

    def __init__(self, folder: Path, spec: Spec, hosts: list[Row]) -> None:
        self.project: ScratchProject = scratch(folder)
        (self.stack,) = self.project.add(spec, (KIND,), hosts)
        self.file = self.project.stacks / f"Pulumi.{self.stack}.yaml"

    def change(self, spec: Spec, hosts: list[Row]) -> None:
        """Another spec and inventory; the stack file with its pins stays."""
        text = self.file.read_text()
        self.project.add(spec, (KIND,), hosts)
        self.file.write_text(text)

    def inputs(self) -> Inputs:
        config = load_yaml(self.file).data["config"]
        return load(self.project.stacks, config["isostack:spec"], config["isostack:target"], self.file)

    def plan(self) -> Plan:
        return self.inputs().plan()

    def pin(self) -> str:
        return write_pins(self.file, self.plan())

    def edit(self, pattern: str, new: str) -> None:
        text, number = re.subn(pattern, new, self.file.read_text())
        assert number == 1
        self.file.write_text(text)

    def tried(self) -> tuple[tuple[Problem, ...], dict[str, str | None]]:
        """The faults, or the hosts."""
        try:
            return (), places(self.plan())
        except InvalidInput as error:
            return error.problems, {}

    def refused(self) -> list[str]:
        return [str(problem).replace(f"{self.project.stacks}/", "") for problem in self.tried()[0]]


def places(plan: Plan) -> dict[str, str | None]:
    return {machine.name: machine.place.host for machine in plan.machines}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, SIX, UNEVEN)


# Growth


def test_a_grown_pool_pins_only_the_new_machine(site: Site) -> None:
    site.pin()
    six = places(site.plan())
    site.change(SEVEN, UNEVEN)
    plan = site.plan()
    assert plan.unpinned == ("tiny-apps-6",)
    assert six.items() <= places(plan).items()
    said = site.pin()
    assert re.search(r": pinned 1 machine \(tiny-apps-6 on h\d+\), 7 were pinned$", said)
    assert site.plan().unpinned == ()
    assert places(site.plan()) == places(plan)


def test_without_pins_machines_do_move(site: Site) -> None:
    """What pins are for: a row of a small class at the top, and hosts in use change hands."""
    before = places(site.plan())
    site.change(SIX, [Row(99, "a", "fat", ""), *UNEVEN])
    after = places(site.plan())
    assert sum(before[name] != after[name] for name in before) > 1


def grown(draw: st.DrawFn, pool: Pool) -> Pool:
    size = draw(st.none() | st.none() | sizes())
    nodes = max(1, pool.nodes + draw(st.integers(-1, 2)))
    return pool.model_copy(update={"nodes": nodes} | ({"size": Size.model_validate(size)} if size else {}))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Spec, list[Row], Spec, list[Row]]:
    """A cluster and its hosts; and both after any change that has room: pools grown and shrunk, machines of another
    size, a zone more, rows anywhere and in another order."""
    before = draw(specs())
    zones = list(before.zones)
    if draw(st.booleans()):
        zones.insert(draw(st.integers(0, len(zones))), "one-more")
    pools = tuple(grown(draw, pool) for pool in before.pools)
    after = before.model_copy(update={"zones": tuple(zones), "pools": pools})
    old = draw(inventories(before))
    return before, old, after, draw(st.permutations(old + draw(inventories(after, len(old) + 1))))


@given(changes())
def test_no_change_moves_a_pinned_machine(case: tuple[Spec, list[Row], Spec, list[Row]]) -> None:
    before, old, after, new = case
    with TemporaryDirectory() as folder:
        site = Site(Path(folder), before, old)
        site.pin()
        pinned = places(site.plan())
        site.change(after, new)
        faults, now = site.tried()
    was = {m.name: (m.zone, m.size) for m in wanted_machines(before)}
    same = all(was.get(m.name, (m.zone, m.size)) == (m.zone, m.size) for m in wanted_machines(after))
    # Nothing is refused but what a machine cannot become where it stands, and that with its place in a file.
    assert (faults == ()) or not same
    assert all(fault.line and fault.column and fault.right for fault in faults)
    assert all(host == pinned[name] for name, host in now.items() if name in pinned)
    assert len(set(now.values())) == len(now)
    assert set(now.values()).isdisjoint(pinned[name] for name in pinned.keys() - now.keys() if now)


# Pins that do not hold


def test_a_pin_taken_away_is_a_machine_unpinned(site: Site) -> None:
    site.pin()
    site.edit(r"tiny-apps-3: h\d+, ", "")
    assert site.plan().loose == "1 of 7 machines is not pinned to its host (tiny-apps-3)"


def test_hosts_gone_from_the_inventory_are_told_where_they_are_pinned(site: Site) -> None:
    site.pin()
    pinned = places(site.plan())
    gone = [row for row in UNEVEN if row.name in (pinned["tiny-apps-0"], pinned["tiny-apps-5"])]
    site.change(SIX, [row for row in UNEVEN if row not in gone])
    faults = site.refused()
    assert len(faults) == 2
    for fault, machine in zip(faults, ("tiny-apps-0", "tiny-apps-5"), strict=True):
        assert re.match(
            rf"Pulumi.tiny-tinkerbell.yaml:\d+:\d+: config.isostack:target.assignments.{machine}: "
            rf"hosts.csv has no host '{pinned[machine]}'",
            fault,
        ), fault


def test_a_further_zone_moves_no_pinned_machine(site: Site) -> None:
    site.pin()
    two = SIX.model_copy(update={"zones": ("a", "b")})
    site.change(two, [*UNEVEN, *(Row(n, "b", "mid", "") for n in range(20, 24))])
    faults = site.refused()
    assert len(faults) == 3  # every second machine of the pool
    assert all(re.match(r"Pulumi.tiny-tinkerbell.yaml:\d+:\d+: config", fault) for fault in faults)
    assert all("stands in zone a, the machine in b; change that back; or take the line away" in f for f in faults)


def test_a_machine_that_is_gone_keeps_its_host_until_its_pin_goes(site: Site) -> None:
    site.change(SEVEN, UNEVEN)
    site.pin()
    host = places(site.plan())["tiny-apps-6"]
    site.change(SIX, UNEVEN)
    plan = site.plan()
    assert any(str(host) in reason and "waits for tiny-apps-6" in reason for reason in plan.reasons)
    assert "pinned 0 machines, 7 were pinned" in site.pin()
    site.change(SEVEN, UNEVEN)
    assert places(site.plan())["tiny-apps-6"] == host


def test_pins_cannot_be_written_into_a_text(site: Site) -> None:
    text = '{"kind": "tinkerbell"}'
    plan = site.plan()
    site.file.write_text(f"config:\n  isostack:spec: tiny\n  isostack:target: '{text}'\n")
    with pytest.raises(InvalidInput, match="no mapping in this file: pins cannot be written into it; write config"):
        write_pins(site.file, plan)


# Nothing is made of machines that are not pinned


STACK = "project-tiny-tinkerbell"
"""The stack's own resource, which the SDK registers before it runs the program."""


class Cloud(Mocks):
    """Makes whatever it is asked for."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        keys = ("privateKeyPem", "publicKeyPem", "certPem", "certRequestPem", "b64Std", "hex", "result")
        return args.name, {**dict.fromkeys(keys, "x"), **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program looks up {args.token}")


class Recorder(MockMonitor):
    """Keeps the names of what the engine would be asked to make."""

    def __init__(self) -> None:
        super().__init__(Cloud())
        self.names: list[str] = []

    def RegisterResource(self, request: Any) -> Any:
        self.names.append(request.name)
        return super().RegisterResource(request)


def up(plan: Plan) -> tuple[str, list[str]]:
    """As `pulumi up` runs the program: why it refuses, and the names of all that is registered."""
    recorder, refusals = Recorder(), list[str]()
    pulumi.runtime.set_mocks(Cloud(), stack="tiny-tinkerbell", preview=False, monitor=recorder)
    secrets = ("kubernetes:kubeconfig", "isostack:bmcUsername", "isostack:bmcPassword")
    pulumi.runtime.set_all_config(dict.fromkeys(secrets, "x"))

    @pulumi.runtime.test
    def program() -> None:
        Cluster(plan)

    try:
        program()
    except pulumi.RunError as error:
        refusals.append(str(error))
    return "".join(refusals), recorder.names


def test_up_refuses_machines_that_are_not_pinned_before_anything_is_made(site: Site) -> None:
    refusal, made = up(site.plan())
    assert refusal.startswith(
        "7 of 7 machines are not pinned to their hosts "
        "(tiny-control-plane-0, tiny-apps-0, tiny-apps-1, tiny-apps-2 and 3 more). "
    )
    assert "imaged over. Run `isostack plan --pin tiny-tinkerbell`" in refusal
    assert set(made) <= {STACK}


def test_up_makes_machines_that_are_pinned(site: Site) -> None:
    site.pin()
    refusal, made = up(site.plan())
    assert refusal == ""
    assert "tiny-apps-5" in made


def test_a_comparison_tells_it_once(site: Site) -> None:
    def told() -> list[str]:
        project = find_project(site.project.root)
        (result,) = preview(project.root, [project.stack(site.stack)])
        told = summary(result)
        return [text for text in (*told.reasons, *(m.text for m in told.warnings)) if "pinned" in text]

    (warning,) = told()
    assert warning.endswith("`pulumi up` will refuse; first run `isostack plan --pin tiny-tinkerbell`")
    site.pin()
    assert told() == []
