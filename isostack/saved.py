"""Previews and states that others wrote down, as previews of ours: what the real engine said, or what is deployed.

Two documents are read, told apart by what is in them: `pulumi preview --json` and `pulumi stack export`.
[documented] github.com/pulumi/pulumi v3.259.0: pkg/display/json.go (PreviewDigest), sdk/go/common/apitype/core.go
(UntypedDeployment, DeploymentV3, ResourceV3).

What they tell differs. A preview of the engine has no outputs, and the word "[secret]" for each secret; an export has
secrets encrypted. Either way a secret is one whose value nobody here knows.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.decode import decode
from components.problems import InvalidInput, Problem
from components.signatures import SECRET, SIGNATURE, UNKNOWN_VALUE
from isostack.preview.model import HIDDEN, UNKNOWN, Message, Preview, Resource, Secret, Severity
from isostack.preview.urn import ROOT_STACK_TYPE, is_default_provider, parts_of
from isostack.preview.wire import unmarked
from isostack.sound import checked, short

STDIN: Final = "-"
MAX_BYTES: Final = 2**29
"""512 MiB. A preview of 2,000 machines has 60 MB [measured: 7 KB a resource]."""
_MOST: Final = 10  # faults that are told: where there are more, they have one cause
_HOW: Final = "`pulumi preview --json --show-sames` or `pulumi stack export` writes one"


def _filled(value: Any) -> Any:
    """Go writes null for an empty list or map."""
    return [] if value is None else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_filled)]


class _Part(BaseModel):
    """Only what is read is declared: the engine's documents have more, and may have more tomorrow."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class _State(_Part):
    """A resource, as the engine writes it."""

    urn: str
    type: str
    custom: bool = False
    delete: bool = False
    pending_replacement: bool = False
    taint: bool = False
    init_errors: Texts = ()
    external: bool = False
    id: str | None = None
    parent: str | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] | None = None
    dependencies: Texts = ()
    property_dependencies: dict[str, Texts] = Field(default_factory=dict)
    provider: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str | None = None
    ignore_changes: Texts = ()
    replace_on_changes: Texts = ()
    replacement_trigger: Any = None
    additional_secret_outputs: Texts = ()
    aliases: Texts = ()


class _Step(_Part):
    op: str
    old_state: _State | None = None
    new_state: _State | None = None


class _Diagnostic(_Part):
    message: str = ""
    severity: str = "info"
    urn: str | None = None


class _Digest(_Part):
    """`pulumi preview --json`."""

    steps: tuple[_Step, ...] = ()
    diagnostics: tuple[_Diagnostic, ...] = ()
    change_summary: dict[str, int] = Field(default_factory=dict)


class _Deployment(_Part):
    resources: tuple[_State, ...] = ()
    pending: Annotated[tuple[Any, ...], BeforeValidator(_filled)] = Field((), alias="pending_operations")


class _Export(_Part):
    """`pulumi stack export`."""

    version: int = Field(ge=3, le=4)
    deployment: _Deployment


def read_saved(file: str) -> Preview:
    """The preview in a file, of the standard input for `-`. Raises InvalidInput with what is wrong with it."""
    name = "standard input" if file == STDIN else file
    try:
        return replace(checked(_understood(_parsed(_read(file)))), origin=name)
    except InvalidInput as error:
        raise InvalidInput([replace(problem, file=name) for problem in error.problems[:_MOST]]) from None


def _read(file: str) -> bytes:
    try:
        if file == STDIN:
            raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _fault("no such file", _HOW) from None
    except OSError as error:
        raise _fault(f"cannot be read: {(error.strerror or type(error).__name__).lower()}") from None
    if len(raw) > MAX_BYTES:
        raise _fault(f"has more than {MAX_BYTES >> 20} MiB")
    return raw


def _parsed(raw: bytes) -> dict[str, Any]:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault("is UTF-16, as some shells write what `>` gets", "write it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}", _HOW) from None
    if not text.strip():
        raise _fault("is empty", "if the command that wrote it failed, its standard error says why")
    if not text.lstrip().startswith("{"):
        first = text.strip().splitlines()[0]
        what = f"not a document of Pulumi: it begins with {first if len(first) <= 40 else first[:37] + '...'!r}"
        raise _fault(what, "write the standard output alone: pulumi preview --json --show-sames > FILE")
    try:
        return dict(json.loads(text, parse_constant=_no_number))
    except RecursionError:
        raise _fault("not a document of Pulumi: it is nested too deep", _HOW) from None
    except json.JSONDecodeError as error:
        right = ""
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            right = "the file ends too early: was the command that wrote it interrupted?"
        elif error.msg == "Extra data":
            right = "one document is wanted, not a stream of events (PULUMI_ENABLE_STREAMING_JSON_PREVIEW)"
        what = f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]}"
        raise InvalidInput([Problem(what, right, (), "", error.lineno, error.colno)]) from None
    except ValueError as error:  # NaN; a number of more digits than Python reads
        raise _fault(f"not valid JSON: {error}") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _understood(data: dict[str, Any]) -> Preview:
    """The preview in the document, whichever of the two it is."""
    if "deployment" in data:
        return _from_export(decode(_Export, data, document=None).deployment)
    if "steps" in data or "changeSummary" in data:
        return _from_digest(decode(_Digest, data, document=None))
    if "checkpoint" in data:
        raise _fault("this is the state file of a backend", "`pulumi stack export` writes what is in it")
    if data.get("command") == "preview":
        raise _fault("this is a preview of isostack", "name the stack instead: it is previewed again")
    keys = ", ".join(map(repr, list(data)[:4])) or "nothing"
    raise _fault(f"neither a preview nor an export of a stack: at its top is {keys}", _HOW)


def _from_digest(digest: _Digest) -> Preview:
    failed = [diagnostic for diagnostic in digest.diagnostics if diagnostic.severity == "error"]
    if failed:
        first = " ".join(failed[0].message.split())
        raise _fault(f"this preview failed: {first[:300]}", "what the engine did not get to is not in it")
    told = Counter(step.op for step in digest.steps)
    left_out = {op: digest.change_summary.get(op, 0) - told[op] for op in ("same", "create", "update")}
    if left_out["same"] > 0:
        what = f"{_count(left_out['same'], 'unchanged resource')} not in it"
        raise _fault(what, "`pulumi preview --json --show-sames` has them")
    if missing := {op: count for op, count in left_out.items() if count > 0}:
        counted = ", ".join(f"{count} {op}" for op, count in missing.items())
        raise _fault(f"steps that it counts are not in it: {counted}", "a document is taken as it was written")
    states = {s.new_state.urn: s.new_state for s in digest.steps if s.new_state and not s.op.startswith("delete")}
    # The engine writes a step down before its outputs are there. At a preview they are the inputs, as far as is known.
    found = [_resource(state, _from_digest_value) for state in states.values()]
    found = [replace(resource, outputs=resource.inputs) for resource in found]
    made = _preview(found, None, tuple(_messages(digest.diagnostics)))
    replaced = frozenset(s.new_state.urn for s in digest.steps if s.new_state and "replace" in s.op)
    return replace(made, before=_before(digest), replaced=replaced)


def _before(digest: _Digest) -> Preview | None:
    """What the engine says is there now; None where nothing is."""
    states = {step.old_state.urn: step.old_state for step in digest.steps if step.old_state}
    found = [replace(resource, outputs={}) for resource in (_resource(s, _from_digest_value) for s in states.values())]
    return _preview(found, None, ()) if any(resource.type == ROOT_STACK_TYPE for resource in found) else None


def _from_export(deployment: _Deployment) -> Preview:
    # What is deleted already, and only waits to be made anew, is not there.
    states = [state for state in deployment.resources if not (state.delete or state.pending_replacement)]
    messages = tuple(Message("warning", text) for text in _alarms(deployment, states))
    found = [_resource(state, _from_export_value) for state in states]
    outputs = next((resource.outputs for resource in found if resource.type == ROOT_STACK_TYPE), {})
    return _preview(found, outputs, messages)


def _alarms(deployment: _Deployment, states: Sequence[_State]) -> Iterator[str]:
    """What the state itself says is not as it should be."""
    if deployment.pending:
        number = len(deployment.pending)
        yield f"{_count(number, 'operation')} under way in it: what became of that is not known to it"
    for state in states:
        if state.init_errors:
            yield f"{short(state.urn)} never became ready: {' '.join(state.init_errors[0].split())[:200]}"
        if state.taint:
            yield f"{short(state.urn)} is marked to be replaced"
        if state.custom and not state.id and not state.external:
            yield f"{short(state.urn)} has no id: whether it was made is not known"


def _count(number: int, what: str) -> str:
    return f"1 {what} is" if number == 1 else f"{number} {what}s are"


def _messages(diagnostics: Iterable[_Diagnostic]) -> Iterator[Message]:
    for each in diagnostics:
        severity: Severity = "warning" if each.severity == "warning" else "info"
        yield Message(severity, each.message.strip().removeprefix("warning: "), each.urn)


def _preview(resources: list[Resource], outputs: Mapping[str, Any] | None, messages: tuple[Message, ...]) -> Preview:
    root = next((resource for resource in resources if resource.type == ROOT_STACK_TYPE), None)
    if root is None:
        raise _fault("no resource of a stack is in it", "a stack that `pulumi up` has made, or a preview of all of one")
    stack, project, _, _ = parts_of(root.urn)
    kept = [resource for resource in resources if not is_default_provider(resource.urn)]
    kept.sort(key=lambda resource: resource is not root)
    return Preview(project, stack, tuple(kept), outputs, messages)


def _resource(state: _State, value: Callable[[Any], Any]) -> Resource:
    try:
        _, _, type_, name = parts_of(state.urn)
    except ValueError:
        raise _fault(f"{state.urn[:80]!r} is no URN of a resource", _HOW) from None
    if state.type != type_:
        raise _fault(f"{short(state.urn)} is of type {state.type[:80]!r}, and {type_!r} by its URN", _HOW)
    inputs, outputs = value(state.inputs), value(state.outputs or {})
    if isinstance(inputs, Secret) or isinstance(outputs, Secret):
        raise _fault(f"{short(state.urn)}: its properties are one secret, where each has its own mark", _HOW)
    provider = state.provider.rpartition("::")[0]  # behind it stands the provider's id
    hidden = {name: Secret(UNKNOWN) for name in state.additional_secret_outputs if name in outputs}
    return Resource(
        urn=state.urn,
        type=state.type,
        name=name,
        parent=state.parent or None,
        custom=state.custom,
        external=state.external,
        id=None if state.id in (None, "", UNKNOWN_VALUE) else state.id,
        inputs=_properties(state, inputs),
        outputs={**outputs, **hidden},
        dependencies=state.dependencies,
        property_dependencies={name: urns for name, urns in state.property_dependencies.items() if urns},
        provider=provider if provider and not is_default_provider(provider) else None,
        protect=state.protect,
        ignore_changes=state.ignore_changes,
        replacement_trigger=value(state.replacement_trigger),
        replace_on_changes=state.replace_on_changes,
        retain_on_delete=state.retain_on_delete,
        deleted_with=state.deleted_with or None,
        additional_secret_outputs=state.additional_secret_outputs,
        aliases=state.aliases,
    )


def _properties(state: _State, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs as the program gave them: without what the engine and a provider's defaults have added."""
    own = state.type.startswith("pulumi:providers:")
    return {
        name: v for name, v in sorted(inputs.items()) if not name.startswith("__") and not (own and name == "version")
    }


def _from_digest_value(value: Any) -> Any:
    return _value(value, lambda text: Secret(UNKNOWN) if text == HIDDEN else text)


def _from_export_value(value: Any) -> Any:
    return _value(value, lambda text: text)


def _value(value: Any, of_text: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return UNKNOWN if value == UNKNOWN_VALUE else of_text(value)
    if isinstance(value, list):
        return [_value(item, of_text) for item in value]
    if not isinstance(value, dict):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    if value.get(SIGNATURE) == SECRET:
        return Secret(UNKNOWN)
    # What a provider's own defaults have set, and the list of it [documented] pulumi-terraform-bridge v3,
    # pkg/tfbridge/schema.go, `__defaults`.
    added = value.get("__defaults")
    added = {"__defaults", *(name for name in added if isinstance(name, str))} if isinstance(added, list) else set()
    return unmarked({key: _value(item, of_text) for key, item in value.items() if key not in added})


def _fault(what: str, right: str = "") -> InvalidInput:
    return InvalidInput([Problem(what, right)])
