"""Secrets: canaries in every place that holds one, and in no output."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from isostack import run
from isostack.cli import app
from isostack.preview import preview
from isostack.stacks import find_project
from tests.configs import ScratchProject, scratch
from tests.specs import ROOT

CIPHER, CLEAR, BMC = "v1:CANARYcipherCANARY:AAAA", "CANARYclearCANARY", "CANARYbmcCANARY"


@pytest.fixture
def project(tmp_path: Path) -> ScratchProject:
    """The shop, with an encrypted config value, a credential that somebody left in clear, and BMC passwords."""
    made = scratch(tmp_path)
    for name in (
        "shop.yaml",
        "shop-inventory.csv",
        *(f"Pulumi.shop-{k}.yaml" for k in ("vsphere", "equinix", "tinkerbell")),
    ):
        shutil.copy(ROOT / "stacks" / name, made.stacks / name)
    for path in made.stacks.glob("Pulumi.*.yaml"):
        secure = "".join(
            f"  {key}: {{secure: {CIPHER}}}\n"
            for key in ("vsphere:password", "backup:secretKey", "equinix-metal:authToken", "kubernetes:kubeconfig")
        )
        path.write_text(path.read_text() + f"{secure}  vsphere:user: {CLEAR}\n  backup:accessKey: {CLEAR}\n")
    inventory = made.stacks / "shop-inventory.csv"
    inventory.write_text(inventory.read_text().replace(",,,", f",admin,{BMC},", 100))
    assert BMC in inventory.read_text()
    return made


def outputs(project: ScratchProject, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str]]:
    """What each command prints, as text and as JSON."""
    commands = [
        ["validate"],
        *(["plan", f"shop-{kind}"] for kind in ("vsphere", "equinix", "tinkerbell")),
        *(["preview", f"shop-{kind}"] for kind in ("vsphere", "equinix", "tinkerbell")),
        ["diff", "shop-vsphere", "shop-tinkerbell"],
        ["compare", "shop"],
    ]
    for command in commands:
        for format in ("text", "json"):
            code = command_line([*command, "--format", format])
            captured = capsys.readouterr()
            assert code == 0, captured.err
            yield " ".join([*command, format]), captured.out + captured.err


def command_line(arguments: list[str]) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["isostack", *arguments])
        with pytest.raises(SystemExit) as exit:
            run.run(app)
    return int(exit.value.code or 0)


def test_no_command_prints_a_secret(
    project: ScratchProject, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    for command, text in outputs(project, capsys):
        assert len(text) > 20, command
        leaked = [canary for canary in (CIPHER, CLEAR, BMC, "CANARY", "PRIVATE KEY") if canary in text]
        assert not leaked, f"{command} prints {leaked}"


def test_no_error_prints_a_secret(
    project: ScratchProject, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    inventory = project.stacks / "shop-inventory.csv"
    inventory.write_text(inventory.read_text().replace("255.255.", "255.0.255.", 3).replace("nvme", "", 2))
    for path in project.stacks.glob("Pulumi.*.yaml"):
        path.write_text(path.read_text().replace("endpoint:", "endpiont:"))
    assert command_line(["validate"]) == 2
    captured = capsys.readouterr()
    assert "shop-inventory.csv:2" in captured.err
    assert "CANARY" not in captured.out + captured.err


def test_the_json_of_a_preview_holds_no_secret(project: ScratchProject) -> None:
    found = find_project(project.root)
    for result in preview(found.root, [found.stack(name) for name in found.stacks()]):
        assert "CANARY" not in json.dumps(result.to_json())
