"""Nodes that join or leave where no kubectl or no cluster is; with them: tests/cluster/test_membership.py."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from components import membership
from tests.specs import ROOT

ENVIRONMENT = {"NODE": "shop-web-0", "ROLE": "worker", "LABELS": "{}", "ADMIN": "{}"}


def test_without_kubectl_it_stops_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("time.sleep", pytest.fail)
    assert membership.main(["leave"], ENVIRONMENT) == 1
    assert capsys.readouterr().err == (
        "shop-web-0 cannot leave: kubectl is not on PATH\n"
        "Its machine is still there. Mend that and run `pulumi up` again; to delete the machine all the same: "
        "ISOSTACK_UNDRAINED=shop-web-0 pulumi up; to keep it: kubectl uncordon shop-web-0, and kubectl label node "
        "shop-web-0 remediation.medik8s.io/exclude-from-remediation-\n"
    )


def test_a_node_without_labels_needs_no_kubectl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert membership.main(["join"], ENVIRONMENT) == 0
    assert membership.main(["join"], {**ENVIRONMENT, "LABELS": json.dumps({"x.k8s.io/y": ""})}) == 1


def test_the_admin_s_kubeconfig_is_for_its_owner_alone_and_does_not_stay(tmp_path: Path) -> None:
    """As Pulumi runs it: a program of its own, from the project's folder."""
    kubectl, seen = tmp_path / "kubectl", tmp_path / "seen"
    kubectl.write_text(f'#!/bin/sh\nstat -c "%a %n" "$2" >>{seen}\nprintf "" \n')
    kubectl.chmod(0o755)
    environment = {**os.environ, **ENVIRONMENT, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [sys.executable, "components/membership.py", "leave"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    ((mode, file),) = {tuple(line.split()) for line in seen.read_text().splitlines()}
    assert int(mode, 8) == stat.S_IRUSR | stat.S_IWUSR
    assert not Path(file).exists()
