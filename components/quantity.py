"""Quantities as Kubernetes writes them (`500m`, `16Gi`, `6h`), as pydantic field types over plain integers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from components.problems import Fault

# Kubernetes resource.Quantity suffixes; https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15} | {
    f"{letter}i": 1024**power for power, letter in enumerate("KMGTP", start=1)
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MAX_BYTES = 2**62


def _split(text: object, unit: str) -> re.Match[str] | None:
    """Number and unit. The digits are bounded: Python refuses to convert very long ones in words of its own."""
    plain = isinstance(text, str | int | float) and not isinstance(text, bool)
    return re.fullmatch(rf"([0-9]{{1,20}}(?:\.[0-9]{{1,9}})?){unit}", str(text)) if plain else None


def parse_bytes(text: object) -> int:
    """Bytes of a memory or disk quantity: `16Gi` is 17179869184. A bare number is bytes."""
    match = _split(text, r"([A-Za-z]*)")
    if match is None or match[2] not in _BYTES:
        raise Fault(f"{text!r} is not a size", "write a number and a unit, for example 16Gi, 512Mi or 1Ti")
    value = float(match[1]) * _BYTES[match[2]]
    if value < 1 or value > _MAX_BYTES or value != int(value):
        raise Fault(f"{text!r} is not a whole, positive number of bytes", "for example 16Gi, 512Mi or 1Ti")
    return int(value)


def format_bytes(value: int) -> str:
    """The shortest exact binary form: 17179869184 is `16Gi`."""
    for letter in reversed("KMGTP"):
        if value % _BYTES[f"{letter}i"] == 0 and value >= _BYTES[f"{letter}i"]:
            return f"{value // _BYTES[f'{letter}i']}{letter}i"
    return str(value)


def show_bytes(value: int) -> str:
    """For people: 960000000000 is `894Gi`, rounded down; what is exact in a larger unit is shown in it."""
    for letter in reversed("KMGTP"):
        size = _BYTES[f"{letter}i"]
        if value >= size and (value % size == 0 or value >= 10 * size):
            return f"{value // size}{letter}i"
    return str(value)


def parse_millicpus(text: object) -> int:
    """Millicores of a CPU quantity: `500m` is 500, `2` is 2000, `0.5` is 500."""
    match = _split(text, r"(m?)")
    if match is None:
        raise Fault(f"{text!r} is not an amount of CPU", "write cores or millicores, for example 2, 0.5 or 500m")
    value = float(match[1]) * (1 if match[2] else 1000)
    if value < 1 or value > 10**9 or round(value) != round(value, 6):
        raise Fault(f"{text!r} is not a whole, positive number of millicores", "for example 2, 0.5 or 500m")
    return round(value)


def format_millicpus(value: int) -> str:
    return f"{value // 1000}" if value % 1000 == 0 else f"{value}m"


def parse_seconds(text: object) -> int:
    """Seconds of a duration: `6h` is 21600, `1h30m` is 5400."""
    parts = re.fullmatch(r"(?:[0-9]{1,12}[smhd]){1,4}", text) if isinstance(text, str) else None
    if parts is None:
        raise Fault(f"{text!r} is not a duration", "write numbers with s, m, h or d, for example 60s, 6h or 1h30m")
    value = sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"([0-9]+)([smhd])", parts[0]))
    if value < 1 or value > 100 * 365 * 86400:
        raise Fault(f"{text!r} is not a duration between 1s and 100 years", "for example 60s, 6h or 1d")
    return value


def format_seconds(value: int) -> str:
    for unit, size in reversed(_SECONDS.items()):
        if value % size == 0:
            return f"{value // size}{unit}"
    raise AssertionError(value)


def _quantity(
    parse: Callable[[object], int], form: Callable[[int], str], pattern: str, examples: list[str]
) -> tuple[Any, ...]:
    schema: Mapping[str, Any] = {"type": ["string", "integer"], "pattern": pattern, "examples": examples}
    return BeforeValidator(parse), PlainSerializer(form, return_type=str), WithJsonSchema(dict(schema))


Bytes = Annotated[int, *_quantity(parse_bytes, format_bytes, r"^[0-9]+(\.[0-9]+)?([kMGTP]|[KMGTP]i)?$", ["16Gi"])]
"""Memory or disk size in bytes; written `16Gi`."""
Millicpus = Annotated[int, *_quantity(parse_millicpus, format_millicpus, r"^[0-9]+(\.[0-9]+)?m?$", ["500m"])]
"""CPU in millicores; written `500m`."""
Seconds = Annotated[int, *_quantity(parse_seconds, format_seconds, r"^([0-9]+[smhd])+$", ["6h"])]
"""A duration in seconds; written `6h`."""
