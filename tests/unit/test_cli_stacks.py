"""What the command line makes of stack files that are wrong, half right, or another spec's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli import Run, edit
from tests.configs import ScratchProject, scratch
from tests.specs import spec

BUCKET = {"every": "6h", "to": "s3://example-backup/tiny"}


@pytest.fixture
def tiny(tmp_path: Path) -> ScratchProject:
    """The smallest spec that no policy blocks, on two targets."""
    project = scratch(tmp_path)
    project.add(spec({"backup": {"etcd": BUCKET}}), ("vsphere", "equinix"))
    return project


def write(project: ScratchProject, stack: str, config: dict[str, Any], **top_level: Any) -> None:
    (project.stacks / f"Pulumi.{stack}.yaml").write_text(json.dumps({"config": config, **top_level}))


def config(project: ScratchProject, stack: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((project.stacks / f"Pulumi.{stack}.yaml").read_text())["config"]
    return read


def test_stacks_of_other_specs_do_not_block_a_comparison(tiny: ScratchProject) -> None:
    (tiny.stacks / "Pulumi.edge-x.yaml").write_text("config: {a: [\n")
    (tiny.stacks / "Pulumi.edge-y.yaml").write_text("confg: {a: 1}\n")
    write(tiny, "edge-z", {})
    write(tiny, "edge-none", {"isostack:spec": None, "isostack:target": {"kind": "vsphere"}})
    write(tiny, "edge-far", {"isostack:spec": "nowhere", "isostack:target": {"kind": "vsphere"}})
    run = Run(tiny.root, "compare", "tiny")
    assert run.code == 0
    assert run.out.startswith("tiny on equinix, vsphere: equivalent")
    warnings = run.err.splitlines()
    assert all(line.startswith("warning: stacks/Pulumi.edge-") for line in warnings)
    assert len(warnings) == 5
    for told in (
        "edge-x.yaml:1:14: not valid YAML",
        "edge-y.yaml:1:1: confg: unknown key 'confg'; did you mean 'config'?",
        "edge-z.yaml:1:12: config: missing: isostack:spec, isostack:target",
        "edge-none.yaml:1:12: config: missing: isostack:spec;",
        "edge-far.yaml:1:30: config.isostack:spec: stacks/nowhere.yaml: no such file",
    ):
        assert told in run.err
    faults = Run(tiny.root, "validate")
    assert faults.code == 2
    for name in ("edge-x", "edge-y", "edge-z", "edge-none", "edge-far"):
        assert f"{name}: faulty" in faults.out
        assert f"error: stacks/Pulumi.{name}.yaml:" in faults.err


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (
            {"isostack:specc": "tiny"},
            "config.isostack:specc: unknown key 'isostack:specc'; did you mean 'isostack:spec'?",
        ),
        ({"isostack:spec": None}, "config: missing: isostack:spec; a stack names its spec and its target"),
        ({"isostack:spec": "tinyy"}, "config.isostack:spec: stacks/tinyy.yaml: no such file; did you mean 'tiny'?"),
    ],
)
def test_a_stack_that_seems_to_be_of_the_spec_is_not_left_out(
    tiny: ScratchProject, config: dict[str, Any], complaint: str
) -> None:
    write(tiny, "tiny-third", {**config, "isostack:target": {"kind": "vsphere"}})
    run = Run(tiny.root, "compare", "tiny")
    assert (run.code, run.out) == (2, "")
    assert "stacks/Pulumi.tiny-third.yaml:1:" in run.err
    assert complaint in run.err


def test_a_broken_stack_of_the_spec_is_an_error(tiny: ScratchProject) -> None:
    (tiny.stacks / "Pulumi.third.yaml").write_text('config: {"isostack:spec": tiny, "a": [}\n')
    run = Run(tiny.root, "compare", "tiny")
    assert run.code == 2
    assert run.err.startswith("error: stacks/Pulumi.third.yaml:1:39: not valid YAML")


def test_a_stack_where_a_spec_is_expected(tiny: ScratchProject) -> None:
    for given in ("tiny-vsphere", "stacks/Pulumi.tiny-vsphere.yaml"):
        run = Run(tiny.root, "compare", given)
        assert (run.code, run.err) == (2, "error: tiny-vsphere is a stack, not a spec; isostack compare tiny\n")


def test_a_spec_that_no_stack_names(tiny: ScratchProject) -> None:
    shutil.copy(tiny.stacks / "tiny.yaml", tiny.stacks / "alone.yaml")
    run = Run(tiny.root, "compare", "alone")
    assert (run.code, run.out) == (2, "")
    assert (
        run.err == "error: stacks/alone.yaml: no stack names this spec; isostack new alone --target KIND writes one\n"
    )


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("isostack:targett", "keys of isostack: isostack:spec, isostack:target, isostack:policies"),
        (
            "isostack:bmcUsername",
            "keys of isostack: isostack:spec, isostack:target, isostack:policies",
        ),  # tinkerbell's alone
        ("isostack:config:pin", "did you mean 'isostack:policies'?"),
    ],
)
def test_keys_that_this_target_does_not_read(tiny: ScratchProject, key: str, right: str) -> None:
    write(tiny, "tiny-vsphere", {**config(tiny, "tiny-vsphere"), key: "x"})
    run = Run(tiny.root, "validate", "tiny-vsphere")
    assert run.code == 2
    assert f"config.{key}: unknown key {key!r}; {right}" in run.err


def test_keys_that_are_read_by_target_or_add_on_are_known(tmp_path: Path) -> None:
    project = scratch(tmp_path)
    project.add(spec({"backup": {"etcd": BUCKET}}), ("tinkerbell",))
    secret = {"secure": "v1:abc"}
    keys = {"isostack:bmcUsername": secret, "isostack:config:bmcPassword": secret, "backup:region": "x", "other:k": 1}
    write(project, "tiny-tinkerbell", {**config(project, "tiny-tinkerbell"), **keys})
    run = Run(project.root, "validate")
    assert (run.code, run.out, run.err) == (0, "tiny-tinkerbell: ok\n", "")


def test_credentials_in_clear(tiny: ScratchProject) -> None:
    clear = {
        "vsphere:password": "CANARY",
        "backup:config:accessKey": "CANARY",
        "backup:region": "eu",
        "vsphere:user": {"secure": "x"},
    }
    write(tiny, "tiny-vsphere", {**config(tiny, "tiny-vsphere"), **clear})
    for command in (["validate", "tiny-vsphere"], ["compare", "tiny"]):
        run = Run(tiny.root, *command)
        assert run.code == 0
        assert "CANARY" not in run.out + run.err
        warnings = [line.partition(": config.")[2] for line in run.err.splitlines()]
        assert warnings == [
            "vsphere:password: a credential in clear text; "
            "change it, it may have been read, and: pulumi config set --secret vsphere:password",
            "backup:config:accessKey: a credential in clear text; "
            "change it, it may have been read, and: pulumi config set --secret backup:accessKey",
        ]
        assert run.err.startswith("warning: stacks/Pulumi.tiny-vsphere.yaml:1:")
    assert len(Run(tiny.root, "validate", "--format", "json").json["warnings"]) == 2


def test_what_an_up_needs_is_told_with_the_right_command(tiny: ScratchProject) -> None:
    run = Run(tiny.root, "preview", "tiny-vsphere")
    assert (
        "needs config that is not set: backup:accessKey, backup:secretKey, vsphere:password, vsphere:user "
        "(pulumi config set --secret KEY); backup:endpoint, backup:region, vsphere:vsphereServer "
        "(pulumi config set KEY VALUE)"
    ) in " ".join(run.out.split())
    secret = {
        key: {"secure": "v1:abc"}
        for key in ("vsphere:user", "vsphere:password", "backup:accessKey", "backup:secretKey")
    }
    plain = {"vsphere:vsphereServer": "vc", "backup:endpoint": "https://s3.example.com", "backup:region": "eu"}
    write(tiny, "tiny-vsphere", {**config(tiny, "tiny-vsphere"), **secret, **plain})
    assert "not set" not in Run(tiny.root, "preview", "tiny-vsphere").out


def test_a_spec_whose_file_has_another_name(tiny: ScratchProject) -> None:
    edit(tiny.stacks / "tiny.yaml", '"name": "tiny"', '"name": "tinyy"')
    for command in (["validate", "tiny-equinix"], ["compare", "tiny"]):
        run = Run(tiny.root, *command)
        assert run.code == 0
        assert run.err.startswith(
            "warning: stacks/tiny.yaml:1:10: name: the cluster is named 'tinyy' and the file 'tiny'; write tiny, unless"
        )
        assert len(run.err.splitlines()) == 1


def test_impossible_wishes_are_problems_with_the_stacks_named(tiny: ScratchProject) -> None:
    storage = {"classes": [{"name": "fast"}, {"name": "shared", "accessModes": ["ReadWriteMany"]}]}
    tiny.add(
        spec({"backup": {"etcd": BUCKET}, "storage": storage, "services": {"loadBalancer": True}}),
        ("vsphere", "equinix"),
    )
    for stack in ("tiny-vsphere", "tiny-equinix"):
        changed_config = config(tiny, stack)
        changed_config["isostack:target"]["loadBalancer"] = {"provider": "none"}
        if stack == "tiny-vsphere":
            changed_config["isostack:target"]["storage"] = {"backend": "vsphere-csi"}
        write(tiny, stack, changed_config)
    run = Run(tiny.root, "validate")
    assert run.code == 2
    assert run.out == "tiny-equinix: faulty\ntiny-vsphere: faulty\n"
    both, one = sorted(line for line in run.err.splitlines() if line.startswith("error"))[::-1][:2]
    assert "loadBalancer: impossible: loadBalancer.provider is none" in both
    assert "(stacks tiny-equinix, tiny-vsphere); change the wish" in both
    assert "storage.classes[1].accessModes: impossible: no ReadWriteMany" in one
    assert "(stack tiny-vsphere)" in one
    assert Run(tiny.root, "compare", "tiny").code == 1


def test_demands_that_no_target_meets_are_told_before_any_preview(tiny: ScratchProject) -> None:
    edit(tiny.stacks / "tiny.yaml", '"cpus": 2', '"cpus": 900')
    (tiny.root / "__main__.py").unlink()  # a preview would fail in another way
    (tiny.root / "__main__.py").write_text("raise ValueError\n")
    for command in (["compare", "tiny"], ["diff", "tiny-vsphere", "tiny-equinix"], ["validate"]):
        run = Run(tiny.root, *command)
        assert run.code == 2
        assert "controlPlane.size" in run.err
        assert "(stack tiny-vsphere)" in run.err
        assert "(stack tiny-equinix)" in run.err
    alone = Run(tiny.root, "preview", "tiny-vsphere", "--format", "json")
    assert (alone.code, alone.json["command"]) == (2, "error")


def test_faults_of_the_spec_itself_are_told_once_and_of_no_stack(tiny: ScratchProject) -> None:
    edit(tiny.stacks / "tiny.yaml", '"nodes": 1', '"nodes": 2')
    run = Run(tiny.root, "validate")
    assert run.out == "tiny-equinix: faulty\ntiny-vsphere: faulty\n"
    (line,) = run.err.splitlines()
    assert "controlPlane.nodes" in line
    assert "(stack" not in line


def test_files_that_are_not_there_are_faults_of_the_place_that_names_them(tmp_path: Path) -> None:
    project = scratch(tmp_path)
    project.add(spec(), ("tinkerbell",))
    (project.stacks / "hosts.csv").unlink()
    (project.stacks / "tiny.yaml").rename(project.stacks / "tinny.yaml")
    run = Run(project.root, "validate")
    assert run.err.splitlines()[:2] == [
        "error: stacks/Pulumi.tiny-tinkerbell.yaml:1:30: config.isostack:spec: stacks/tiny.yaml: no such file; "
        "did you mean 'tinny'?",
        "error: stacks/Pulumi.tiny-tinkerbell.yaml:1:93: config.isostack:target.inventory: stacks/hosts.csv: "
        "no such file; paths are relative to the folder of the stack files",
    ]


def test_nothing_to_validate(tmp_path: Path) -> None:
    project = scratch(tmp_path)
    run = Run(project.root, "validate")
    assert run.code == 2
    assert run.err.startswith(
        "error: stacks: no stack file, Pulumi.NAME.yaml, is in it; isostack new NAME --target KIND writes"
    )
    project.stacks.rmdir()
    run = Run(project.root, "validate", "--format", "json")
    assert run.code == 2
    assert run.json["problems"][0]["what"] == "the stacks' folder cannot be read: no such file or directory"


def test_a_spec_named_by_its_file_is_that_file(tiny: ScratchProject) -> None:
    (tiny.root / "tiny.yaml").write_text("garbage")
    (tiny.root / "else").mkdir()
    run = Run(tiny.root, "compare", "tiny.yaml")
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "error: tiny.yaml: no stack has this spec: theirs is stacks/tiny.yaml; "
        "a stack file beside it must name it, or: isostack compare tiny\n"
    )
    run = Run(tiny.root, "compare", "nowhere/tiny.yaml")
    assert (run.code, run.err) == (2, "error: nowhere/tiny.yaml: no such file; isostack compare tiny\n")
    assert Run(tiny.root / "else", "compare", "../stacks/tiny.yaml").code == 0


def test_a_policy_that_cannot_be_asked_is_not_passed_over(tiny: ScratchProject) -> None:
    (tiny.root / "policies").unlink()
    (tiny.root / "policies" / "mine").mkdir(parents=True)
    (tiny.root / "policies" / "mine" / "PulumiPolicy.yml").write_text("runtime: python\n")
    run = Run(tiny.root, "compare", "tiny")
    assert (run.code, run.out) == (2, "")
    assert [line for line in run.err.splitlines() if line.startswith("error")] == [
        f"error: policies/mine: a policy pack has a file {name}; write it, or take the folder away"
        for name in ("PulumiPolicy.yaml", "__main__.py")
    ]


@pytest.mark.parametrize("wrong", ["5", "[1]", "{a: b}", "true", '"a\\0b"'])
def test_a_project_whose_stacks_are_nowhere(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: isostack\nstackConfigDir: {wrong}\n")
    for command in (("validate",), ("compare", "x"), ("new", "x", "--target", "vsphere")):
        run = Run(tmp_path, *command)
        assert run.code == 2
        assert run.err.startswith("error: Pulumi.yaml:2:17: stackConfigDir: not the name of a folder")


def test_a_stack_has_no_difference_to_itself(tiny: ScratchProject) -> None:
    for same in ("tiny-vsphere", "stacks/Pulumi.tiny-vsphere.yaml"):
        run = Run(tiny.root, "diff", "tiny-vsphere", same)
        assert (run.code, run.out) == (2, "")
        assert run.err == "error: tiny-vsphere cannot differ from itself; name two stacks\n"


def test_a_failed_preview_is_json_where_json_is_asked_for(tiny: ScratchProject) -> None:
    (tiny.root / "__main__.py").unlink()
    (tiny.root / "__main__.py").write_text("import pulumi\nraise pulumi.RunError('it is broken')\n")
    for command, failures in ((["preview", "tiny-vsphere"], 1), (["compare", "tiny"], 2)):
        run = Run(tiny.root, *command, "--format=json")
        assert (run.code, run.json["command"], run.err) == (2, "error", "")
        assert [problem["what"].partition(" failed: ")[2] for problem in run.json["problems"]] == [
            "it is broken"
        ] * failures
        text = Run(tiny.root, *command)
        assert (text.code, text.out) == (2, "")
        assert text.err.startswith("error: preview of stack tiny-")


def test_json_is_asked_for_by_the_option_and_by_nothing_else(tmp_path: Path) -> None:
    project = scratch(tmp_path)
    run = Run(project.root, "plan", "json", "--format", "text")
    assert run.err.startswith("error: no stack 'json'")
