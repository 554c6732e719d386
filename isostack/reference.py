"""The reference of specs, target configs and JSON documents, derived from the models: a page, a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components import targets
from components.problems import InvalidInput, Problem
from components.spec import Spec
from components.waivers import PolicySettings
from components.wording import did_you_mean
from isostack.report.schema import SCHEMAS


def json_schema(of: str) -> dict[str, Any]:
    """The JSON Schema of `spec`, of a target kind's config, or of a command's JSON document."""
    if of == "spec":
        return Spec.model_json_schema(by_alias=True)
    if of in targets.kinds():
        return targets.config(of).model_json_schema(by_alias=True)
    if of in SCHEMAS:
        return SCHEMAS[of]()
    choices = ["spec", *targets.kinds(), *SCHEMAS]
    near = did_you_mean(of, choices)
    right = f"did you mean {near!r}?" if near else f"choose one of: {', '.join(choices)}"
    raise InvalidInput([Problem(f"no schema {of!r}", right)])


def reference(of: str) -> str:
    """One line for each field: its path, what it takes, its default, what it means."""
    schema = json_schema(of)
    rows = list(_rows(schema, schema.get("$defs", {}), ""))
    width = max(len(path) for path, _, _ in rows)
    return "\n".join(f"{path:<{width}}  {takes}\n{'':<{width}}  {meaning}" for path, takes, meaning in rows)


def fields() -> dict[str, tuple[str, str]]:
    """Of the spec, of every target config and of policies' settings, by path: what it takes, what it means."""
    found: dict[str, tuple[str, str]] = {}
    for of in ("spec", *targets.kinds()):
        schema = json_schema(of)
        for path, takes, meaning in _rows(schema, schema.get("$defs", {}), ""):
            found.setdefault(path, (takes, meaning))
    settings = PolicySettings.model_json_schema(by_alias=True)
    for path, takes, meaning in _rows(settings, settings.get("$defs", {}), "policies."):
        found.setdefault(path, (takes, meaning))
    return found


def _rows(schema: dict[str, Any], defs: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        here, inner, suffix = f"{path}{name}", _resolve(field, defs), ""
        while inner.get("type") == "array":
            inner, suffix = _resolve(inner.get("items", {}), defs), f"{suffix}[]"
        if "default" in field:
            default = (
                "" if inner.get("properties") or field["default"] in (None, [], {}) else f", default {field['default']}"
            )
            needed = f"optional{default}"
        else:
            needed = "required" if name in required else "optional"
        yield f"{here}{suffix}", f"{_takes(inner)} ({needed})", field.get("description", inner.get("description", ""))
        if inner.get("properties"):
            yield from _rows(inner, defs, f"{here}{suffix}.")


def _resolve(field: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references and optional unions."""
    if "$ref" in field:
        return {**defs[field["$ref"].rpartition("/")[2]], **{k: v for k, v in field.items() if k != "$ref"}}
    for choice in field.get("anyOf", []):
        if choice.get("type") != "null":
            return _resolve(choice, defs)
    return field


def _takes(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    if field.get("examples"):
        return f"for example {field['examples'][0]}"
    kind = field.get("type", "object")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
