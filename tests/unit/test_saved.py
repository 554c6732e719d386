"""Previews and exports of the Pulumi CLI are read as previews, or it is said what is wrong with them.

The documents here are written by tests/saved.py; those of the real engine are read in tests/engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.problems import InvalidInput
from isostack.comparison import compare
from isostack.export import inventory
from isostack.finding import Judgement
from isostack.parity import Verdict, parity
from isostack.preview import UNKNOWN, Preview, Secret
from isostack.report import text
from isostack.report.text import console
from isostack.saved import read_saved
from tests.cli import Run
from tests.examples import previews
from tests.saved import digest, export, written
from tests.specs import ROOT

Document = dict[str, Any]
WRITERS: dict[str, Callable[[Preview], Document]] = {"digest": digest, "export": export}


def said(folder: Path, document: Any) -> str:
    """What is wrong with the document."""
    file = written(folder, document)
    with pytest.raises(InvalidInput) as caught:
        read_saved(file)
    assert all(problem.file == file for problem in caught.value.problems)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("spec", ["shop", "edge"])
def test_what_was_written_is_read(tmp_path: Path, writer: str, spec: str) -> None:
    for made in previews(spec):
        read = read_saved(written(tmp_path, WRITERS[writer](made)))
        assert (read.stack, read.project, read.label) == (made.stack, "isostack", f"{made.stack} ({tmp_path}/it.json)")
        assert [r.urn for r in read.resources] == [r.urn for r in made.resources]
        for there, ours in zip(read.resources, made.resources, strict=True):
            assert there.inputs.keys() == ours.inputs.keys()
            assert (there.parent, there.provider, there.protect) == (ours.parent, ours.provider, ours.protect)
            assert there.property_dependencies == ours.property_dependencies
        result = parity([made, read])
        verdict = Verdict.DEGRADED if result.shortfalls else Verdict.EQUIVALENT
        assert (result.differences, result.verdict) == ((), verdict)


def test_secrets_are_not_kept_and_outputs_are_not_made_up(tmp_path: Path) -> None:
    made = previews("edge")[0]
    for writer, outputs in (("digest", None), ("export", made.outputs)):
        read = read_saved(written(tmp_path, WRITERS[writer](made)))
        secret = next(r for r in made.resources for value in r.inputs.values() if isinstance(value, Secret))
        (name,) = [name for name, value in secret.inputs.items() if isinstance(value, Secret)][:1]
        assert read.by_urn[secret.urn].inputs[name] == Secret(UNKNOWN)
        assert (read.outputs is None) is (outputs is None)
    plain = json.loads(json.dumps(export(made)).replace('"ciphertext": "v1:abc"', '"plaintext": "\\"CANARY\\""'))
    assert "CANARY" not in repr(read_saved(written(tmp_path, plain)))


def test_two_exports_are_equivalent_whatever_their_keys_are(tmp_path: Path) -> None:
    documents = [json.dumps(export(made)) for made in previews("shop")]
    # What one stack has made, another has made too, and another thing.
    files = [
        written(tmp_path, text.replace('"made"', f'"made by {i}"'), f"{i}.json") for i, text in enumerate(documents)
    ]
    result = parity([read_saved(file) for file in files])
    assert result.differences == ()
    assert result.compared["key"] > 5


def test_what_differs_from_the_stack_is_told(tmp_path: Path) -> None:
    made = previews("edge")[0]
    document = export(made)
    machine = next(r for r in document["deployment"]["resources"] if r["type"] == "isostack:index:Machine")
    machine["inputs"]["facts"]["wanted"]["zone"] = "elsewhere"
    result = parity([made, read_saved(written(tmp_path, document))])
    assert result.verdict is Verdict.NOT
    assert ("facts.wanted.zone", "elsewhere") in {(d.field, d.values[1]) for d in result.differences}


Change = Callable[[Document], object]


def resource(document: Document, type_: str) -> Document:
    found: Document = next(r for r in document["deployment"]["resources"] if r["type"].endswith(type_))
    return found


CHANGES: dict[str, tuple[Change, str, str]] = {
    "fewer CPUs": (lambda d: resource(d, ":VirtualMachine")["inputs"].update(numCpus=1), "numCpus", "1"),
    "another network": (
        lambda d: resource(d, ":VirtualMachine")["inputs"]["networkInterfaces"][0].update(adapterType="e1000"),
        "networkInterfaces[0].adapterType",
        "e1000",
    ),
    "no protection": (lambda d: resource(d, ":PrivateKey").update(protect=False), "(protect)", "false"),
    "a key in clear": (
        lambda d: resource(d, ":SelfSignedCert")["inputs"].update(privateKeyPem="CANARY"),
        "privateKeyPem",
        "(stands in clear)",
    ),
    "another provisioner": (
        lambda d: resource(d, ":StorageClass")["inputs"].update(provisioner="other"),
        "provisioner",
        "other",
    ),
    "nothing kept": (lambda d: resource(d, ":VirtualMachine").update(ignoreChanges=None), "(ignore_changes)", "[]"),
    "a storage class gone": (lambda d: drop(d, ":StorageClass"), "", "absent"),
    "deleted, to be made anew": (
        lambda d: resource(d, ":StorageClass").update(pendingReplacement=True),
        "",
        "absent",
    ),
}


def drop(document: Document, type_: str) -> None:
    document["deployment"]["resources"].remove(resource(document, type_))


@pytest.mark.parametrize("name", CHANGES)
def test_of_one_stack_everything_is_held_against_its_files(tmp_path: Path, name: str) -> None:
    made = next(made for made in previews("edge") if made.stack == "edge-vsphere")
    change, field, value = CHANGES[name]
    document = export(made)
    change(document)
    result = parity([made, read_saved(written(tmp_path, document))])
    assert result.verdict is Verdict.NOT
    assert (field, value) in {(d.field, d.values[1]) for d in result.differences}
    assert "CANARY" not in repr(result)


def test_what_is_null_is_as_if_it_were_absent(tmp_path: Path) -> None:
    """A state does not keep it."""
    made = previews("edge")[0]
    document = export(made)
    resource(document, ":Hardware")["inputs"]["nothing"] = None
    assert parity([made, read_saved(written(tmp_path, document))]).differences == ()


def test_a_state_that_says_it_is_not_well_is_believed(tmp_path: Path) -> None:
    document = export(previews("edge")[0])
    document["deployment"]["pending_operations"] = [{"type": "creating"}]
    resource(document, ":Hardware").update(initErrors=["no  such host"], taint=True)
    run = Run(ROOT, "diff", "edge-tinkerbell", written(tmp_path, document))
    assert "warning: " in run.err
    for alarm in ("1 operation is under way in it", "never became ready: no such host", "is marked to be replaced"):
        assert alarm in run.err


def test_parents_make_a_tree(tmp_path: Path) -> None:
    document = export(previews("edge")[0])
    resource(document, ":Pki")["parent"] = resource(document, ":PrivateKey")["urn"]
    assert "its parents go round in a ring" in said(tmp_path, document)
    resource(document, ":Pki")["parent"] = ""
    assert "belongs to no stack: it has no parent" in said(tmp_path, document)


def test_what_is_no_document(tmp_path: Path) -> None:
    whole = json.dumps(digest(previews("edge")[0]), indent=1)
    assert "is empty; if the command that wrote it failed" in said(tmp_path, " \n")
    assert "it begins with 'Previewing update (dev):'; write the standard output alone" in said(
        tmp_path, "Previewing update (dev):\n{}"
    )
    assert "the file ends too early" in said(tmp_path, whole[: len(whole) // 2])
    assert "it.json:1:3: not valid JSON: extra data; one document is wanted" in said(tmp_path, "{}{}")
    assert "it.json:1:7: not valid JSON" in said(tmp_path, '{"a": }')
    assert "NaN is no number" in said(tmp_path, '{"a": NaN}')
    assert "nested too deep" in said(tmp_path, '{"a":' * 100_000)
    assert "neither a preview nor an export of a stack: at its top is 'a', 'b'" in said(tmp_path, {"a": 1, "b": 2})
    assert "`pulumi stack export` writes what is in it" in said(tmp_path, {"version": 3, "checkpoint": {}})
    assert "name the stack instead" in said(tmp_path, {"version": 1, "command": "preview", "preview": {}})
    (tmp_path / "it.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(InvalidInput, match="not UTF-8: byte 0xff at offset 7"):
        read_saved(str(tmp_path / "it.json"))
    with pytest.raises(InvalidInput, match="no such file; `pulumi preview --json"):
        read_saved(str(tmp_path / "other.json"))
    with pytest.raises(InvalidInput, match="cannot be read: is a directory"):
        read_saved(str(tmp_path))


def test_what_is_not_all_of_a_stack(tmp_path: Path) -> None:
    made = previews("edge")[0]
    document = digest(made)
    document["changeSummary"]["same"] = 5
    assert "5 unchanged resources are not in it; `pulumi preview --json --show-sames` has them" in said(
        tmp_path, document
    )
    document = digest(made)
    document["diagnostics"].append({"severity": "error", "message": "no  such\nhost"})
    assert "this preview failed: no such host; what the engine did not get to" in said(tmp_path, document)
    document = digest(made)
    document["steps"] = [step for step in document["steps"] if "Pki::" not in step["urn"]]
    assert "steps that it counts are not in it: 1 create" in said(tmp_path, document)
    document["changeSummary"] = {"create": len(document["steps"])}
    assert "Pki edge-pki is not in it; a preview of all of the stack, without --target" in said(tmp_path, document)
    assert "no resource of a stack is in it" in said(tmp_path, {"steps": []})
    assert "no resource of a stack is in it" in said(tmp_path, {"version": 3, "deployment": {}})


def test_what_is_of_another_program(tmp_path: Path) -> None:
    made = previews("edge")[0]
    document = digest(made)
    document["steps"], document["changeSummary"] = document["steps"][:1], {}
    assert f"{made.stack} is no stack of isostack; one Cluster is wanted" in said(tmp_path, document)
    document = export(made)
    for resource in document["deployment"]["resources"]:
        if resource["type"] == "isostack:index:Cluster":
            resource["inputs"]["facts"]["target"] = "vspere"
    assert "Cluster edge.facts.target: no target 'vspere'; did you mean 'vsphere'?" in said(tmp_path, document)
    for resource in document["deployment"]["resources"]:
        if resource["type"] == "isostack:index:Machine":
            resource["inputs"]["facts"]["version"] = 2
    assert "Machine edge-control-plane-0.facts.version" in said(tmp_path, document)
    document = export(made)
    document["deployment"]["resources"][3] |= {"urn": "shop", "dependencies": [5]}
    assert "deployment.resources[3].dependencies[0]" in said(tmp_path, document)
    document["deployment"]["resources"][3] |= {"dependencies": []}
    assert "'shop' is no URN of a resource" in said(tmp_path, document)
    document = export(made)
    document["version"] = 5
    assert "version" in said(tmp_path, document)


DOCUMENTS = st.sampled_from([writer(made) for writer in WRITERS.values() for made in previews("edge")])


@st.composite
def spoilt(draw: st.DrawFn) -> Document:
    """A document with a value in it that is another one, or none."""
    document = deepcopy(draw(DOCUMENTS))
    holder: Any = document
    for _ in range(draw(st.integers(0, 9))):
        inner = list(holder.values() if isinstance(holder, dict) else holder)
        inner = [value for value in inner if isinstance(value, dict | list) and value]
        if not inner:
            break
        holder = draw(st.sampled_from(inner))
    key = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
    if draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(st.sampled_from([None, True, -1, 1.5, "x", "", [], ["x"], {}, {"x": {}}, [[{}]]]))
    return document


@given(document=spoilt())
def test_a_spoilt_document_is_compared_or_refused(tmp_path_factory: pytest.TempPathFactory, document: Document) -> None:
    file = written(tmp_path_factory.getbasetemp(), document, "spoilt.json")
    with suppress(InvalidInput):
        read = read_saved(file)
        out = console()
        both = [read, previews("edge")[0]]
        text.comparison(out, compare(both, (), {each.label: Judgement() for each in both}))
        text.preview(out, read)
        inventory(read)


def test_commands_take_files_beside_stacks(tmp_path: Path) -> None:
    vsphere = next(made for made in previews("edge") if made.stack == "edge-vsphere")
    file = written(tmp_path, export(vsphere))
    run = Run(ROOT, "diff", "edge-vsphere", file)
    assert run.code == 0
    assert run.out.startswith(f"edge-vsphere and edge-vsphere ({file}): equivalent with")
    run = Run(ROOT, "compare", "edge", file, "--format", "json")
    assert [s["stack"] for s in run.json["comparison"]["stacks"]] == [
        "edge-tinkerbell",
        "edge-vsphere",
        f"edge-vsphere ({file})",
    ]
    run = Run(ROOT, "check", file, "edge-vsphere", "--format", "json")
    theirs, ours = ([{**f, "place": None} for f in each["findings"]] for each in run.json["stacks"].values())
    assert theirs == ours
    assert len(ours) > 0
    run = Run(ROOT, "diff", file, file)
    assert (run.code, run.err) == (2, f"error: edge-vsphere ({file}) cannot differ from itself; name two stacks\n")
    run = Run(ROOT, "compare", "edge", "nothing.json", "edgy")
    assert run.code == 2
    assert "nothing.json: no such file" in run.err
    assert "no stack has the spec 'edgy'" in run.err


def test_check_fails_for_what_is_mandatory_only() -> None:
    run = Run(ROOT, "check")
    assert run.code == 0
    assert "shop-vsphere: advisory drs-value" in run.out
