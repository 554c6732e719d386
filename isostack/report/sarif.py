"""Findings as SARIF 2.1.0, for code-scanning services.

[documented] https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from isostack import VERSION
from isostack.finding import Declared, Finding, Judgement

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
        "results": list(_results(judged, numbers)),
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


def _results(judged: Mapping[str, Judgement], numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """One for each stack: what is mended on one of two must not make a new finding of the other."""
    for stack, judgement in judged.items():
        seen: Counter[str] = Counter()
        for finding in judgement.findings:
            # The words change with each number in them; a further finding of one rule and field is another.
            key = "\n".join((stack, finding.rule, finding.where, *finding.subjects[:1]))
            seen[key] += 1
            yield _result(stack, finding, numbers, f"{key}\n{seen[key]}")


def _result(stack: str, finding: Finding, numbers: Mapping[str, int], key: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": "note" if finding.status in ("waived", "undecided") else _LEVELS[finding.level],
        "message": {"text": f"{stack}: {finding.message}"},
        # By it a service tells a finding that moved from a new one.
        "partialFingerprints": {"finding/v1": sha256(key.encode()).hexdigest()[:32]},
        "properties": {"stack": stack, "field": finding.field, "subjects": list(finding.subjects)},
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
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
