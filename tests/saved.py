"""Documents as the Pulumi CLI would write them of a preview: for tests of what reads them, without an engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.signatures import SECRET, SIGNATURE, UNKNOWN_VALUE
from isostack.preview import UNKNOWN, Preview, Resource, Secret

Value = Callable[[Any], Any]


def written(folder: Path, document: Any, name: str = "it.json") -> str:
    """The file that has this document, or this text."""
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return str(path)


def digest(preview: Preview) -> dict[str, Any]:
    """`pulumi preview --json` of a stack that is not there yet: no outputs, and a word for each secret."""
    states = [_state(resource, _shown) for resource in preview.resources]
    steps = [{"op": "create", "urn": state["urn"], "newState": state} for state in states]
    diagnostics = [{"message": "warning: be careful\n", "severity": "warning"}]
    return {"config": {}, "steps": steps, "diagnostics": diagnostics, "changeSummary": {"create": len(steps)}}


def export(preview: Preview) -> dict[str, Any]:
    """`pulumi stack export`: with ids and outputs, secrets encrypted, and what was not known filled in."""
    states = [
        {**_state(r, _kept), "outputs": _kept(dict(r.outputs)), "id": "id" if r.custom else ""}
        for r in preview.resources
    ]
    states[0] |= {"outputs": _kept(dict(preview.outputs or {}))}
    added = {"urn": _default(preview), "custom": True, "id": "i", "type": "pulumi:providers:tls", "inputs": {}}
    gone = {**states[-1], "delete": True}
    return {"version": 3, "deployment": {"manifest": {}, "resources": [states[0], added, *states[1:], gone]}}


def _default(preview: Preview) -> str:
    return f"urn:pulumi:{preview.stack}::{preview.project}::pulumi:providers:tls::default_5_0_0"


def _state(resource: Resource, value: Value) -> dict[str, Any]:
    return {
        "urn": resource.urn,
        "custom": resource.custom,
        "type": resource.type,
        "inputs": {**value(dict(resource.inputs)), "__defaults": ["byDefault"], "byDefault": "x"},
        "parent": resource.parent or "",
        "dependencies": list(resource.dependencies) or None,
        "propertyDependencies": {name: list(resource.property_dependencies.get(name, ())) for name in resource.inputs},
        "provider": f"{resource.provider}::id" if resource.provider else "",
        "protect": resource.protect,
        "external": resource.external,
        "ignoreChanges": list(resource.ignore_changes),
        "replaceOnChanges": list(resource.replace_on_changes),
        "replacementTrigger": value(resource.replacement_trigger),
        "retainOnDelete": resource.retain_on_delete,
        "deletedWith": resource.deleted_with or "",
        "additionalSecretOutputs": list(resource.additional_secret_outputs),
    }


def _shown(value: Any) -> Any:
    if value is UNKNOWN:
        return UNKNOWN_VALUE
    return "[secret]" if isinstance(value, Secret) else _each(value, _shown)


def _kept(value: Any) -> Any:
    if value is UNKNOWN:
        return "made"
    return {SIGNATURE: SECRET, "ciphertext": "v1:abc"} if isinstance(value, Secret) else _each(value, _kept)


def _each(value: Any, of: Value) -> Any:
    if isinstance(value, dict):
        return {key: of(item) for key, item in value.items()}
    return [of(item) for item in value] if isinstance(value, list) else value
