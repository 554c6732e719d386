"""The life of a stack on the real engine: made, left alone, shrunk, grown, changed, a machine built anew, destroyed.

The example stacks, with stand-ins for the provider plugins. What is asserted is all that the engine did: a resource
that is touched and not named here is a failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from components import targets
from components.facts import CLUSTER
from components.plan import Plan
from components.spec import CONTROL_PLANE
from isostack.inputs import read
from isostack.preview import Preview, preview
from isostack.saved import read_saved
from isostack.stacks import find_project
from isostack.update import update
from tests.engine import CANARY, RECORDER, Engine, Outcome
from tests.engine.findings import PACKS, check_findings, of_isostack
from tests.engine.graph import differences
from tests.engine.reading import misread
from tests.specs import KEY, ROOT

STACKS = find_project(ROOT).stacks()
NODE = "-membership"
"""Ends the name of what joins a node to its cluster, and drains it."""
NEW = "new"
"""Names what the owner adds."""
MACHINE = {"vsphere": {"VirtualMachine"}, "equinix": {"Device"}, "tinkerbell": {"Hardware", "Workflow"}}
RUNNING = set().union(*MACHINE.values())
"""What a machine runs on: nothing but its generation may replace or update these."""
KEEPERS: Mapping[str, set[str]] = {"vsphere": set(), "equinix": {"ProjectSshKey"}, "tinkerbell": set()}
"""Of which a target has a resource for each admin's key, beside the user data."""


@dataclass(frozen=True)
class Life:
    """One stack in its engine, and the files that its owner edits."""

    engine: Engine
    stack: str

    @property
    def spec(self) -> Path:
        return self.engine.root / "stacks" / f"{self.stack.split('-')[0]}.yaml"

    @property
    def file(self) -> Path:
        return self.engine.root / "stacks" / f"Pulumi.{self.stack}.yaml"

    @property
    def kind(self) -> str:
        return next(kind for kind in targets.kinds() if self.stack.endswith(kind))

    def machines(self, *pools: str) -> list[str]:
        """Of these pools; without any: all."""
        return [m.name for m in self.plan.machines if not pools or m.wanted.pool in pools]

    @property
    def plan(self) -> Plan:
        return read(find_project(self.engine.root).stack(self.stack)).plan()

    def edit(self, file: Path, old: str, new: str) -> None:
        text = file.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
        file.write_text(text.replace(old, new), "utf-8")

    def up(self) -> Outcome:
        found = self.engine.run("up", self.stack)
        assert found.error == ""
        return found


@pytest.fixture(params=STACKS)
def life(engine: Engine, request: pytest.FixtureRequest) -> Life:
    engine.init(request.param)
    engine.pin(request.param)
    return Life(engine, request.param)


def of_machine(outcome: Outcome, *operations: str) -> set[str]:
    """Machines whose raw resources were touched in these ways, by the names of the components above them."""
    return {machine(step.urn) for step in outcome.steps if step.operation in operations} - {""}


def machine(urn: str) -> str:
    """The name of the Machine that a resource is, else nothing."""
    return urn.split("::")[-1] if urn.split("::")[2].endswith("isostack:index:Machine") else ""


def kind(urn: str) -> str:
    return urn.split("::")[2].rpartition(":")[2]


def raw(outcome: Outcome, *operations: str) -> set[str]:
    """What of that which machines run on was touched, by kind."""
    return {short.split()[0] for short in outcome.did(*operations)} & RUNNING


def test_of_two_stacks_of_a_spec_each_is_left_alone(engine: Engine) -> None:
    """A move from one target to another: the new stack, then the end of the old one."""
    old, new = (Life(engine, stack) for stack in STACKS if stack.startswith("edge-"))
    states = []
    for each in (old, new):
        engine.init(each.stack)
        engine.pin(each.stack)
        each.up()
        states.append(engine.state(each.stack))
    assert engine.state(old.stack) == states[0]
    check_a_generation(old)
    check_destruction(old, 1)
    assert engine.state(new.stack) == states[1]
    assert new.up().did() == []


def test_a_stack_lives(life: Life) -> None:
    made = check_creation(life)
    check_shrinking_and_growing(life)
    check_changes_that_no_machine_feels(life)
    check_that_another_namespace_images_no_host(life)
    check_that_no_node_leaves_for_what_stands_around_it(life)
    check_a_generation(life)
    check_destruction(life, made)


def check_creation(life: Life) -> int:
    ours = embedded(life)
    findings = of_isostack(ours)
    seen = life.engine.run("preview", life.stack, PACKS)
    made = life.engine.run("up", life.stack, [*PACKS, RECORDER])
    assert (seen.error, made.error) == ("", "")
    assert set(made.counts) == {"create"}
    assert sorted(made.did("create")) == sorted(seen.did("create"))
    assert sorted(differences(ours, life.engine.state(life.stack), life.engine.options())) == []
    check_findings(seen, findings)
    check_findings(made, findings)
    documents = (seen.told, life.engine.pulumi("stack", "export", "--stack", life.stack))
    check_secrets(life.engine.state(life.stack), *documents, *seen.diagnostics, *made.diagnostics)
    for document in documents:
        assert list(misread(life.engine.folder, document, ours, findings)) == []
    for operation in ("preview", "up"):
        again = life.engine.run(operation, life.stack)
        assert (again.error, again.did()) == ("", [])
    return len(made.steps)


def embedded(life: Life) -> Preview:
    project = find_project(life.engine.root)
    (made,) = preview(project.root, [project.stack(life.stack)])
    return made


def check_secrets(state: str, *others: str) -> None:
    """No canary and no private key stands in clear in what the engine keeps and says."""
    for text in (state, *others):
        assert "PRIVATE KEY" not in text
        assert CANARY not in text
    assert "BEGIN CERTIFICATE" in state  # the state is not empty of what is no secret


def pool(life: Life) -> tuple[str, int]:
    """The first pool of the spec, and its nodes."""
    found = re.search(r"name: (\w+), nodes: (\d+)", life.spec.read_text("utf-8"))
    assert found
    return found[1], int(found[2])


FENCING = "FenceAgentsRemediationTemplate medik8s-fencing-fenceagentsremediationtemplate"
UPDATED: Mapping[str, Callable[[str, str], set[str]]] = {
    "vsphere": lambda cluster, name: {
        f"ResourcePool {cluster}",
        f"ComputeClusterVmAntiAffinityRule {cluster}-{name}",
        FENCING,
    },
    "equinix": lambda cluster, name: set(),
    "tinkerbell": lambda cluster, name: {FENCING},
}
"""What names machines, and so changes in place when a pool has one more or less."""
IN_ZONE = "ComputeClusterVmGroup"


def check_shrinking_and_growing(life: Life) -> None:
    cluster, (name, nodes) = life.spec.stem, pool(life)
    last = f"{cluster}-{name}-{nodes - 1}"
    life.edit(life.spec, f"name: {name}, nodes: {nodes}", f"name: {name}, nodes: {nodes - 1}")
    before = len(list(life.engine.journal()))
    less = life.up()
    assert of_machine(less, "delete") == {last}
    check_that_the_node_leaves_first(life, before, last)
    assert of_machine(less, "update", "replace", "create") == set()
    life.edit(life.spec, f"name: {name}, nodes: {nodes - 1}", f"name: {name}, nodes: {nodes}")
    life.engine.pin(life.stack)
    more = life.up()
    assert of_machine(more, "create") == {last}
    assert of_machine(more, "update", "replace", "delete") == set()
    # What came with the machine goes with it, and comes back with it: nothing else is made or deleted.
    gone = {short for short in less.did("delete", "delete-replaced") if not short.startswith("Hardware")}
    assert gone == set(more.did("create"))
    hosts = {m.place.host for m in life.plan.machines if m.name == last}
    own = [last, *(host for host in hosts if host)]
    rest = set(more.did("create")) - UPDATED[life.kind](cluster, name)  # a rule for one machine alone is none
    assert [short for short in rest if not any(each in short.split()[1] for each in own)] == []
    for outcome in (less, more):
        # A host that is given up becomes a spare: Tinkerbell's own record of it is written anew, and no other host's.
        other = {short for short in outcome.did("update") if not short.startswith((f"Cluster {cluster}", IN_ZONE))}
        assert other - host_records(outcome) - UPDATED[life.kind](cluster, name) == set()
        assert {short.split()[0] for short in outcome.did("replace")} <= {"Hardware"}
        assert len(outcome.did("replace")) <= 1
    assert "Workflow" not in raw(more, "replace", "update")


def host_records(outcome: Outcome) -> set[str]:
    """BMC objects of Tinkerbell, which tell by an annotation whether their host is in use."""
    return {short for short in outcome.did("update") if short.startswith("Machine bmc-")}


def check_changes_that_no_machine_feels(life: Life) -> None:
    """Two runs for seven wishes. All of what is touched is named: of a machine, its component, which has the facts."""
    cluster, (name, nodes) = f"Cluster {life.spec.stem}", pool(life)
    text = life.spec.read_text("utf-8")
    found = re.search(r"name: (\w+), default: true, snapshots: true", text)
    assert found
    life.edit(life.spec, found[0], found[0].replace("default: true", "default: false"))
    life.edit(life.spec, "  classes:\n", f"  classes:\n    - {{name: {NEW}, default: true, snapshots: true}}\n")
    life.edit(life.spec, f"name: {name}, nodes: {nodes}", f"name: {name}, nodes: {nodes}, labels: {{{NEW}: this}}")
    oidc = f"  oidc: {{issuer: https://{NEW}.example.com, clientId: {NEW}}}\n"
    life.spec.write_text(re.sub(r"  (oidc: .*\n  )?audit:", f"{oidc}  audit:", life.spec.read_text("utf-8")), "utf-8")
    assert changes(life.up()) == {
        ("update", cluster),
        *(("update", f"Machine {machine}") for machine in life.machines(name, CONTROL_PLANE)),
        *(("update", f"Addon {addon}") for addon in ("storage-classes", "snapshot-classes")),
        ("update", f"StorageClass {found[1]}-storageclass"),
        ("create", f"StorageClass {NEW}-storageclass"),
        ("create", f"VolumeSnapshotClass {NEW}-volumesnapshotclass"),
    }

    version = re.search(r"version: (1\.\d+)\.\d+", text)
    evict = re.search(r"evictAfter: (\d+)s", text)
    assert version
    assert evict
    life.edit(life.spec, version[0], f"version: {version[1]}.9")
    life.edit(life.spec, evict[0], f"evictAfter: {int(evict[1]) + 7}s")
    life.edit(life.spec, "  admins:\n", f"  admins:\n    - {KEY.replace('Example', 'Another')}\n")
    outcome = life.up()
    assert changes(outcome) == {
        ("update", cluster),
        *(("update", f"Machine {machine}") for machine in life.machines()),
        *(("update", f"Plan {plan}") for plan in upgrade_plans(life)),
        *(("create", short) for short in outcome.did("create") if short.split()[0] in KEEPERS[life.kind]),
    }
    assert len(outcome.did("create")) == len(KEEPERS[life.kind])


def upgrade_plans(life: Life) -> list[str]:
    """By which running nodes follow a changed release, where the spec wishes it."""
    things = [thing for addon in life.plan.addons for thing in addon.objects]
    found = [f"{each.namespace}-{each.name}-plan" for each in things if getattr(each, "kind", "") == "Plan"]
    assert bool(found) == (life.plan.spec.kubernetes.upgrades is not None)
    return found


def changes(outcome: Outcome) -> set[tuple[str, str]]:
    return {(step.operation, step.short) for step in outcome.steps if step.operation != "same"}


def check_that_another_namespace_images_no_host(life: Life) -> None:
    """Tinkerbell's objects cannot move, and a Workflow that is made again images its host."""
    if "\n    namespace:" in life.file.read_text("utf-8"):
        text = re.sub(r"(\n    namespace:) *\S+", r"\1 elsewhere", life.file.read_text("utf-8"))
    elif "namespace" in targets.config(life.kind).model_fields:
        text = life.file.read_text("utf-8").replace(
            f"kind: {life.kind}", f"kind: {life.kind}\n    namespace: elsewhere"
        )
    else:
        return
    life.file.write_text(text, "utf-8")
    found = life.up()
    assert found.did()  # of the facts: a provider id has the namespace in it
    assert raw(found, "replace", "create", "delete", "update") == set()


def check_that_no_node_leaves_for_what_stands_around_it(life: Life) -> None:
    """A VM that stays, whose overrides change or go."""
    text = life.file.read_text("utf-8")
    other = re.sub(r"( drs: {workers: )\w+", r"\1manual", text).replace(" ha: {enabled: true", " ha: {enabled: false")
    if other == text:
        return
    for content, ha in ((other, "delete"), (text, "create")):
        life.file.write_text(content, "utf-8")
        found = life.up()
        assert {short.split()[0] for short in found.did("update")} >= {"DrsVmOverride"}
        assert {short.split()[0] for short in found.did(ha)} >= {"HaVmOverride"}
        touched = found.did("replace", "create", "delete", "update")
        assert {short.split()[0] for short in touched} & {"Command", *RUNNING} == set()


def check_that_safety_sees_it(life: Life, anew: str) -> None:
    """In what the engine says that it will do, and in our own preview over what is deployed."""
    file = life.engine.folder / "document.json"
    file.write_text(life.engine.run("preview", life.stack).told, "utf-8")
    engine = read_saved(str(file))
    file.write_text(life.engine.pulumi("stack", "export", "--stack", life.stack), "utf-8")
    for seen in (engine, replace(embedded(life), before=read_saved(str(file)))):
        found = update(seen)
        assert found is not None
        assert (found.rebuilt, found.gone, found.keys, found.storage) == ((anew,), (), (), ())


def check_a_generation(life: Life) -> None:
    cluster, (name, nodes) = life.spec.stem, pool(life)
    anew = f"{cluster}-{name}-{nodes - 1}"
    text = life.file.read_text("utf-8")
    if "generations: {}" in text:
        life.edit(life.file, "generations: {}", f"generations: {{{anew}: 2}}")
    else:
        life.edit(life.file, f"kind: {life.kind}", f"kind: {life.kind}\n    generations: {{{anew}: 2}}")
    before = len(list(life.engine.journal()))
    check_that_safety_sees_it(life, anew)
    found = life.up()
    assert of_machine(found, "update") == {anew}
    assert of_machine(found, "create", "delete", "replace") == set()
    check_that_the_node_leaves_first(life, before, anew)
    done = [each for each in journal(life, before) if each[1] in RUNNING]
    kinds = {kind for _, kind, _ in done}
    assert kinds == MACHINE[life.kind]
    for kind in kinds:
        # Deleted before it is made again: the new one has its address.
        assert [operation for operation, other, _ in done if other == kind] == ["delete", "create"]
    assert len({thing for _, _, thing in done}) == 1


def journal(life: Life, before: int) -> list[tuple[str, str, str]]:
    """Operation, kind and name of all that the providers did after so many others."""
    lines = list(life.engine.journal())[before:]
    return [(each["operation"], kind(each["urn"]), each["urn"].split("::")[-1]) for each in lines]


def check_that_the_node_leaves_first(life: Life, before: int, name: str) -> None:
    """Drained, removed, created: nothing of the machine is deleted while it is a node."""
    deleted = [(kind, other) for what, kind, other in journal(life, before) if what == "delete"]
    assert deleted[0] == ("Command", f"{name}{NODE}")
    kinds = [kind for kind, _ in deleted[1:]]
    assert set(kinds) >= MACHINE[life.kind]
    assert "Command" not in kinds


def check_destruction(life: Life, made: int) -> None:
    """All but what is inside the cluster and gone with it: no API is asked, it may be dead."""
    life.engine.pulumi("state", "unprotect", "--all", "--yes", "--stack", life.stack)
    resources = json.loads(life.engine.state(life.stack))["checkpoint"]["latest"]["resources"]
    (cluster,) = (each["urn"] for each in resources if each["type"] == CLUSTER)
    inside = {each["urn"] for each in resources if each.get("deletedWith") == cluster}
    assert {kind(urn) for urn in inside} > {"Release", "Command"}
    assert not {kind(urn) for urn in inside} & RUNNING
    gone = life.engine.run("destroy", life.stack)
    assert gone.error == ""
    assert set(gone.counts) == {"delete"}
    assert len(gone.steps) >= made
    there: set[str] = set()
    for line in life.engine.journal():
        if line["operation"] != "update":
            (there.add if line["operation"] == "create" else there.discard)(line["urn"])
    assert {urn for urn in there if life.stack in urn} == inside
    assert not json.loads(life.engine.state(life.stack))["checkpoint"]["latest"].get("resources")
