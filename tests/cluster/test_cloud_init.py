"""What cloud-init says of user data. Only distributions have it: without it the checks are skipped, but not in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from components import targets
from components.bootstrap import Late, render
from components.bootstrap.outside import AUTHORITY
from tests.cluster.made import SHOP, Stack, made, one_of_each, plans
from tests.configs import PLACES

KNOWN = {"users", "disable_root", "ssh_pwauth", "runcmd", "write_files"}
"""Every top-level key that is used: cloud-init's schema takes any other in silence."""


@pytest.fixture(scope="module")
def cloud_init() -> str:
    if found := shutil.which("cloud-init"):
        return found
    if "CI" in os.environ:
        pytest.fail("cloud-init is not installed (Debian's package cloud-init)")
    pytest.skip("cloud-init is not installed (Debian's package cloud-init): its schema check is skipped")


def said(cloud_init: str, folder: Path, text: str) -> str:
    """What is wrong with this user data; nothing where it is valid."""
    file = folder / "user-data"
    file.write_text(text, "utf-8")
    command = [cloud_init, "schema", "--config-file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    valid = done.returncode == 0 and "Valid" in done.stdout
    return "" if valid else f"exit {done.returncode}: {done.stdout}{done.stderr}"


def test_cloud_init_finds_user_data_valid(cloud_init: str, stack: Stack, tmp_path: Path) -> None:
    for name in one_of_each(stack.plan):
        assert said(cloud_init, tmp_path, stack.user_data[name]) == ""


def test_cloud_init_finds_mirrors_and_a_proxy_valid(cloud_init: str, tmp_path: Path) -> None:
    plan = plans()[SHOP]
    place = targets.config(plan.kind).model_validate({**plan.target.model_dump(by_alias=True), **PLACES[plan.kind]})
    text = render(replace(plan, outside=place.outside()), plan.machines[0], Late.placeholder())
    assert AUTHORITY in text
    assert said(cloud_init, tmp_path, text) == ""


def test_no_key_is_unknown(stack: Stack) -> None:
    for text in stack.user_data.values():
        assert yaml.safe_load(text).keys() == KNOWN


def test_cloud_init_finds_what_is_wrong(cloud_init: str, tmp_path: Path) -> None:
    stack = made(next(iter(plans())))
    text = stack.user_data[stack.first]
    assert "ssh_pwauth" in said(cloud_init, tmp_path, text.replace("ssh_pwauth: false", "ssh_pwauth: 5"))
    assert "write_files" in said(cloud_init, tmp_path, text.replace("- path: /etc/crictl.yaml", "- paths: /etc/crictl"))
    assert said(cloud_init, tmp_path, text.replace("#cloud-config", "# cloud-config")) != ""
