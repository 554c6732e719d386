"""All rules of this checkout, by pack: a pack is a folder of policies/ with a rules.py. Without Pulumi."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from components.rules import Rule
from policies.judge import waivers_rule


@cache
def packs() -> Mapping[str, tuple[Rule, ...]]:
    """By the pack's name; the rule of its waivers is the last."""
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/rules.py"))
    return {name: (*import_module(f"policies.{name}.rules").RULES, waivers_rule(name)) for name in folders}


@cache
def rules() -> Mapping[str, Rule]:
    """By id."""
    return {rule.id: rule for rules in packs().values() for rule in rules}
