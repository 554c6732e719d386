"""Findings as SARIF 2.1.0, for code-scanning services.

[documented] https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Final

from isostack import VERSION
from isostack.finding import Declared, Finding, Judgement
from isostack.report.together import together

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"mandatory": "error", "advisory": "warning", "disabled": "none"}


def findings(rules: Sequence[Declared], judged: Mapping[str, Judgement]) -> str:
    numbers = {rule.rule: number for number, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "isostack",
                "version": VERSION,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(stacks, finding, numbers) for stacks, finding in together(judged)],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Declared) -> dict[str, Any]:
    properties: dict[str, Any] = {"tags": [rule.pack]}
    if rule.severity:
        properties["severity"] = rule.severity
    return {
        "id": rule.rule,
        "name": "".join(part.capitalize() for part in rule.rule.split("-")),
        "shortDescription": {"text": _sentence(rule.title)},
        "help": {"text": "\n".join((rule.remediation, *rule.evidence)) or rule.title},
        "defaultConfiguration": {"level": _LEVELS[rule.level], "enabled": rule.level != "disabled"},
        "properties": properties,
    }


def _result(stacks: Sequence[str], finding: Finding, numbers: Mapping[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": "note" if finding.status in ("waived", "undecided") else _LEVELS[finding.level],
        "message": {"text": f"{', '.join(stacks)}: {finding.message}"},
        # A service tells a finding that moved from a new one by it: the words change with each number in them.
        "partialFingerprints": {"finding/v1": _fingerprint(stacks, finding)},
        "properties": {"stacks": list(stacks), "field": finding.field, "subjects": list(finding.subjects)},
    }
    if finding.rule in numbers:
        result["ruleIndex"] = numbers[finding.rule]
    location: dict[str, Any] = {}
    if finding.field:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.field, "kind": "member"}]
    if place := finding.place:
        location["physicalLocation"] = {
            "artifactLocation": _artifact(place.file),
            "region": {"startLine": place.line, "startColumn": place.column},
        }
    if location:
        result["locations"] = [location]
    if finding.waiver:
        why = f"{finding.waiver.reason} (until {finding.waiver.until})"
        result["suppressions"] = [{"kind": "external", "justification": why}]
    return result


def _artifact(file: str) -> dict[str, Any]:
    path = PurePath(file)
    return {"uri": path.as_uri()} if path.is_absolute() else {"uri": path.as_posix(), "uriBaseId": "%SRCROOT%"}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _fingerprint(stacks: Sequence[str], finding: Finding) -> str:
    return sha256("\n".join((finding.rule, finding.where, *sorted(stacks))).encode()).hexdigest()[:32]
