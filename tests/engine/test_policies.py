"""What is mandatory stops an `up`, and a policy that breaks hides no other.

That the packs say the same in the real engine as to `isostack check`, test_life.py shows for each example stack.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isostack.check import PackFailed
from isostack.preview import preview
from isostack.stacks import find_project
from tests.engine import Engine
from tests.engine.findings import PACKS, check_findings, of_isostack
from tests.specs import ROOT

STACK = "edge-vsphere"


@pytest.fixture
def edge(engine: Engine) -> Engine:
    engine.init(STACK)
    return engine


@pytest.mark.parametrize("operation", ["preview", "preview and up", "up"])
def test_what_is_mandatory(edge: Engine, operation: str) -> None:
    """`pulumi up` previews first, so nothing is made. With `--skip-preview`, as the Automation API has it, the engine
    asks about the whole stack only at the end."""
    spec = edge.root / "stacks" / "edge.yaml"
    spec.write_text(re.sub(r"backup:\n(  .*\n)+", "backup: {}\n", spec.read_text("utf-8")), "utf-8")
    found = edge.run(operation, STACK, PACKS)
    assert "backup-etcd-missing" in {p["rule"] for p in found.policies if p["level"] == "mandatory"}
    assert found.error
    assert bool(list(edge.journal())) == (operation == "up")


def test_a_waiver_of_the_stack_s_config_lets_it_through(edge: Engine) -> None:
    """The same config counts in the engine and in `isostack check`: the finding is waived, and stops nothing."""
    stacks = edge.root / "stacks"
    spec, stack = stacks / "edge.yaml", stacks / f"Pulumi.{STACK}.yaml"
    spec.write_text(re.sub(r"backup:\n(  .*\n)+", "backup: {}\n", spec.read_text("utf-8")), "utf-8")
    waiver = "{rule: backup-etcd-missing, reason: a test bed, until: 9999-12-31}"
    settings = f"  isostack:policies:\n    levels: {{drs: disabled}}\n    waivers:\n      - {waiver}\n"
    text = re.sub(r"^config:\n", f"config:\n{settings}", stack.read_text("utf-8"), flags=re.MULTILINE)
    stack.write_text(text, "utf-8")
    found = edge.run("preview", STACK, PACKS)
    assert not found.error, found.error
    (waived,) = (p for p in found.policies if p["rule"] == "backup-etcd-missing")
    assert waived["level"] == "advisory"
    assert "waived until 9999-12-31, a test bed: spec backup.etcd: none" in waived["message"]
    assert not [p for p in found.policies if p["rule"].startswith("drs-")]
    project = find_project(edge.root)
    (embedded,) = preview(project.root, [project.stack(STACK)])
    check_findings(found, of_isostack(embedded))


OURS = """
from components.rules import Rule, Violation
from policies.pack import pack

def breaks(stack, params):
    raise ZeroDivisionError("of a rule")

def finds(stack, params):
    yield Violation("kubernetes.version", "too new")

def rule(id, check):
    return Rule(id, f"title of {id}", "low", "advisory", claims=(), remediation="none", evidence=(), check=check)

pack("ours", [rule("breaks", breaks), rule("finds", finds)])
"""
FOREIGN = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

def breaks(args, report):
    raise ZeroDivisionError("of a foreign rule")

PolicyPack("foreign", [StackValidationPolicy("breaks", "d", breaks, EnforcementLevel.ADVISORY)])
"""


def written(folder: Path, code: str) -> str:
    """The folder of a pack with this code."""
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.1.0\n")
    (folder / "__main__.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}")
    return str(folder)


def test_a_rule_that_breaks_hides_no_other(edge: Engine, tmp_path: Path) -> None:
    """One of our packs says that it broke. One of others makes the engine and `isostack check` fail, and say why."""
    ours, foreign = written(tmp_path / "ours", OURS), written(tmp_path / "foreign", FOREIGN)
    project = find_project(edge.root)
    (embedded,) = preview(project.root, [project.stack(STACK)])
    found = edge.run("preview", STACK, [foreign, ours])
    assert "of a foreign rule" in found.error
    check_findings(found, of_isostack(embedded, [ours]))
    said = {p["rule"]: p["message"] for p in found.policies}
    assert said.keys() == {"breaks", "finds"}
    assert "ZeroDivisionError: of a rule" in said["breaks"]
    with pytest.raises(PackFailed, match="of a foreign rule"):
        of_isostack(embedded, [foreign])
