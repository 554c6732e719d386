"""The graph of the embedded preview held against the state that the real engine wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from components.quantity import parse_seconds
from isostack.preview import UNKNOWN, Preview, Resource, Secret
from tests.standins.schema import SECRET, SIGNATURE

DEFAULT_PROVIDER = "::default_"
"""In the URN of a provider that the engine makes by itself: the embedded preview has none."""


def differences(preview: Preview, state: str, options: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Every way in which the state, or the options as the engine has told them, have another graph than the preview."""
    resources = json.loads(state)["checkpoint"]["latest"]["resources"]
    real = {r["urn"]: r for r in resources if DEFAULT_PROVIDER not in r["urn"]}
    ours = {r.urn: r for r in preview.resources}
    yield from (f"{urn}: the engine has it, the preview has not" for urn in real.keys() - ours.keys())
    yield from (f"{urn}: the preview has it, the engine has not" for urn in ours.keys() - real.keys())
    yield from (f"{urn}: the engine told no options" for urn in ours.keys() - options.keys())
    for urn in ours.keys() & real.keys() & options.keys():
        for what, ours_, theirs in chain(_parts(ours[urn], real[urn]), _told(ours[urn], options[urn])):
            if ours_ != theirs:
                yield f"{urn} {what}: {ours_} in the preview, {theirs} in the engine"


def _parts(ours: Resource, real: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "type", ours.type, real["type"]
    yield "custom", ours.custom, real.get("custom", False)
    yield "parent", ours.parent, real.get("parent")
    yield "protect", ours.protect, real.get("protect", False)
    yield "retainOnDelete", ours.retain_on_delete, real.get("retainOnDelete", False)
    yield "dependencies", sorted(ours.dependencies), sorted(real.get("dependencies", ()))
    found = {name: sorted(urns) for name, urns in (real.get("propertyDependencies") or {}).items() if urns}
    yield "propertyDependencies", {name: sorted(urns) for name, urns in ours.property_dependencies.items()}, found
    provider = real.get("provider", "").rpartition("::")[0]
    yield "provider", ours.provider, None if DEFAULT_PROVIDER in provider or not provider else provider
    added = ("__internal", "version") if ours.type.startswith("pulumi:providers:") else ("__defaults",)
    yield "inputs", sorted(ours.inputs), sorted(name for name in real.get("inputs", {}) if name not in added)
    for name, value in ours.inputs.items():
        there = real.get("inputs", {}).get(name)
        yield from _values(f"inputs.{name}", value, there)
    yield "ignoreChanges", sorted(ours.ignore_changes), sorted(real.get("ignoreChanges", ()))
    yield "replaceOnChanges", sorted(ours.replace_on_changes), sorted(real.get("replaceOnChanges", ()))
    yield "replacementTrigger", ours.replacement_trigger, real.get("replacementTrigger")
    secret = sorted(ours.additional_secret_outputs), sorted(real.get("additionalSecretOutputs", ()))
    yield "additionalSecretOutputs", *secret
    yield "deletedWith", ours.deleted_with, real.get("deletedWith")
    yield "customTimeouts", _seconds(ours), {k: v for k, v in (real.get("customTimeouts") or {}).items() if v}
    yield "external", ours.external, real.get("external", False)
    yield from _outputs(ours, real.get("outputs", {}))


def _outputs(ours: Resource, real: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Of a component and the stack: all. Of a custom resource: what both have, since a provider need not return what is
    secret if it is there at all."""
    if not ours.custom:
        yield "outputs", sorted(ours.outputs), sorted(real)
    for name, value in ours.outputs.items():
        if ours.custom and name not in real:
            continue
        yield f"secrecy of output {name}", isinstance(value, Secret), _is_secret(real.get(name))
        yield from _values(f"outputs.{name}", value, real.get(name))


def _told(ours: Resource, options: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "protect as told", ours.protect, options["protect"]
    yield "deleteBeforeReplace as told", ours.delete_before_replace, options["deleteBeforeReplace"]
    yield "ignoreChanges as told", sorted(ours.ignore_changes), options["ignoreChanges"]
    yield "additionalSecretOutputs as told", sorted(ours.additional_secret_outputs), options["additionalSecretOutputs"]
    seconds = [_seconds(ours).get(name, 0) for name in ("create", "update", "delete")]
    yield "customTimeouts as told", seconds, options["customTimeouts"]


def _seconds(resource: Resource) -> dict[str, int]:
    return {name: parse_seconds(timeout) for name, timeout in resource.custom_timeouts.items()}


def _values(path: str, ours: Any, real: Any) -> Iterator[tuple[str, Any, Any]]:
    """What is known beforehand is what was made. Secrets are encrypted in the state."""
    if ours is UNKNOWN:
        return
    if isinstance(ours, Secret) or _is_secret(real):
        yield f"secrecy of {path}", isinstance(ours, Secret), _is_secret(real)
    elif isinstance(ours, Mapping) and isinstance(real, Mapping):
        for key in ours.keys() | real.keys():
            yield from _values(f"{path}.{key}", ours.get(key), real.get(key))
    elif isinstance(ours, list) and isinstance(real, list) and len(ours) == len(real):
        for i, (item, there) in enumerate(zip(ours, real, strict=True)):
            yield from _values(f"{path}[{i}]", item, there)
    else:
        yield path, ours, real


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET
