"""What `isostack check` writes for pipelines: SARIF, annotations, JUnit, a comment, a baseline."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from components.problems import InvalidInput
from isostack.checking import _narrowed, read_baseline
from isostack.finding import Declared, Finding, Judgement, Place, Waiver
from isostack.places import from_top, top_of
from isostack.report import github, junit, markdown, sarif
from isostack.report.document import document
from tests.cli import Run
from tests.specs import ROOT
from tests.tools import folder

RULES = tuple(
    Declared(rule, pack, f"title of {rule}", "high", level, f"change <{rule}> | now", ("[measured] a: b",))
    for rule, pack, level in (
        ("cap-one", "capacity", "mandatory"),
        ("cap-two", "capacity", "advisory"),
        ("drs-three", "drs", "disabled"),
        ("drs-four", "drs", "advisory"),
    )
)
BAD = Finding(
    rule="cap-one",
    pack="capacity",
    title="title of cap-one",
    severity="high",
    level="mandatory",
    status="violated",
    urn="urn:x",
    of="spec",
    field="pools.web.size",
    message="100 % of `web` <b>, 3 of\nshop-web-0: more",
    remediation="change <cap-one> | now",
    evidence=("[measured] a: b",),
    subjects=("shop-web-0", "shop-web-1"),
    place=Place("stacks/shop.yaml", 7, 5),
)
MILD = replace(BAD, rule="cap-two", title="title of cap-two", level="advisory", place=None, subjects=())
WAIVED = replace(MILD, status="waived", field="pools.db", waiver=Waiver("known", "2030-01-01"))
OPEN = replace(MILD, rule="drs-four", status="undecided", message="not decidable at preview: a", field="", of="")
JUDGED: Mapping[str, Judgement] = {
    "a": Judgement((MILD, BAD, OPEN), {"drs-three": "it speaks of VMs; this stack has whole hosts"}),
    "b": Judgement((BAD, WAIVED)),
}
CLEAN = {"a": Judgement()}


def test_sarif_points_at_the_cause() -> None:
    document = json.loads(sarif.findings(RULES, JUDGED))
    (run,) = document["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.rule for rule in RULES]
    mild, bad, undecided, other, waived = run["results"]  # by stack: what is mended on one is not new on another
    assert (bad["ruleId"], bad["level"], bad["ruleIndex"]) == ("cap-one", "error", 0)
    assert (bad["message"]["text"][:8], other["message"]["text"][:8]) == ("a: 100 %", "b: 100 %")
    assert bad["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "stacks/shop.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7, "startColumn": 5},
    }
    assert [each["level"] for each in (mild, undecided, waived)] == ["warning", "note", "note"]
    assert waived["suppressions"] == [{"kind": "external", "justification": "known (until 2030-01-01)"}]
    assert "suppressions" not in bad
    assert len({_print(each) for each in run["results"]}) == 5
    # Other numbers in its words, and nothing on the other stack any more: the same finding to a service.
    again = json.loads(sarif.findings(RULES, {"a": Judgement((replace(BAD, message="90 %"),))}))
    assert _print(again["runs"][0]["results"][0]) == _print(bad)
    # Two of one rule and field are two.
    twice = json.loads(sarif.findings(RULES, {"a": Judgement((BAD, replace(BAD, message="90 %")))}))
    assert len({_print(each) for each in twice["runs"][0]["results"]}) == 2
    assert json.loads(sarif.findings(RULES, CLEAN))["runs"][0]["results"] == []


def _print(result: Any) -> str:
    return str(result["partialFingerprints"]["finding/v1"])


def test_sarif_is_what_its_own_validator_wants(tmp_path: Path) -> None:
    """Microsoft's: the schema of SARIF 2.1.0, and rules beyond it."""
    tool = folder("sarif", "no npm to install the SARIF validator: its test is skipped")
    file = tmp_path / "findings.sarif"
    command = [f"{tool}/node_modules/.bin/sarif-multitool", "validate", str(file)]
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}

    def complaints(text: str) -> list[str]:
        file.write_text(text, "utf-8")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        lines = [line for line in done.stdout.splitlines() if ": error " in line or ": warning " in line]
        return [line for line in lines if "informationUri" not in line]  # the project has no home page

    assert complaints(sarif.findings(RULES, JUDGED)) == []
    assert complaints(sarif.findings(RULES, JUDGED).replace('"startLine": 7', '"startLine": 0', 1)) != []


def test_annotations_are_commands_of_one_line() -> None:
    lines = github.findings(RULES, JUDGED).splitlines()
    assert lines[0] == (
        "::error file=stacks/shop.yaml,line=7,col=5,title=cap-one (a%2C b)::100 %25 of `web` <b>, 3 of%0A"
        "shop-web-0: more%0Achange <cap-one> | now"
    )
    assert [line.partition(" ")[0] for line in lines[1:4]] == ["::warning", "::notice", "::notice"]
    assert lines[4] == "isostack check: 1 mandatory, 1 advisory, 1 undecided, 1 waived, of 4 rules on 2 stacks"
    assert github.findings(RULES, CLEAN) == "isostack check: no finding, of 4 rules on 1 stacks"


def test_annotations_stay_within_the_platform_s_limit() -> None:
    many = {"a": Judgement(tuple(replace(BAD, field=f"pools.p{i}") for i in range(30)))}
    lines = [line for line in github.findings(RULES, many).splitlines() if line.startswith("::error")]
    assert len(lines) == github.SHOWN
    assert lines[-1] == "::error title=isostack::21 more: isostack check"


def test_junit_is_a_case_for_each_rule() -> None:
    suites = fromstring(junit.findings(RULES, JUDGED))
    first, second = suites
    assert [first.get(name) for name in ("name", "tests", "failures", "skipped")] == ["a", "4", "1", "2"]
    assert [second.get(name) for name in ("name", "tests", "failures", "skipped")] == ["b", "4", "1", "1"]
    failed, advised, not_applicable, undecided = first
    (failure,) = failed
    assert (failed.get("classname"), failed.get("file"), failed.get("line")) == ("capacity", "stacks/shop.yaml", "7")
    assert (failure.tag, failure.get("message"), failure.get("type")) == ("failure", "title of cap-one", "mandatory")
    assert "100 % of `web` <b>" in (failure.text or "")
    assert [each.tag for case in (advised, not_applicable, undecided) for each in case] == [
        "system-out",
        "skipped",
        "skipped",
    ]


def test_junit_fails_what_the_command_fails_for() -> None:
    suites = fromstring(junit.findings(RULES, JUDGED, fails=lambda finding: finding.verdict == "advisory"))
    failures = [(case.get("name"), each.get("type")) for suite in suites for case in suite for each in case]
    assert [each for each in failures if each[1]] == [("cap-two", "advisory")]
    assert [suite.get("failures") for suite in suites] == ["1", "0"]


def test_places_are_named_from_the_top_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Services look a file up there, whatever folder the command ran in."""
    here = tmp_path / "repository" / "infra"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert top_of(Path.cwd()) is None
    judged = {"a": Judgement((BAD,))}
    assert from_top(judged, top_of(Path.cwd())) == judged
    (tmp_path / "repository" / ".git").mkdir()
    (finding,) = from_top(judged, top_of(Path.cwd()))["a"].findings
    assert BAD.place
    assert finding.place == replace(BAD.place, file=f"infra/{BAD.place.file}")


def test_junit_takes_any_text() -> None:
    odd = {"a": Judgement((replace(BAD, message="a\x1bb\x00\ufffe]]>&"),))}
    ((case, *_),) = fromstring(junit.findings(RULES, odd))
    assert "ab]]>&" in (case[0].text or "")


def test_a_comment_has_the_summary_first_and_folds_the_rest() -> None:
    text = markdown.findings(RULES, JUDGED)
    assert text.startswith("### isostack check: ❌ 1 mandatory, ⚠️ 1 advisory, ❔ 1 undecided, ☑️ 1 waived\n")
    assert "| a | 1 | 1 | 1 | 0 | 0 | 1 |\n| b | 1 | 0 | 0 | 1 | 2 | 0 |\n" in text
    assert text.count("<details open>") == 1
    assert text.count("<details") == text.count("</details>")
    assert "100 % of \\`web\\` &lt;b&gt;, 3 of<br>shop-web-0: more" in text
    assert "**Way out:** change &lt;cap-one&gt; \\| now" in text
    assert "Waived until 2030-01-01: known" in text
    assert "2 of them</summary>\n\nshop-web-0, shop-web-1\n" in text
    assert markdown.findings(RULES, CLEAN).startswith("### isostack check: ✅ no finding\n")


def test_a_comment_fits_and_says_what_is_left_out() -> None:
    many = {"a": Judgement(tuple(replace(BAD, field=f"pools.p{i}", message="x" * 999) for i in range(100)))}
    text = markdown.findings(RULES, many)
    assert len(text) <= markdown.LIMIT
    left = re.search(r"\n\n([0-9]+) more: `isostack check a`\n$", text)
    assert left is not None
    assert int(left[1]) == 100 - text.count("<b>cap-one</b>")
    assert text.count("<details") == text.count("</details>")


def baseline(path: Path, judged: Any) -> Path:
    path.write_text(json.dumps({"version": 1, "command": "check", "stacks": judged}), "utf-8")
    return path


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"stacks": []}', '{"stacks": {"a": {"findings": [{}]}}}'])
def test_a_file_that_is_no_baseline(tmp_path: Path, text: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=r"b.json: no document of `isostack check`; write it with: isostack check "):
        read_baseline(file)
    with pytest.raises(InvalidInput, match=r"nowhere: no such file or directory"):
        read_baseline(tmp_path / "nowhere")


def test_only_what_is_new(tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    run = Run(ROOT, "check", "edge-vsphere", "--pack", "snapshots", "--format", "json")
    found = run.json["stacks"]["edge-vsphere"]["findings"]
    assert [each["rule"] for each in found] == ["backup-volumes-missing", "backup-retention"]
    assert found[0]["place"]["file"] == "stacks/edge.yaml"
    before.write_text(run.out)
    ask = ("check", "edge-vsphere", "--pack", "snapshots", "--format", "json", "--fail-on", "advisory", "--baseline")
    again = Run(ROOT, *ask, str(before))
    assert (again.code, again.json["stacks"]["edge-vsphere"]["findings"]) == (0, [])
    gone = json.loads(run.out)
    gone["stacks"]["edge-vsphere"]["findings"] = []
    before.write_text(json.dumps(gone))
    new = Run(ROOT, *ask, str(before))
    assert (new.code, new.json["stacks"]["edge-vsphere"]["findings"]) == (1, found)


def test_what_became_worse_is_new(tmp_path: Path) -> None:
    """A waiver that has run out, a level that was raised, a rule that broke, one more machine."""
    file = tmp_path / "before.json"
    file.write_text(
        json.dumps(document("check", stacks={"a": Judgement((WAIVED, MILD, OPEN, BAD, replace(BAD, message="x")))}))
    )
    known = read_baseline(file)

    def new(*findings: Finding) -> tuple[Finding, ...]:
        return _narrowed(Judgement(findings), {f.rule for f in findings}, known, "a").findings

    assert new(WAIVED, MILD, OPEN, BAD, replace(BAD, message="other numbers")) == ()
    worse = (
        replace(WAIVED, status="violated", waiver=None),
        replace(MILD, level="mandatory"),
        replace(OPEN, status="failed", level="mandatory"),
        replace(BAD, subjects=(*BAD.subjects, "shop-web-2")),
    )
    told = replace(worse[-1], message=f"{BAD.message}\nnew: shop-web-2; the others were there before")
    assert new(*worse) == (*worse[:-1], told)
    assert new(replace(BAD, level="advisory"), replace(BAD, subjects=BAD.subjects[:1])) == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pack", "snapshot"), "error: no pack 'snapshot'; did you mean 'snapshots'?\n"),
        (
            ("--pack", "snapshots", "--only", "backup-etcd"),
            "error: no rule of snapshots 'backup-etcd'; did you mean 'backup-etcd-missing'?\n",
        ),
    ],
)
def test_misspelt_names(arguments: tuple[str, ...], said: str) -> None:
    run = Run(ROOT, "check", "edge-vsphere", *arguments)
    assert (run.code, run.err) == (2, said)
