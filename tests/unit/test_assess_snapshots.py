"""What snapshots and backups bring back: the table, where each target has them, and that all of it can be traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from components.facts import Realisation
from isostack.assess.backup import COPY, VOLUME_COPY
from isostack.assess.case import Case, NoAnswer
from isostack.assess.questions import inputs, questions
from isostack.assess.snapshots import KINDS, Here, Kind, Loss
from isostack.assess.uncertainty import usual
from isostack.assessment import Assessment, assess, planned_cases
from isostack.explaining import explanation
from isostack.inputs import plan_all, stacks_of
from isostack.report import assessed, assessment, kept
from isostack.stacks import find_project
from policies.catalogue import rules
from tests.cli import Run
from tests.specs import ROOT

BY_ID = {kind.id: kind for kind in KINDS}
IDS = list(BY_ID)
SIDES = {
    case.stack: case
    for spec in ("shop", "edge")
    for case in planned_cases(plan_all(stacks_of(find_project(ROOT), spec)[0]))
}
VMS, METAL = SIDES["shop-vsphere"], SIDES["shop-tinkerbell"]
MATRIX = {
    # A node's bad upgrade, a deleted namespace, overwritten data, lost storage, a lost control plane, a lost site.
    "snapshot.vm": "partly no partly no no no",
    "snapshot.etcd": "no partly no no yes partly",
    "snapshot.volume": "no no yes no no no",
    "snapshot.backup": "no yes yes yes partly yes",
    "snapshot.state": "yes no no no partly partly",
    "snapshot.array": "partly no partly no no no",
}


def shop() -> Assessment:
    return assess([VMS, METAL], inputs())


def test_what_each_kind_brings_back() -> None:
    said = {kind.id: " ".join(kind.against[loss].verdict for loss in Loss) for kind in KINDS}
    assert said == MATRIX
    assert all(list(kind.against) == list(Loss) for kind in KINDS)
    assert [row[0] for row in kept.matrix().rows] == [kind.title for kind in KINDS]


def test_against_every_loss_there_is_something() -> None:
    for loss in Loss:
        assert any(kind.against[loss].verdict == "yes" for kind in KINDS), loss


def test_numbers_are_those_of_questions() -> None:
    named = {kind.id: (kind.rpo.question, kind.rto.question) for kind in KINDS}
    assert {name for pair in named.values() for name in pair if name} <= questions().keys()
    assert named["snapshot.etcd"] == ("rollback.objects", "rollback.restore")
    assert named["snapshot.backup"] == ("rollback.volumes", "rollback.data")
    # Words have no figure of their own but what VMware advises.
    assert "72 h" in BY_ID["snapshot.vm"].rpo.text
    assert "24 to 72 h" in BY_ID["snapshot.vm"].rpo.evidence.source
    figures = [each for kind in KINDS for each in (kind.rpo, kind.rto)]
    assert sum(any(c.isdigit() for c in each.text) for each in figures) == 1


def test_a_volume_s_backup_is_read_back() -> None:
    asked = questions()["rollback.data"]
    values = usual([inputs()[each.id] for each in asked.inputs])
    # Decided, 500 GiB at 100 MB/s, looked at.
    expected = (600 + 500 * 1024**3 / 1e8 + 300) / 3600
    assert asked.answer(VMS, values)[0] == asked.answer(METAL, values)[0] == pytest.approx(expected)
    with pytest.raises(NoAnswer, match="no backup of volumes"):
        asked.answer(SIDES["edge-vsphere"], values)


def has(kind: str, case: Case) -> Here:
    return BY_ID[kind].here(case)


def test_who_has_which() -> None:
    assert [has("snapshot.vm", case).there for case in (VMS, METAL)] == ["partly", "no"]
    assert has("snapshot.etcd", METAL) == Here("yes", "CronJob etcd-backup, 28 kept")
    assert has("snapshot.backup", VMS) == Here("yes", "Velero schedule, 14 kept")
    assert has("snapshot.backup", SIDES["edge-vsphere"]) == Here("no", "the spec asks for none: backup.volumes")
    assert has("snapshot.volume", METAL) == Here("yes", "fast: Rook-Ceph")
    assert has("snapshot.volume", VMS).why.startswith("fast: vSphere CSI: 3 per volume")
    edge = has("snapshot.volume", SIDES["edge-tinkerbell"])
    assert edge.there == "partly"
    assert edge.why.startswith("shared: csi-driver-nfs: a snapshot is a tar archive")
    assert [has("snapshot.array", case).why for case in (VMS, METAL)] == [
        "the datastores are not this project's: whoever runs them may take one",
        "hosts boot from disks of their own",
    ]
    assert has("snapshot.state", METAL).there == "yes"


def changed(case: Case, **changes: object) -> Case:
    return replace(case, spec=case.spec.model_copy(update=changes))


def test_who_has_which_once_the_spec_asks_for_less() -> None:
    backup = VMS.spec.backup
    bare = changed(VMS, backup=backup.model_copy(update={"etcd": None, "volumes": None}))
    assert has("snapshot.etcd", bare) == Here("no", "the spec asks for none: backup.etcd")
    assert has("snapshot.backup", bare).there == "no"
    (fast,) = VMS.spec.storage.classes
    none = VMS.spec.storage.model_copy(update={"classes": (fast.model_copy(update={"snapshots": False}),)})
    assert has("snapshot.volume", changed(VMS, storage=none)) == Here(
        "no", "the spec asks for none: storage.classes[].snapshots"
    )


def test_a_wish_that_comes_true_nowhere_is_not_there() -> None:
    field = "storage.classes.fast.snapshots"
    never = Realisation(field=field, grade="impossible", mechanism="none", reason="no driver has them")
    found = has("snapshot.volume", replace(METAL, realisations=(never,)))
    assert found == Here("no", "fast: none: no driver has them")
    assert has("snapshot.volume", replace(METAL, realisations=())) == Here("no", "the plan does not say how")
    assert has("snapshot.etcd", replace(METAL, realisations=())) == Here("no", "the plan does not say how")


@pytest.mark.parametrize(
    ("grades", "there"),
    [
        (("equal", "equal"), "yes"),
        (("equal", "degraded"), "partly"),
        (("equal", "impossible"), "partly"),
        (("impossible", "impossible"), "no"),
    ],
)
def test_one_of_several_classes(grades: tuple[str, str], there: str) -> None:
    (fast,) = METAL.spec.storage.classes
    slow = fast.model_copy(update={"name": "slow", "default": False})
    storage = METAL.spec.storage.model_copy(update={"classes": (fast, slow)})
    made = tuple(
        Realisation.model_validate({"field": f"storage.classes.{name}.snapshots", "grade": grade, "mechanism": "m"})
        for name, grade in zip(("fast", "slow"), grades, strict=True)
    )
    found = has("snapshot.volume", replace(changed(METAL, storage=storage), realisations=made))
    assert found == Here(there, "fast: m; slow: m")  # type: ignore[arg-type]


def test_the_rows_have_the_answers_numbers() -> None:
    rows = {(title, stacks): (there, rpo, rto) for title, stacks, there, rpo, rto in kept.here(shop()).rows}
    etcd, metal = BY_ID["snapshot.etcd"].title, "shop-tinkerbell"
    table = {(row[0], i): row[3 + i] for row in assessed.rows(shop()) for i in (0, 1)}
    for i, stack in enumerate(("shop-vsphere", metal)):
        number, span = table["rollback.restore", i].split(" ", 1)
        assert rows[etcd, stack][2] == f"on new machines: {number} min {span}"
        number, span = table["rollback.objects", i].split(" ", 1)
        assert rows[etcd, stack][1] == f"changes since the last one, at worst: {number} h {span}"
    assert rows[BY_ID["snapshot.vm"].title, metal] == ("no: nothing below a node's system takes one", "-", "-")
    # What is the same of both is said once.
    assert (BY_ID["snapshot.backup"].title, f"shop-vsphere, {metal}") in rows


def test_the_page_of_all_specs(golden: Callable[[str, str], None]) -> None:
    golden("assess/snapshots.md", assessment.snapshots())


def test_the_command_tells_of_them() -> None:
    run = Run(ROOT, "assess", "edge")
    for title in (kept.HERE, kept.ANY, *Loss):
        assert title in run.out
    page = Run(ROOT, "assess", "edge", "--format", "markdown").out
    assert page.endswith(assessment.snapshots())
    assert page.count(kept.HERE) == page.count(kept.ANY) == 1
    found = Run(ROOT, "assess", "edge", "--format", "json").json["assessment"]["snapshots"]
    assert [each["kind"] for each in found] == IDS
    etcd = next(each for each in found if each["kind"] == "snapshot.etcd")
    assert etcd["against"]["lost control plane"] == "yes"
    assert etcd["stacks"]["edge-vsphere"] == {"there": "yes", "why": "CronJob etcd-backup, 48 kept"}


@pytest.mark.parametrize("kind", KINDS, ids=IDS)
def test_every_verdict_can_be_traced(kind: Kind) -> None:
    text = " ".join(explanation(kind.id).split())
    assert kind.holds in text
    for loss, each in kind.against.items():
        assert f"{loss}: {each.verdict}, {each.why} {each.evidence}" in text
    for source in kind.sources:
        assert source.source
        assert str(source) in text
    for figure in (kind.rpo, kind.rto):
        assert figure.text in text
        if figure.question:
            assert f"({figure.question})" in text
            assert kind.id in explanation(figure.question)


def test_kinds_are_listed() -> None:
    assert [line.split()[0] for line in explanation("snapshots").splitlines()] == IDS
    assert all(f"  {name} " in explanation(None) for name in IDS)


def test_rules_take_the_same_numbers_and_sources() -> None:
    for rule, declared in (("backup-etcd-missing", COPY), ("backup-volumes-rarely", VOLUME_COPY)):
        (param,) = (each for each in rules()[rule].params if each.name == "copySeconds")
        assert (param.default, param.evidence) == (declared.value, declared.evidence)
        assert inputs()[declared.id] is declared
    told = {source for kind in KINDS for source in kind.sources}
    for name in ("snap-of-node-vm", "snap-of-etcd-member", "backup-volumes-missing", "backup-volumes-rarely"):
        assert told & set(rules()[name].evidence), name
