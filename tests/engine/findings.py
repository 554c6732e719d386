"""What policy packs say in the real engine, held against what they say to `isostack check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from isostack.check import check
from isostack.preview import Preview
from tests.engine import Outcome
from tests.specs import ROOT

PACKS = sorted(path.parent.name for path in (ROOT / "policies").glob("*/PulumiPolicy.yaml"))
Said = tuple[tuple[str, str, str, str], str]
"""Pack, rule, level and resource; the message."""


def of_isostack(preview: Preview, packs: Sequence[str] = PACKS) -> Sequence[Said]:
    """The engine has the root stack where a finding is about the whole."""
    found = check([preview], [ROOT / "policies" / pack for pack in packs])[preview.label].findings
    return [((f.pack, f.rule, f.level, f.urn or preview.resources[0].urn), f.message) for f in found]


def check_findings(engine: Outcome, ours: Sequence[Said]) -> None:
    """The same, in the same words; the engine has a rule's title before them."""
    theirs = [((p["pack"], p["rule"], p["level"], p["urn"]), p["message"]) for p in engine.policies]
    keys = [Counter(key for key, _ in said) for said in (theirs, ours)]
    assert keys[0] == keys[1], f"the engine alone: {[*(keys[0] - keys[1])]}, we alone: {[*(keys[1] - keys[0])]}"
    for key, message in ours:
        assert [said for other, said in theirs if other == key and message in said], (key, message, theirs)
