"""The policy packs in the real engine say what they say to `isostack compare`, and what is mandatory stops an `up`."""

from __future__ import annotations

import re

import pytest

from isostack.check import check
from isostack.preview import preview
from isostack.stacks import find_project
from tests.engine import Engine
from tests.engine.test_life import STACKS
from tests.specs import ROOT

PACKS = sorted(path.parent.name for path in (ROOT / "policies").glob("*/PulumiPolicy.yaml"))


@pytest.mark.parametrize("stack", STACKS)
def test_the_engine_s_findings_are_ours(engine: Engine, stack: str) -> None:
    engine.init(stack)
    project = find_project(engine.root)
    ours = check(preview(project.root, [project.stack(stack)]), [ROOT / "policies" / pack for pack in PACKS])[stack]
    found = engine.run("preview", stack, PACKS)
    assert found.error == ""
    theirs = {(p["pack"], p["rule"], p["level"], p["urn"]) for p in found.policies}
    assert theirs == {(f.pack, f.rule, f.level, f.subject) for f in ours}
    for finding in ours:
        said = [p["message"] for p in found.policies if p["rule"] == finding.rule]
        assert [message for message in said if finding.message in message], (finding.message, said)


def test_what_is_mandatory_fails_the_preview_that_every_up_begins_with(engine: Engine) -> None:
    """With `--skip-preview`, as the Automation API has it, the engine asks about the whole stack only at the end."""
    spec = engine.root / "stacks" / "edge.yaml"
    spec.write_text(re.sub(r"backup:\n(  .*\n)+", "backup: {}\n", spec.read_text("utf-8")), "utf-8")
    engine.init("edge-vsphere")
    for operation in ("preview", "up"):
        found = engine.run(operation, "edge-vsphere", PACKS)
        assert "backup-etcd-missing" in {p["rule"] for p in found.policies if p["level"] == "mandatory"}
        assert found.error
        assert bool(list(engine.journal())) == (operation == "up")
