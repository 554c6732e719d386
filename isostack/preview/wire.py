"""Property values as the Pulumi protocol carries them, to plain values with markers.

[documented] github.com/pulumi/pulumi v3.259.0: sdk/go/common/resource/sig/sig.go (signatures),
sdk/go/common/resource/plugin/rpc.go (the sentinel of an unknown value).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value

from isostack.preview.model import UNKNOWN, Secret

UNKNOWN_VALUE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"


def properties(struct: Struct) -> dict[str, Any]:
    """All properties, by name in alphabetical order: a protobuf map has none of its own."""
    fields = struct.fields
    return {name: _value(fields[name]) for name in sorted(fields)}


def _value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_VALUE else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _mapping(properties(value.struct_value))
    return None


def _mapping(entries: dict[str, Any]) -> Any:
    """The mapping, or what its signature says it stands for.

    An asset or archive is left as its one entry (path, text, uri or assets), a reference to a resource as urn and id.
    """
    signature = entries.pop(SIGNATURE, None)
    if signature == SECRET:
        inner = entries["value"]
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature == RESOURCE_REFERENCE and entries.get("id") == "":
        entries["id"] = UNKNOWN
    return entries


def with_secrets(struct: Struct, names: Iterable[str]) -> Struct:
    """A copy of `struct` in which the properties of these names are secret; those it lacks are unknown secrets."""
    marked = Struct()
    marked.CopyFrom(struct)
    for name in names:
        current = struct.fields[name] if name in struct.fields else Value(string_value=UNKNOWN_VALUE)
        if not _is_secret(current):
            secret = marked.fields[name].struct_value.fields
            secret[SIGNATURE].string_value = SECRET
            secret["value"].CopyFrom(current)
    return marked


def _is_secret(value: Value) -> bool:
    fields = value.struct_value.fields if value.WhichOneof("kind") == "struct_value" else {}
    return SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET
