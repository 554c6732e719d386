"""What a stand-in knows of its resources, and whether given inputs agree with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # [documented] pulumi sdk/go/common/resource/plugin/rpc.go
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int, float),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class Kind:
    """One type of resource. A type of an input is a word; [type]: a list; {"values": type}: a map; {"fields": {name:
    type}, "required": [name]}: an object."""

    inputs: Mapping[str, Any]
    required: tuple[str, ...]
    replaces: tuple[str, ...]
    outputs: tuple[str, ...]
    secret_outputs: tuple[str, ...]

    def faults(self, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What is wrong with inputs: the property, and what."""
        yield from _fields(given, self.inputs, self.required, "")


def kinds(package: str) -> Mapping[str, Kind]:
    document = json.loads(Path(__file__).with_name(f"{package}.json").read_text("utf-8"))
    return {
        token: Kind(
            inputs=known["inputs"],
            required=tuple(known["required"]),
            replaces=tuple(known["replaces"]),
            outputs=tuple(known["outputs"]),
            secret_outputs=tuple(known["secretOutputs"]),
        )
        for token, known in document["resources"].items()
    }


def opened(value: Any) -> Any:
    """The value without the marks of secrets."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return opened(value["value"])
        return {key: opened(item) for key, item in value.items()}
    return [opened(item) for item in value] if isinstance(value, list) else value


def has_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return any(has_unknown(item) for item in value) if isinstance(value, list) else value == UNKNOWN


def _fields(given: Mapping[str, Any], types: Mapping[str, Any], required: Any, at: str) -> Iterator[tuple[str, str]]:
    for name in required:
        if given.get(name) is None:
            yield f"{at}{name}", "missing"
    for name, value in given.items():
        if name not in types:
            yield f"{at}{name}", "unknown"
        elif value is not None:
            yield from _value(value, types[name], f"{at}{name}")


def _value(value: Any, kind: Any, at: str) -> Iterator[tuple[str, str]]:
    if value == UNKNOWN or kind == "any":
        return
    if isinstance(kind, list):
        if not isinstance(value, list):
            yield at, f"a list is wanted, not {value!r}"
            return
        for i, item in enumerate(value):
            yield from _value(item, kind[0], f"{at}[{i}]")
    elif isinstance(kind, Mapping):
        if not isinstance(value, Mapping):
            yield at, f"an object is wanted, not {value!r}"
        elif "fields" in kind:
            yield from _fields(value, kind["fields"], kind["required"], f"{at}.")
        else:
            for key, item in value.items():
                yield from _value(item, kind["values"], f"{at}.{key}")
    elif (isinstance(value, bool) and kind != "boolean") or not isinstance(value, _SCALARS[kind]):
        yield at, f"a {kind} is wanted, not {value!r}"
    elif kind == "integer" and not float(str(value)).is_integer():
        yield at, f"an integer is wanted, not {value!r}"
