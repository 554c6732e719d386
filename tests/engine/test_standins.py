"""The stand-ins refuse what the real providers refuse: a program that is wrong does not come through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import Engine

PROGRAM = """
import pulumi
pulumi.CustomResource("{token}", "x", {{{inputs}}})
"""
FOLDER, VM, KEY = (
    "vsphere:index/folder:Folder",
    "vsphere:index/virtualMachine:VirtualMachine",
    "tls:index/privateKey:PrivateKey",
)
MAP, CRON, WORKFLOW = (
    f"kubernetes:{name}" for name in ("core/v1:ConfigMap", "batch/v1:CronJob", "tinkerbell.org/v1alpha1:Workflow")
)
JOB = """
"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": {"schedule": "@daily", "jobTemplate":
{"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"*}]}}}}}
"""
"""The star is in a container."""


@pytest.fixture
def bare(tmp_path: Path, tools: list[str]) -> Engine:
    """An engine with an empty project."""
    for name in ("engine", "project"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "Pulumi.yaml").write_text("name: isostack\nruntime: python\n")
    made = Engine(tmp_path / "engine", tools, tmp_path / "project")
    made.pulumi("stack", "init", "one")
    return made


@pytest.mark.parametrize(
    ("token", "inputs", "said"),
    [
        (FOLDER, '"path": "a", "type": "vm"', ""),
        (FOLDER, '"path": "a", "type": "vm", "colour": "red"', "colour"),
        (FOLDER, '"path": "a"', "type"),
        (FOLDER, '"path": 5, "type": "vm"', "a string is wanted"),
        (VM, '"resourcePoolId": "p", "disks": [{"label": "a", "sise": 3}]', "disks[0].sise"),
        (VM, '"resourcePoolId": "p", "numCpus": "many"', "a integer is wanted"),
        (KEY, '"algorithm": "ECDSA", "ecdsaCurve": "P256"', ""),
        (KEY, '"algorithm": "DSA"', "makes no DSA keys"),
        (MAP, '"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}', ""),
        (MAP, '"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}', "'v2' in a resource of type"),
        (MAP, '"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}', "metadata.name"),
        (CRON, JOB.replace("*", ""), ""),
        (CRON, JOB.replace("*", ', "commands": ["a"]'), "spec.jobTemplate.spec.template.spec.containers[0].commands"),
        (CRON, JOB.replace("*", ', "command": "a"'), "a list is wanted, not 'a'"),
        (CRON, JOB.replace("*", ', "env": [{"value": "a"}]'), "containers[0].env[0].name"),
        (
            WORKFLOW,
            '"apiVersion": "tinkerbell.org/v1alpha1", "kind": "Workflow", "metadata": {"name": "a"}, "spec": '
            '{"bootOptions": {"toggleAllowNetboot": "yes"}}',
            "spec.bootOptions.toggleAllowNetboot",
        ),
        ("vsphere:index/nothing:Nothing", "", "knows no resource"),
    ],
)
def test_inputs(bare: Engine, token: str, inputs: str, said: str) -> None:
    (bare.root / "__main__.py").write_text(PROGRAM.format(token=token, inputs=inputs))
    found = bare.run("up", "one")
    assert (found.error == "") is (said == "")
    assert said in "\n".join((found.error, *found.diagnostics))
