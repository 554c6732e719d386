"""Objects of the Pulumi Kubernetes Operator. tests/cluster holds them against its CRD in a real API server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.load import load
from tests.cli import Run, edit
from tests.configs import ScratchProject, scratch
from tests.repository import repository
from tests.specs import ROOT, spec

REPO = ("--repo", "https://git.example.com/clusters.git")
SECRET_KEY = re.compile(r"[-._a-zA-Z0-9]+")
"""Of a Secret's data [documented] https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data"""


@pytest.fixture
def project(tmp_path: Path) -> ScratchProject:
    made = scratch(tmp_path)
    made.add(spec())
    return made


def stacks(run: Run) -> dict[str, Any]:
    assert run.code == 0, run.err
    return {each["metadata"]["name"]: each for each in yaml.safe_load_all(run.out) if each["kind"] == "Stack"}


def references(stack: Any) -> list[tuple[str, str]]:
    """Secret and key of all that the object refers to."""
    refs = [*stack["spec"].get("envRefs", {}).values(), *stack["spec"].get("secretsRef", {}).values()]
    assert all(ref.keys() == {"type", "secret"} and ref["type"] == "Secret" for ref in refs)
    return [(ref["secret"]["name"], ref["secret"]["key"]) for ref in refs]


def test_a_spec_is_all_its_stacks_with_every_secret_by_reference() -> None:
    run = Run(ROOT, "export", "operator", "shop", "edge-vsphere", *REPO)
    found = stacks(run)
    assert found.keys() == {"shop-equinix", "shop-tinkerbell", "shop-vsphere", "edge-vsphere"}
    head = [line for line in run.out.splitlines() if line.startswith("#   ")]
    for line, (name, stack) in zip(head, found.items(), strict=True):
        document = yaml.safe_load((ROOT / f"stacks/Pulumi.{name}.yaml").read_text())
        config = document["config"]
        file = ROOT / f"stacks/Pulumi.{name}.yaml"
        plan = load(file.parent, config["isostack:spec"], config["isostack:target"], file).plan()
        asked = {ref.name for ref in settings.of_plan(plan) if ref.secret}
        assert stack["spec"]["secretsRef"].keys() == asked
        assert {where for where, _ in references(stack)} == {f"{name}-credentials"}
        assert all(SECRET_KEY.fullmatch(key) for _, key in references(stack))
        assert line == f"#   {name}-credentials: {', '.join(sorted(key for _, key in references(stack)))}"
        assert "config" not in stack["spec"]  # the operator reads it from the repository
        assert (stack["spec"]["stack"], stack["spec"]["destroyOnFinalize"]) == (name, False)
        assert (stack["spec"]["projectRepo"], stack["spec"]["branch"]) == (REPO[1], "main")


def test_every_stack_has_an_account_that_may_ask_who_calls_it() -> None:
    run = Run(ROOT, "export", "operator", "edge", *REPO, "--namespace", "fleet")
    objects = list(yaml.safe_load_all(run.out))
    assert [each["kind"] for each in objects] == ["ServiceAccount", "ClusterRoleBinding", "Stack"] * 2
    for account, binding, stack in zip(*[iter(objects)] * 3, strict=True):
        assert account["metadata"] == stack["metadata"]
        assert stack["metadata"]["namespace"] == "fleet"
        assert binding["subjects"] == [{"kind": "ServiceAccount", **account["metadata"]}]
        assert binding["roleRef"]["name"] == "system:auth-delegator"
        assert stack["spec"]["serviceAccountName"] == account["metadata"]["name"]


def variables(project: ScratchProject, *options: str) -> list[str]:
    (stack,) = stacks(Run(project.root, "export", "operator", "tiny-vsphere", *REPO, *options)).values()
    return list(stack["spec"].get("envRefs", {}))


def test_what_reaches_and_decrypts_the_states(project: ScratchProject) -> None:
    file = project.stacks / "Pulumi.tiny-vsphere.yaml"
    plain = json.loads(file.read_text())
    own = ("--backend", "s3://states", "--env", "AWS_ACCESS_KEY_ID")
    assert variables(project) == ["PULUMI_ACCESS_TOKEN"]
    assert variables(project, *own) == ["PULUMI_CONFIG_PASSPHRASE", "AWS_ACCESS_KEY_ID"]
    file.write_text(json.dumps({"encryptionsalt": "v1:x", **plain}))
    assert variables(project) == ["PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"]
    file.write_text(json.dumps({"secretsprovider": "awskms://alias/x", **plain}))
    assert variables(project, *own) == ["AWS_ACCESS_KEY_ID"]


def test_what_the_stack_file_has_is_not_asked_for_again(project: ScratchProject) -> None:
    file = project.stacks / "Pulumi.tiny-vsphere.yaml"
    run = Run(project.root, "export", "operator", "tiny-vsphere", *REPO)
    assert "Pulumi.tiny-vsphere.yaml: vsphere:vsphereServer is missing" in run.err
    data = json.loads(file.read_text())
    data["config"] |= {"vsphere:vsphereServer": "vc.example.com", "vsphere:password": {"secure": "v1:abc:def"}}
    file.write_text(json.dumps(data))
    run = Run(project.root, "export", "operator", "tiny-vsphere", *REPO)
    assert run.err == ""
    assert "v1:abc:def" not in run.out
    assert list(stacks(run)["tiny-vsphere"]["spec"]["secretsRef"]) == ["vsphere:user"]


def test_options_find_their_fields(tmp_path: Path) -> None:
    made = repository(tmp_path, "edge-vsphere", folder="clusters")
    options = ("--org", "acme", "--git-secret", "git", "--branch", "fleet", "--image", "registry.example.com/pulumi:1")
    run = Run(made.project.root, "export", "operator", "edge-vsphere", *REPO, *options)
    found = stacks(run)["edge-vsphere"]["spec"]
    assert (found["stack"], found["branch"], found["repoDir"]) == ("acme/edge-vsphere", "fleet", "clusters/")
    assert found["workspaceTemplate"] == {"spec": {"image": "registry.example.com/pulumi:1"}}
    secret = {"name": "git", "key": "accessToken"}
    assert found["gitAuth"] == {"accessToken": {"type": "Secret", "secret": secret}}
    assert "#   git: accessToken\n" in run.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tiny", "--repo", "https://me:secret@git.example.com/x"), "credentials in --repo would stand in the objects"),
        (("tiny", *REPO, "--env", "KEY=value"), "no name of an environment variable: 'KEY=value'"),
        (("tiny-vpshere", *REPO), "no stack has the spec 'tiny-vpshere'"),
    ],
)
def test_what_cannot_be_written_is_told(project: ScratchProject, arguments: tuple[str, ...], words: str) -> None:
    run = Run(project.root, "export", "operator", *arguments)
    assert (run.code, run.out) == (2, "")
    assert words in run.err


@pytest.mark.parametrize("name", ["tiny_" + "vsphere", "t" * 43])
def test_a_stack_whose_name_no_object_may_have(project: ScratchProject, name: str) -> None:
    (project.stacks / "Pulumi.tiny-vsphere.yaml").rename(project.stacks / f"Pulumi.{name}.yaml")
    run = Run(project.root, "export", "operator", name, *REPO)
    assert run.code == 2
    assert f"the stack '{name}' cannot be the name of a Stack object; at most 42 small letters" in run.err


def test_a_stack_that_cannot_be_planned_is_not_written(project: ScratchProject) -> None:
    edit(project.stacks / "tiny.yaml", '"name": "tiny"', '"nom": "tiny"')
    assert Run(project.root, "export", "operator", "tiny-vsphere", *REPO).code == 2
