"""The check runner: packs in their own processes, what they are told, what comes back, and packs that misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.facts import CLUSTER, MACHINE, SITE
from components.rules import Stack
from isostack.check import PackFailed, Packs, check
from isostack.finding import Finding, Judgement
from isostack.preview import UNKNOWN, Preview, Resource, Secret
from tests.examples import previews
from tests.policy_stacks import metal, virtual
from tests.specs import ROOT, rich

PACKS = sorted(file.parent for file in (ROOT / "policies").glob("*/PulumiPolicy.yaml"))
PARTS = "urn:pulumi:small::isostack::"


def preview(stack: Stack, name: str = "small", **facts: Any) -> Preview:
    """A preview of the neutral components alone; `facts` replaces some of the cluster's."""
    cluster = {"facts": {**stack.cluster.props()["facts"], **facts}}
    top = f"{PARTS}{CLUSTER}::{stack.cluster.wanted.name}"
    resources = [
        resource(CLUSTER, stack.cluster.wanted.name, cluster, f"{PARTS}pulumi:pulumi:Stack::isostack-{name}"),
        *(resource(SITE, site.name, site.props(), top) for site in stack.sites),
        *(resource(MACHINE, machine.wanted.name, machine.props(), top) for machine in stack.machines),
    ]
    return Preview("isostack", name, tuple(resources))


def resource(type_: str, name: str, props: Mapping[str, Any], parent: str | None = None, **options: Any) -> Resource:
    return Resource(f"{PARTS}{type_}::{name}", type_, name, parent, False, inputs=props, outputs=props, **options)


def bare(**props: Any) -> Preview:
    """One resource with these properties."""
    return Preview("isostack", "small", (resource("a:b:C", "it", props),))


def found(stacks: Sequence[Preview], packs: Sequence[Path]) -> dict[str, tuple[Finding, ...]]:
    return {stack: judgement.findings for stack, judgement in check(stacks, packs).items()}


# ---- the packs of the project


def test_the_packs_as_their_own_processes() -> None:
    """One after the other through the same processes: nothing of a stack stays."""
    stacks = [preview(virtual(rich({"backup": {}})), "a"), preview(metal(rich()), "b"), preview(virtual(rich()), "c")]
    findings = found(stacks, [ROOT / "policies/snapshots"])
    assert {stack: [(f.pack, f.rule) for f in each] for stack, each in findings.items()} == {
        "a": [("snapshots", "backup-etcd-missing"), ("snapshots", "backup-volumes-missing")],
        "b": [],
        "c": [],
    }
    assert findings["a"][0] == Finding(
        rule="backup-etcd-missing",
        pack="snapshots",
        severity="high",
        level="mandatory",
        title="etcd is not copied away, or too rarely",
        status="violated",
        urn=f"{PARTS}{CLUSTER}::shop",
        of="spec",
        field="backup.etcd",
        message="none: the loss of 2 of 3 control-plane nodes takes every API object with it\n"
        "a snapshot of their VMs is none: to revert one breaks raft, and volumes attached then do not detach",
        remediation="Set backup.etcd with an interval that you can afford to lose, and try a restore.",
        evidence=findings["a"][0].evidence,
    )
    assert findings["a"][0].evidence[1].startswith("[documented] github.com/etcd-io/etcd/issues/13509")


def test_what_is_unknown_is_advice_whatever_the_level() -> None:
    (finding, *_) = found([preview(metal(rich()), endpoint=UNKNOWN)], [ROOT / "policies/snapshots"])["small"]
    assert (finding.rule, finding.level, finding.severity) == ("backup-etcd-missing", "advisory", "high")
    assert (finding.status, finding.verdict) == ("undecided", "undecided")
    assert "not decidable at preview: facts.endpoint of " in finding.message
    assert f"{PARTS}{CLUSTER}::shop" in finding.message


@pytest.mark.parametrize("stack", [*previews("shop"), *previews("edge")], ids=lambda stack: stack.stack)
def test_the_example_stacks(stack: Preview, golden: Callable[[str, str], None]) -> None:
    """Nothing that would block, once what is documented is waived. What the pack lifecycle says depends on the day:
    test_lifecycle.py has it on fixed ones."""
    (findings,) = found([stack], PACKS).values()
    assert [finding.rule for finding in findings if finding.blocks] == []
    lasting = [finding for finding in findings if finding.pack != "lifecycle"]
    text = "\n\n".join(f"{f.verdict} {f.rule}: {f.where}\n{f.message}" for f in lasting)
    golden(f"findings/{stack.stack}.txt", f"{text}\n")


def test_no_packs_no_findings() -> None:
    assert check([preview(metal(rich()))], []) == {"small": Judgement()}


def test_the_caller_does_not_load_pulumi() -> None:
    program = (
        "import sys; from pathlib import Path; from isostack.check import check; assert 'grpc' not in sys.modules;"
        "from isostack.preview.model import Preview;"
        "assert check([Preview('p', 's')], [Path('policies/drs')])['s'].findings == ();"
        "assert 'pulumi' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)


# ---- any pack

HEAD = """
import os, sys, time
from pulumi_policy import *
def pack(validate, kind=StackValidationPolicy, **more):
    PolicyPack("toy", policies=[kind(name="toy-rule", description="A toy", validate=validate, **more)])
"""


@pytest.fixture
def toy(tmp_path: Path) -> Any:
    """Makes a pack of one rule, whose `__main__.py` ends with this."""

    def make(program: str) -> Path:
        folder = tmp_path / "toy"
        folder.mkdir(exist_ok=True)
        (folder / "PulumiPolicy.yaml").write_text("runtime: python\n", "utf-8")
        (folder / "__main__.py").write_text(HEAD + program, "utf-8")
        return folder

    return make


def said(folder: Path, stack: Preview, timeout: float = 30) -> list[str]:
    with Packs.start([folder], timeout=timeout) as packs:
        return [finding.message for finding in packs.check(stack).findings]


def test_values_arrive_as_they_are_and_secrets_without_what_they_say(toy: Any) -> None:
    folder = toy("pack(lambda args, report: report(repr(unproxied(args.resources[0].props))))")
    main = folder / "__main__.py"
    main.write_text(
        main.read_text("utf-8").replace(
            "import os",
            "def unproxied(v):\n"
            "    if hasattr(v, 'keys'): return {k: unproxied(v[k]) for k in sorted(v)}\n"
            "    return v if isinstance(v, str) or not hasattr(v, '__len__') else [unproxied(i) for i in v]\n"
            "import os",
        )
    )
    props = {
        "a": {"b": [1, 2.5, True, None, "x", [], {}]},
        "c": Secret("hush"),
        "d": Secret({"e": ["hush", 7, None]}),
        "__internal": 1,
    }
    assert said(folder, bare(**props)) == [
        "{'a': {'b': [1.0, 2.5, True, None, 'x', [], {}]}, 'c': '[secret]', 'd': {'e': ['[secret]', '[secret]', None]}}"
    ]


@pytest.mark.parametrize("value", [UNKNOWN, Secret(UNKNOWN)])
def test_an_unknown_value_stops_the_rule_that_reads_it(toy: Any, value: Any) -> None:
    folder = toy("pack(lambda args, report: report(args.resources[0].props['a']))")
    assert "string value at .a can't be known during preview" in said(folder, bare(a=value))[0]


def test_resources_arrive_with_their_relations(toy: Any) -> None:
    folder = toy(
        "def rule(args, report):\n"
        "    it = [r for r in args.resources if r.name == 'it'][0]\n"
        "    others = [it.parent, it.dependencies[0], it.property_dependencies['x'][0], it.provider]\n"
        "    options = [it.provider.props['url'], str(it.opts.ignore_changes), str(it.opts.protect)]\n"
        "    report(' '.join([*(other.name for other in others), *options]), it.urn)\n"
        "pack(rule)"
    )
    other = resource("pulumi:providers:a", "other", {"url": "u"})
    it = resource("a:b:C", "it", {}, other.urn, protect=True, ignore_changes=("y",), provider=other.urn)
    it = replace(it, dependencies=(other.urn,), property_dependencies={"x": (other.urn,)})
    (finding,) = found([Preview("isostack", "small", (other, it))], [folder])["small"]
    assert (finding.rule, finding.pack, finding.severity, finding.level, finding.urn) == (
        "toy-rule",
        "toy",
        "",
        "advisory",
        it.urn,
    )
    assert finding.message == "other other other other u ['y'] True"


def test_rules_for_single_resources_see_inputs(toy: Any) -> None:
    folder = toy("pack(lambda args, report: report(args.props['a']), ResourceValidationPolicy)")
    (finding,) = found([bare(a="in")], [folder])["small"]
    assert (finding.message, finding.urn) == ("in", f"{PARTS}a:b:C::it")


def test_defaults_and_levels_of_rules_hold(toy: Any) -> None:
    schema = "config_schema=PolicyConfigSchema({'n': {'type': 'number', 'default': 7}})"
    rule = f"pack(lambda args, report: report(str(args.get_config())), {schema}, enforcement_level=EnforcementLevel."
    assert said(toy(rule + "MANDATORY)"), bare()) == ["{'n': 7.0}"]
    assert said(toy(rule + "DISABLED)"), bare()) == []


def test_a_rule_may_print_much(toy: Any) -> None:
    folder = toy(
        "def rule(args, report):\n"
        "    for stream in (sys.stdout, sys.stderr): stream.write('x' * 500_000)\n"
        "    report('done')\n"
        "pack(rule)"
    )
    assert said(folder, bare()) == ["done"]


@pytest.mark.parametrize(
    ("program", "seconds", "message"),
    [
        ("time.sleep(60)", 1, "did not start within 1 seconds"),
        ("pack(lambda args, report: time.sleep(60))", 5, "did not answer within 5 seconds"),
        ("1 / 0", 30, "ended before it was ready (exit code 1)"),
        ("print('hello'); pack(lambda args, report: None)", 30, "printed 'hello' where its port was expected"),
        ("sys.stdout.write('x' * 10**6); time.sleep(60)", 30, "printed 'xxx"),
        ("pack(lambda args, report: os._exit(3))", 30, "ended while it was asked (exit code 3)"),
        ("pack(lambda args, report: 1 / 0)", 30, "answered with an error: Exception calling application: division"),
    ],
    ids=["slow start", "slow rule", "no start", "print", "much print", "exit in a rule", "error in a rule"],
)
def test_a_pack_that_fails_is_told_and_ended(
    toy: Any, tmp_path: Path, program: str, seconds: float, message: str
) -> None:
    pid = tmp_path / "pid"
    folder = toy(f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n{program}")
    began = time.monotonic()
    with pytest.raises(PackFailed) as raised:
        said(folder, bare(), seconds)
    assert str(raised.value).startswith(f"policy pack toy: {message}")
    assert time.monotonic() - began < 25
    assert not pid.exists() or gone(int(pid.read_text()))


def test_the_error_of_a_pack_comes_with_its_traceback(toy: Any) -> None:
    with pytest.raises(PackFailed, match=r"(?s)ended before it was ready.*ZeroDivisionError: division by zero"):
        said(toy("1 / 0"), bare())


def test_a_folder_that_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackFailed, match=r"policy pack nowhere: cannot be started: no such folder"):
        said(tmp_path / "nowhere", bare())
    with pytest.raises(PackFailed, match=rf"policy pack {tmp_path.name}: ended before it was ready"):
        said(tmp_path, bare())


def test_one_pack_that_fails_does_not_pass_for_the_others_silence(toy: Any) -> None:
    with pytest.raises(PackFailed, match="policy pack toy"):
        check([preview(metal(rich()))], [*PACKS, toy("1 / 0")])


def test_packs_end_with_a_parent_that_is_killed(toy: Any) -> None:
    folder = toy("open('pid', 'w').write(str(os.getpid()))\npack(lambda args, report: None)")
    program = (
        "import sys, time; from pathlib import Path; from isostack.check import Packs\n"
        "Packs.start([Path(sys.argv[1])]); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=ROOT) as parent:
        wait_for(lambda: (folder / "pid").exists() and (folder / "pid").read_text() != "")
        parent.send_signal(signal.SIGKILL)
    pid = int((folder / "pid").read_text())
    wait_for(lambda: gone(pid))


def wait_for(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_would_move_a_terminal_s_cursor_is_not_printed(toy: Any) -> None:
    folder = toy("pack(lambda args, report: report('a\\x1b[31m\\u202eb\\n\\tc'))")
    assert said(folder, bare()) == ["a\ufffd[31m\ufffdb\n\tc"]
