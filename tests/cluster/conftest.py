"""The programs, compiled once, and one cluster that runs for all tests of a process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.issuer import Issuer, issuing
from tests.cluster.made import SHOP, named, stacks
from tests.cluster.root import Root, Scene, free_ports
from tests.cluster.running import Cluster, running
from tests.specs import ROOT

NO_GO = 3
"""What scripts/tools exits with where there is no Go to compile with."""


@pytest.fixture(scope="session")
def tools() -> str:
    """The folder of the programs."""
    command = [str(ROOT / "scripts/tools"), "kubernetes"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == NO_GO and "CI" not in os.environ:
        pytest.skip("no Go to compile Kubernetes: the tests on its real programs are skipped")
    assert done.returncode == 0, "scripts/tools failed"
    return done.stdout.strip()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with issuing(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture
def scene(tools: str, issuer: Issuer) -> Scene:
    return scene_of(tools, issuer)


def scene_of(tools: str, issuer: Issuer) -> Scene:
    asked = {each.plan.spec.access.oidc.issuer for each in stacks() if each.plan.spec.access.oidc}
    return Scene(tools, free_ports(), dict.fromkeys(asked, issuer.url))


@pytest.fixture(scope="session")
def cluster(tools: str, issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Of the stack that asks for most: audit, log-in by OpenID Connect, encryption, tenants."""
    root = Root(Path(tmp_path_factory.mktemp("cluster")), scene_of(tools, issuer))
    with running(named(SHOP), root, issuer.ca) as cluster:
        yield cluster
