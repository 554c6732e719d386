"""Property values of the Pulumi protocol's messages, as plain values with markers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from components.signatures import SECRET, SIGNATURE, UNKNOWN_VALUE
from isostack.preview.model import UNKNOWN
from isostack.preview.wire import unmarked


def properties(struct: Struct) -> dict[str, Any]:
    """All properties, by name in alphabetical order: a protobuf map has none of its own."""
    fields = struct.fields
    return {name: value(fields[name]) for name in sorted(fields)}


def value(sent: Value) -> Any:
    kind = sent.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if sent.string_value == UNKNOWN_VALUE else sent.string_value
    if kind == "number_value":
        number = sent.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return sent.bool_value
    if kind == "list_value":
        return [value(item) for item in sent.list_value.values]
    if kind == "struct_value":
        return unmarked(properties(sent.struct_value))
    return None


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
