"""isostack:policies of a stack file: misspelt names and numbers out of range are faults, each in its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli import Run
from tests.configs import ScratchProject, scratch
from tests.specs import spec

STACK = "tiny-vsphere"


@pytest.fixture
def project(tmp_path: Path) -> ScratchProject:
    made = scratch(tmp_path)
    made.add(spec(), ("vsphere",))
    return made


def judged_by(project: ScratchProject, settings: Any) -> None:
    file = project.stacks / f"Pulumi.{STACK}.yaml"
    data = json.loads(file.read_text())
    data["config"]["isostack:policies"] = settings
    file.write_text(json.dumps(data, indent=1))


def test_every_fault_in_its_place(project: ScratchProject) -> None:
    settings = {
        "levels": {"drs-valu": "advisory", "isolatio": "disabled"},
        "params": {
            "drs-value": {"utilisation": 7, "load": 0.5},
            "drs-valve": {"utilisation": 0.5},
            "drs-numa-wide": {"numaNodes": 2.5},
            "life-kubernetes-end": {"today": 20270231},
        },
        "waivers": [{"rule": "backup-etcd-mising", "reason": "known", "until": "2030-01-01"}],
    }
    judged_by(project, settings)
    run = Run(project.root, "validate", STACK)
    assert run.code == 2
    here = f"stacks/Pulumi.{STACK}.yaml"
    lines = (project.root / here).read_text().splitlines()
    said = [line.removeprefix("error: ").split(": ", 1) for line in run.err.splitlines() if "isostack:policies" in line]
    assert [message for _, message in said] == [
        "config.isostack:policies.levels.drs-valu: no rule or pack 'drs-valu'; did you mean 'drs-value'?",
        "config.isostack:policies.levels.isolatio: no rule or pack 'isolatio'; did you mean 'isolation'?",
        "config.isostack:policies.params.drs-value.utilisation: 7 is out of range for utilisation; from 0.01 to 1",
        "config.isostack:policies.params.drs-value.load: drs-value has no parameter 'load'; "
        "it has utilisation, variation, tolerancePercent",
        "config.isostack:policies.params.drs-valve: no rule 'drs-valve'; did you mean 'drs-value'?",
        "config.isostack:policies.params.drs-numa-wide.numaNodes: 2.5 is no whole number, as numaNodes is; "
        "for example 2",
        "config.isostack:policies.params.life-kubernetes-end.today: 20270231 names no day; "
        "the year, the month and the day as one: 20270630",
        "config.isostack:policies.waivers[0].rule: no rule 'backup-etcd-mising'; did you mean 'backup-etcd-missing'?",
    ]
    for place, message in said:
        file, line, _ = place.split(":")
        assert file == here
        assert message.split(":")[1].rpartition(".")[2].partition("[")[0] in "".join(lines[int(line) - 2 : int(line)])
    assert Run(project.root, "check", STACK).code == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"levels": {"drs-value": "off"}}, "isostack:policies.levels.drs-value"),
        ({"waivers": [{"reason": "x"}]}, "isostack:policies.waivers[0]"),
        ({"waivers": [{"rule": "drs-value", "until": "soon"}]}, "isostack:policies.waivers[0].until"),
        ({"waiver": []}, "isostack:policies.waiver"),
        ([], "isostack:policies"),
    ],
)
def test_what_has_no_such_shape(project: ScratchProject, settings: Any, said: str) -> None:
    judged_by(project, settings)
    run = Run(project.root, "validate", STACK)
    assert run.code == 2
    assert said in run.err
