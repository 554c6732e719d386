"""JSON documents of the commands' results: version 1 of each, camelCase keys, no secret value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from math import isfinite
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.alias_generators import to_camel

VERSION = 1


def document(command: str, **parts: Any) -> dict[str, Any]:
    """The document of a command: {"version": 1, "command": "compare", ...the parts}."""
    return {"version": VERSION, "command": command, **{to_camel(key): plain(part) for key, part in parts.items()}}


def plain(value: Any) -> Any:
    """Dataclasses, models, enums and tuples as JSON values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {to_camel(field.name): plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, SecretStr):
        return "[secret]"
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no such numbers
    return value.value if isinstance(value, Enum) else value
