"""What is handed over to other tools, held against these."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from isostack.evidence import machine_facts
from isostack.export import inventory, without_address
from isostack.preview import Preview
from tests.cli import Run
from tests.examples import previews
from tests.saved import export
from tests.specs import ROOT

STACKS = {preview.stack: preview for spec in ("shop", "edge") for preview in previews(spec)}


def as_ansible_reads(folder: Path, preview: Preview) -> Any:
    """What Ansible itself makes of the inventory."""
    file = folder / "inventory.yaml"
    file.write_text(yaml.safe_dump(inventory(preview)), "utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-inventory", "-i", file, "--list"],
        env={
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "WARNING" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("stack", STACKS)
def test_ansible_reads_the_inventory(stack: str, tmp_path: Path) -> None:
    preview = STACKS[stack]
    read = as_ansible_reads(tmp_path, preview)
    facts, hosts = machine_facts(preview), read["_meta"]["hostvars"]
    assert hosts.keys() == {machine.wanted.name for machine in facts}
    for machine in facts:
        wanted, there = machine.wanted, hosts[machine.wanted.name]
        assert (there.get("ansible_host"), there["ansible_user"]) == (machine.place.address, "isostack")
        assert (there["isostack_zone"], there["isostack_pool"]) == (wanted.zone, wanted.pool)
        group = "control_plane" if wanted.role == "control-plane" else f"pool_{wanted.pool}"
        assert wanted.name in read[group]["hosts"]
        assert wanted.name in read[f"zone_{wanted.zone}"]["hosts"]
    workers = [machine.wanted.name for machine in facts if machine.wanted.role == "worker"]
    assert sorted(read["workers"]["hosts"]) == sorted(workers)


def test_addresses_that_are_given_at_creation_come_from_an_export(tmp_path: Path) -> None:
    preview = STACKS["shop-equinix"]
    assert len(without_address(preview)) == 14
    document = export(preview)
    for i, machine in enumerate(document["deployment"]["resources"][0]["outputs"]["machines"].values()):
        machine["address"] = f"10.0.0.{i}"
    (tmp_path / "stack.json").write_text(json.dumps(document))
    run = Run(ROOT, "export", "ansible", str(tmp_path / "stack.json"))
    assert (run.code, run.err) == (0, "")
    hosts = yaml.safe_load(run.out)["all"]["hosts"]
    assert {host["ansible_host"] for host in hosts.values()} == {f"10.0.0.{i}" for i in range(14)}
    assert list(hosts)[:4] == [*(f"shop-control-plane-{i}" for i in range(3)), "shop-web-0"]


def test_what_is_not_known_is_said() -> None:
    run = Run(ROOT, "export", "ansible", "shop-equinix")
    assert run.code == 0
    assert "warning: the address of shop-control-plane-0, " in run.err
    assert "pulumi stack export --stack shop-equinix | isostack export ansible -" in run.err
    assert "ansible_host" not in run.out
