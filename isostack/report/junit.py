"""Findings as JUnit XML, for CI systems that show tests: a suite a stack, a test case a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from isostack.finding import Declared, Finding, Judgement


def findings(
    rules: Sequence[Declared],
    judged: Mapping[str, Judgement],
    *,
    fails: Callable[[Finding], bool] = lambda finding: finding.blocks,
) -> str:
    """A finding that `fails` the command is a failure; any other is text of a case that passes; what does not apply,
    cannot be decided or is waived is skipped."""
    root = Element("testsuites", name="isostack check")
    for stack, judgement in judged.items():
        suite = SubElement(root, "testsuite", name=stack)
        for rule in rules:
            _case(suite, rule, judgement, fails)
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    indent(root)
    return tostring(root, encoding="unicode")


def _case(suite: Element, rule: Declared, judgement: Judgement, fails: Callable[[Finding], bool]) -> None:
    found = [finding for finding in judgement.findings if finding.rule == rule.rule]
    case = SubElement(suite, "testcase", classname=rule.pack, name=rule.rule)
    if found and found[0].place:
        case.set("file", found[0].place.file)
        case.set("line", str(found[0].place.line))
    failing = [finding for finding in found if fails(finding)]
    if failing:
        SubElement(case, "failure", message=_clean(failing[0].title), type=failing[0].level).text = _all(found)
    elif rule.rule in judgement.not_applicable:
        SubElement(case, "skipped", message=_clean(judgement.not_applicable[rule.rule]))
    elif found and all(finding.status in ("waived", "undecided") for finding in found):
        SubElement(case, "skipped", message=_clean(_all(found)))
    elif found:
        SubElement(case, "system-out").text = _all(found)


def _all(found: Sequence[Finding]) -> str:
    return _clean("\n".join(_text(finding) for finding in found))


def _text(finding: Finding) -> str:
    waived = f" until {finding.waiver.until}: {finding.waiver.reason}" if finding.waiver else ""
    return f"{finding.verdict}{waived} {finding.field}\n{finding.message}\n{finding.remediation}".rstrip()


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 has no way to write [documented] https://www.w3.org/TR/xml/#charsets"""
    return "".join(char for char in text if char in "\t\n" or (ord(char) >= 0x20 and ord(char) not in (0xFFFE, 0xFFFF)))
