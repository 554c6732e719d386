"""The engine's protocol with policy packs: previews as what it asks, findings out of what it is answered.

[documented] github.com/pulumi/pulumi v3.259.0: pkg/resource/plugin/analyzer_plugin.go (what a resource carries) and
proto/pulumi/analyzer.proto. Left out is what a preview does not hold: tags and config of the stack, custom timeouts;
and the values of secrets, which no pack may print.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unicodedata import category

from components.rules import evidence
from components.signatures import SECRET, SIGNATURE, UNKNOWN_VALUE
from isostack.finding import Declared, Finding, Waiver
from isostack.preview.model import HIDDEN, UNKNOWN, Preview, Resource, Secret


class PackFailed(Exception):
    """A policy pack did not start, died, hung or answered with an error: what it says of a stack is not known."""

    def __init__(self, pack: str, what: str, stderr: str = "") -> None:
        self.pack, self.what, self.stderr = pack, what, stderr
        super().__init__(f"policy pack {pack}: {what}" + (f"\n{stderr}" if stderr else ""))

    def __reduce__(self) -> tuple[type[PackFailed], tuple[str, str, str]]:
        return type(self), (self.pack, self.what, self.stderr)


@cache
def protocol() -> tuple[Any, Any]:
    """Messages and services of the protocol.

    By themselves: to import the package around them is to import all of the SDK, 0.3 s, of which nothing is needed.
    """
    sdk = find_spec("pulumi")
    folders = sdk.submodule_search_locations if sdk else None
    if not folders:
        raise PackFailed("of any kind", "the Python package pulumi is not installed")
    package = ModuleType("_pulumi_protocol")
    package.__path__ = [str(Path(folder) / "runtime" / "proto") for folder in folders]
    sys.modules[package.__name__] = package
    messages = importlib.import_module(f"{package.__name__}.analyzer_pb2")
    return messages, importlib.import_module(f"{package.__name__}.analyzer_pb2_grpc")


def empty() -> Any:
    from google.protobuf.empty_pb2 import Empty

    return Empty()


def configuration(pb: Any, info: Any) -> Any:
    """What the engine sends where the user sets nothing: each rule's own level, and the defaults of its parameters."""
    request = pb.ConfigureAnalyzerRequest()
    for rule in info.policies:
        config = request.policyConfig[rule.name]
        config.enforcementLevel = rule.enforcementLevel
        for name, schema in rule.configSchema.properties.fields.items():
            if "default" in schema.struct_value.fields:
                config.properties.fields[name].CopyFrom(schema.struct_value.fields["default"])
    return request


def declared(rule: Any, pack: str) -> Declared:
    pb, _ = protocol()
    return Declared(
        rule=rule.name,
        pack=pack,
        title=rule.displayName or rule.description,
        severity=_severity(rule.severity),
        level=pb.EnforcementLevel.Name(rule.enforcementLevel).lower(),
        remediation=rule.remediation_steps,
        evidence=evidence(list(rule.tags)),
    )


def _severity(number: int) -> str:
    name = str(protocol()[0].PolicySeverity.Name(number)).removeprefix("POLICY_SEVERITY_").lower()
    return "" if name == "unspecified" else name


def finding(diagnostic: Any, urn: str, pack: str, rules: Mapping[str, Any]) -> Finding:
    """A diagnostic, joined with what only the pack's list of rules says."""
    pb, _ = protocol()
    rule = rules.get(diagnostic.policyName) or pb.PolicyInfo()
    said = _said(diagnostic)
    waiver = said["waiver"]
    return Finding(
        rule=diagnostic.policyName,
        pack=pack,
        title=diagnostic.description,
        severity=_severity(diagnostic.severity or rule.severity),
        level=pb.EnforcementLevel.Name(diagnostic.enforcementLevel).lower(),
        status=said["status"],
        urn=diagnostic.urn or urn,
        of=said["of"],
        field=_shown(said["field"]),
        message=_shown(said["text"]),
        remediation=rule.remediation_steps,
        evidence=evidence(list(rule.tags)),
        subjects=tuple(map(_shown, said["subjects"])),
        waiver=Waiver(waiver["reason"], waiver["until"]) if waiver else None,
    )


def _shown(text: str) -> str:
    """A name in somebody's program may hold what moves a terminal's cursor or turns the direction of a line."""
    return "".join(char if char in "\n\t" or category(char) not in ("Cc", "Cf") else "\ufffd" for char in text)


def _said(diagnostic: Any) -> Mapping[str, Any]:
    """What a pack of ours writes for us (policies/pack.py), or the same of another's text."""
    if diagnostic.message.startswith("{"):
        with suppress(ValueError):
            said: Mapping[str, Any] = json.loads(diagnostic.message)
            if said.keys() >= {"status", "text", "of", "field", "subjects", "waiver"}:
                return said
    text = diagnostic.message.removeprefix(f"{diagnostic.description}\n")
    return {"status": "violated", "text": text, "of": "", "field": "", "subjects": (), "waiver": None}


def messages(preview: Preview) -> tuple[Sequence[Any], Any]:
    """What packs are asked: one request for each resource, with inputs; one for the stack, with outputs."""
    pb, _ = protocol()
    inputs, outputs = [], pb.AnalyzeStackRequest()
    for resource in preview.resources:
        common = {"urn": resource.urn, "type": resource.type, "name": resource.name}
        options, provider = _options(pb, resource), _provider(pb, preview, resource)
        request = pb.AnalyzeRequest(**common, options=options, provider=provider)
        _fill(request.properties, resource.inputs)
        inputs.append(request)
        seen = outputs.resources.add(
            **common,
            options=options,
            provider=provider,
            parent=resource.parent or "",
            dependencies=resource.dependencies,
            propertyDependencies={
                name: pb.AnalyzerPropertyDependencies(urns=urns)
                for name, urns in resource.property_dependencies.items()
            },
        )
        _fill(seen.properties, resource.outputs)
    return inputs, outputs


def _options(pb: Any, resource: Resource) -> Any:
    return pb.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        deleteBeforeReplace=resource.delete_before_replace,
        deleteBeforeReplaceDefined=True,
        additionalSecretOutputs=resource.additional_secret_outputs,
        aliases=resource.aliases,
        parent=resource.parent or "",
    )


def _provider(pb: Any, preview: Preview, resource: Resource) -> Any:
    provider = preview.by_urn.get(resource.provider or "")
    if provider is None:
        return None
    message = pb.AnalyzerProviderResource(urn=provider.urn, type=provider.type, name=provider.name)
    _fill(message.properties, provider.inputs)
    return message


def _fill(struct: Any, entries: Mapping[str, Any]) -> None:
    for name, value in entries.items():
        if not name.startswith("__"):  # the SDK's own
            _set(struct.fields[name], value)


def _set(target: Any, value: Any) -> None:
    """A value of a preview as the protocol carries it."""
    if value is UNKNOWN:
        target.string_value = UNKNOWN_VALUE
    elif value is None:
        target.null_value = 0
    elif isinstance(value, Secret):
        _fill(target.struct_value, {SIGNATURE: SECRET, "value": _hidden(value.value)})
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        _fill(target.struct_value, value)
    else:
        target.list_value.SetInParent()
        for item in value:
            _set(target.list_value.values.add(), item)


def _hidden(value: Any) -> Any:
    """The shape of a secret without what it says."""
    if value is UNKNOWN or value is None:
        return value
    if isinstance(value, Mapping):
        return {name: _hidden(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return HIDDEN
