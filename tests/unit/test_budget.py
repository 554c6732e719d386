"""User data fits the way that it takes to a machine, and it is said beforehand where it does not."""

from __future__ import annotations

import base64
from dataclasses import fields
from secrets import token_bytes
from typing import Any

import pytest

from components import targets
from components.bootstrap import Late, render
from components.bootstrap.budget import budget, problems
from components.pki import CA_HOURS, CURVE
from components.plan import Plan
from components.planning import make_plan
from tests.cli import Run
from tests.configs import config_for, scratch
from tests.specs import rich
from tests.standins import certificates


def real() -> Late:
    """Keys and certificates as the tls provider makes them."""
    key = certificates.private_key({"algorithm": "ECDSA", "ecdsaCurve": CURVE})
    authority = {
        "privateKeyPem": key["privateKeyPem"],
        "subject": {"commonName": "front-proxy-ca"},
        "dnsNames": ["front-proxy-ca"],
        "isCaCertificate": True,
        "validityPeriodHours": CA_HOURS,
        "allowedUses": ["cert_signing", "digital_signature", "key_encipherment"],
    }
    crt = certificates.self_signed(authority)["certPem"]
    values: dict[str, Any] = {"key": key["privateKeyPem"], "crt": crt, "pub": key["publicKeyPem"]}
    made = {field.name: values.get(field.name.rpartition("_")[2], "") for field in fields(Late)}
    made |= {"endpoint": "10.20.40.10:6443", "token": "abcdef.0123456789abcdef"}
    return Late(**{**made, "encryption_key": base64.b64encode(token_bytes(32)).decode()})


def plan_of(kind: str, **access: Any) -> Plan:
    spec = rich({"access": {"admins": [ssh_key(i) for i in range(access.pop("keys", 1))]}})
    return make_plan(spec, config_for(kind, spec))


def ssh_key(number: int) -> str:
    """An RSA key of 4,096 bits, which nothing compresses."""
    blob = b"\0\0\0\x07ssh-rsa" + number.to_bytes(4, "big") + token_bytes(524)
    return f"ssh-rsa {base64.b64encode(blob).decode()} admin-{number}@example.com"


def test_samples_are_as_long_as_real_values_are_at_most() -> None:
    made, sample = real(), Late.sample()
    for field in fields(Late):
        assert len(getattr(made, field.name)) <= len(getattr(sample, field.name)), field.name
    assert len(sample.ca_crt) < 1.25 * len(made.ca_crt)


@pytest.mark.parametrize("kind", targets.kinds())
def test_no_machine_takes_more_than_is_said_and_none_much_less(kind: str) -> None:
    plan, raw, late = plan_of(kind), targets.raw(kind), real()
    said = budget(plan).taken
    assert said.keys() == {machine.name for machine in plan.machines}
    for machine in plan.machines:
        takes = raw.measure(raw.encode(plan, machine, render(plan, machine, late)))
        assert takes <= said[machine.name] < 1.25 * takes
    assert list(problems(plan)) == []


@pytest.mark.parametrize("kind", targets.kinds())
def test_what_does_not_fit_is_said(kind: str) -> None:
    limit = targets.raw(kind).CHANNEL.limit
    plan = plan_of(kind, keys=limit // 500)
    (problem,) = problems(plan)
    assert f"takes {max(budget(plan).taken.values()):,} bytes" in problem.what
    assert f"carries {limit:,}" in problem.what
    assert (problem.source, problem.path) == ("spec", ("access", "admins"))


def test_commands_say_where_it_stands(tmp_path: Any) -> None:
    project = scratch(tmp_path)
    stacks = project.add(rich({"access": {"admins": [ssh_key(i) for i in range(130)]}}), kinds=("vsphere",))
    run = Run(project.root, "plan", stacks[0])
    assert run.code == 2
    assert "access.admins: the user data of shop-control-plane-" in run.err
    assert "guestinfo.userdata carries 65,536" in run.err
