"""The command line: results, exit codes, and an error for each kind of bad input, without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components import targets
from isostack.preview import Preview
from tests.cli import Run, edit
from tests.configs import ScratchProject, scratch
from tests.specs import ROOT, SMALLEST, changed, spec


@pytest.fixture
def project(tmp_path: Path) -> ScratchProject:
    return scratch(tmp_path)


@pytest.fixture
def tiny(project: ScratchProject) -> ScratchProject:
    """The smallest spec on every target."""
    project.add(spec())
    return project


def test_compare_tells_the_verdict_of_the_shop() -> None:
    run = Run(ROOT, "compare", "shop")
    assert run.code == 0
    assert run.out.startswith("shop on equinix, tinkerbell, vsphere: equivalent with ")
    for part in ("Machines", "Degradations", "Policies", "Resources", "VirtualMachine", "Device", "Hardware"):
        assert part in run.out
    assert run.err == ""  # silent in a pipe


def test_compare_as_json() -> None:
    run = Run(ROOT, "compare", "edge", "--format", "json")
    assert (run.code, run.json["version"], run.json["command"]) == (0, 1, "compare")
    comparison = run.json["comparison"]
    assert comparison["parity"]["verdict"] == "equivalent with degradations"
    assert {stack["stack"] for stack in comparison["stacks"]} == {"edge-vsphere", "edge-tinkerbell"}
    assert comparison["policies"].keys() == {"edge-vsphere", "edge-tinkerbell"}


def test_names_or_files(tiny: ScratchProject) -> None:
    assert Run(tiny.root, "validate", "tiny", "tiny-vsphere").out == "tiny: ok\ntiny-vsphere: ok\n"
    assert Run(tiny.root, "validate", "stacks/tiny.yaml", "stacks/Pulumi.tiny-vsphere.yaml").code == 0
    assert Run(tiny.root / "stacks", "plan", "Pulumi.tiny-equinix.yaml").out.startswith("tiny-equinix: 2 machines")


def test_a_preview_is_readable_as_json(tiny: ScratchProject) -> None:
    run = Run(tiny.root, "preview", "tiny-tinkerbell", "--format", "json")
    preview = Preview.from_json(run.json["preview"])
    assert preview.stack == "tiny-tinkerbell"
    assert len(preview.of_type("kubernetes:tinkerbell.org/v1alpha1:Workflow")) == 2


def test_not_equivalent_exits_1_and_names_the_field(project: ScratchProject) -> None:
    """Two stacks that name different specs of one cluster: the one difference is what the verdict names."""
    project.add(spec(), ("vsphere",))
    other = changed(SMALLEST, {"access": {**SMALLEST["access"], "audit": "none"}})
    (project.stacks / "other.yaml").write_text(json.dumps(other))
    stack = json.loads((project.stacks / "Pulumi.tiny-vsphere.yaml").read_text())
    stack["config"]["isostack:spec"] = "other"
    (project.stacks / "Pulumi.other-vsphere.yaml").write_text(json.dumps(stack))
    run = Run(project.root, "diff", "tiny-vsphere", "other-vsphere")
    assert run.code == 1
    assert run.out.startswith("tiny-vsphere and other-vsphere: not equivalent: ")
    assert "access.audit" in run.out
    assert "userData /etc/kubernetes/apiserver/audit.yaml" in run.out


@pytest.mark.parametrize("kind", targets.kinds())
def test_new_writes_what_compares_at_once(project: ScratchProject, kind: str) -> None:
    run = Run(project.root, "new", "first", "--target", kind)
    assert run.code == 0
    assert "stacks/first.yaml" in run.out
    assert Run(project.root, "validate").out == f"first-{kind}: ok\n"
    assert "first.com" not in "".join(path.read_text() for path in project.stacks.iterdir())
    assert "example" not in (project.stacks / "first.yaml").read_text().replace("example.com", "").replace(
        "Example", ""
    )


def test_new_with_all_targets_is_equivalent(project: ScratchProject) -> None:
    Run(project.root, "new", "first", *(word for kind in targets.kinds() for word in ("--target", kind)))
    run = Run(project.root, "compare", "first")
    assert run.out.startswith("first on equinix, tinkerbell, vsphere: equivalent\n")
    # Nothing else blocks, and that its service has ended somebody must accept: the file says how.
    assert [line for line in run.out.splitlines() if "blocked by" in line] == [
        "first-equinix: blocked by policy: life-service-ended"
    ]
    assert run.code == 1
    again = Run(project.root, "new", "first", "--target", "vsphere")
    assert again.code == 2
    assert "stacks/Pulumi.first-vsphere.yaml: exists already" in again.err


def test_new_refuses_bad_names_and_kinds_together(project: ScratchProject) -> None:
    run = Run(project.root, "new", "First!", "--target", "vsfere")
    assert run.code == 2
    assert "'First!' is not a cluster name" in run.err
    assert "no target of kind 'vsfere'; did you mean 'vsphere'?" in run.err
    assert list(project.stacks.iterdir()) == []


@pytest.mark.parametrize("of", ["spec", *targets.kinds()])
def test_schema(of: str) -> None:
    run = Run(ROOT, "schema", of, "--format", "json")
    assert run.json["type"] == "object"
    text = Run(ROOT, "schema", of).out
    assert all(f"\n{name}" in f"\n{text}" for name in run.json["properties"])


def test_pin_writes_hosts_and_keeps_comments(tiny: ScratchProject) -> None:
    path = tiny.stacks / "Pulumi.tiny-tinkerbell.yaml"
    path.write_text("# a comment that stays\n" + path.read_text())
    run = Run(tiny.root, "plan", "tiny-tinkerbell", "--pin")
    assert (run.code, "pinned 2 machines" in run.err) == (0, True)
    assert path.read_text().startswith("# a comment that stays\n")
    assert "tiny-apps-0: h0002" in path.read_text()
    assert "pinned 0 machines, 2 were pinned" in Run(tiny.root, "plan", "tiny-tinkerbell", "--pin").err
    assert Run(tiny.root, "plan", "tiny-vsphere", "--pin").code == 2


BAD_SPECS = {
    "not YAML": ("name: [", "shop.yaml:1:8"),
    "empty": ("", "shop.yaml"),
    "a list": ("- a\n", "shop.yaml:1:1"),
    "alias bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
        "shop.yaml",
    ),
    "not UTF-8": (b"name: caf\xe9\n", "shop.yaml:1:10"),
    "10 MB": ("# " + "x" * 10_000_000, "shop.yaml"),
}


@pytest.mark.parametrize("content", BAD_SPECS.values(), ids=BAD_SPECS.keys())
def test_files_that_cannot_be_read(project: ScratchProject, content: tuple[str | bytes, str]) -> None:
    raw, place = content
    (project.stacks / "shop.yaml").write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    run = Run(project.root, "validate", "stacks/shop.yaml")
    assert run.code == 2
    assert run.err.startswith(f"error: stacks/{place}")


def test_a_spec_file_that_is_not_there(tiny: ScratchProject) -> None:
    (tiny.stacks / "tiny.yaml").unlink()
    for command in (
        ["validate", "tiny-vsphere"],
        ["plan", "tiny-vsphere"],
        ["preview", "tiny-vsphere"],
        ["compare", "tiny"],
    ):
        run = Run(tiny.root, *command)
        assert run.code == 2
        assert "stacks/tiny.yaml: no such file" in run.err


def test_all_faults_of_a_spec_at_once(project: ScratchProject) -> None:
    (project.stacks / "shop.yaml").write_text((ROOT / "stacks/shop.yaml").read_text())
    path = project.stacks / "shop.yaml"
    edit(path, "podCidr: 10.244.0.0/16", "podCidrs: 10.244.0.0/16")
    edit(path, "serviceCidr: 10.96.0.0/16", "serviceCidr: 10.244.128.0/17")
    edit(path, "memory: 16Gi", "memory: 16GB")
    edit(path, "nodes: 3", "nodes: 4")
    edit(path, "{name: web,", "{name: db,")
    edit(path, "tenant: shop}", "tenant: shopp}")
    run = Run(project.root, "validate", "stacks/shop.yaml")
    assert run.code == 2
    expected = [
        "stacks/shop.yaml:5:44: kubernetes.podCidrs: unknown key 'podCidrs'; did you mean 'podCidr'?",
        "stacks/shop.yaml:5:82: kubernetes.serviceCidr: 10.244.128.0/17 overlaps podCidr 10.244.0.0/16; "
        "choose networks apart",
        "stacks/shop.yaml:7:23: controlPlane.nodes: 4 control-plane nodes survive the loss of 1, as 3 do: "
        "etcd needs a majority; choose 3 or 5",
        "stacks/shop.yaml:7:50: controlPlane.size.memory: '16GB' is not a size; "
        "write a number and a unit, for example 16Gi, 512Mi or 1Ti",
        "stacks/shop.yaml:9:78: pools[0].tenant: no tenant 'shopp'; tenants of this spec: shop, partner",
        "stacks/shop.yaml:10:11: pools[1].name: 'db' stands twice, first at [0]; give each its own name",
    ]
    assert [line.removeprefix("error: ") for line in run.err.splitlines() if line.startswith("error")][
        : len(expected)
    ] == expected


def test_impossible_demands_say_the_numbers(tiny: ScratchProject) -> None:
    stack = tiny.stacks / "Pulumi.tiny-vsphere.yaml"
    edit(stack, '"10.0.1.1-10.0.1.1"', '"10.0.1.1-10.0.1.0"')
    run = Run(tiny.root, "validate", "tiny-vsphere")
    assert "network.addresses.apps: '10.0.1.1-10.0.1.0' is not an address range" not in run.out
    assert "ends before it starts" in run.err


def test_names_that_are_nearly_right(tiny: ScratchProject) -> None:
    assert "no stack 'tiny-vspere'; did you mean 'tiny-vsphere'?" in Run(tiny.root, "plan", "tiny-vspere").err
    assert "no stack has the spec 'tyny'; did you mean 'tiny'?" in Run(tiny.root, "compare", "tyny").err
    assert "no schema 'vsfere'; did you mean 'vsphere'?" in Run(tiny.root, "schema", "vsfere").err


def test_errors_as_json(tiny: ScratchProject) -> None:
    run = Run(tiny.root, "plan", "tiny-vspere", "--format", "json")
    assert run.code == 2
    assert run.json["problems"][0]["what"] == "no stack 'tiny-vspere'"


def test_a_fault_in_the_program_shows_its_traceback_and_exits_2(project: ScratchProject) -> None:
    project.add(spec(), ("vsphere",))
    (project.root / "__main__.py").unlink()
    (project.root / "__main__.py").write_text("def broken():\n    return 1 / 0\n\n\nbroken()\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "isostack", "preview", "tiny-vsphere"]
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert 'File "' in done.stderr
    assert "line 2, in broken" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "isostack/cli.py" not in done.stderr


def test_the_readme_shows_what_compare_prints() -> None:
    """Every line of the README's example, but for `...`, is a line of the real output."""
    example = (ROOT / "README.md").read_text("utf-8").split("```text\n")[1].split("\n```")[0]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "128"}
    command = [sys.executable, "-m", "isostack", "compare", "shop"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    real = {line.rstrip() for line in done.stdout.splitlines()}
    assert [line for line in example.splitlines() if line != "..." and line not in real] == []
