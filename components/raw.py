"""A target's raw resources without Pulumi: how they carry user data, and what they show of a machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from components.plan import MachinePlan, Plan

T = TypeVar("T")


class Resource(Protocol):
    """A raw resource as a preview has it. What is not known yet is an object of no type that stands in an input."""

    @property
    def urn(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def property_dependencies(self) -> Mapping[str, tuple[str, ...]]:
        """URNs by input: the resources that its value comes from."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A machine as its raw resources show it: read back from them, so that nobody need believe the plan. What they do
    not show is None."""

    zone: str | None
    """Where they keep it; None where nothing does."""
    user_data: Any
    """What carries the user data, as it stands in the resource."""
    user_data_from: tuple[str, ...]
    """URNs of what the user data is made from."""
    host: str | None = None
    host_class: str | None = None
    address: str | None = None
    cpus: int | None = None
    memory: int | None = None
    disk: int | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """The way by which user data comes to a machine."""

    name: str
    limit: int
    """Bytes that it carries, as `measure` counts them."""
    source: str
    """Where the limit is said, and its grade."""


class RawTarget(Protocol):
    """What `components/<target>/raw.py` holds. The functions are pure."""

    @property
    def CHANNEL(self) -> Channel: ...

    @property
    def SHOWS(self) -> frozenset[str]:
        """The fields of Shown that the raw resources of each machine show, beside `zone` and the user data. One that is
        then missing is held against the target."""

    def encode(self, plan: Plan, machine: MachinePlan, text: str) -> Any:
        """The input of the raw resource that carries this user data."""

    def measure(self, carried: Any) -> int:
        """Bytes that such an input takes of the channel's limit."""

    def decode(self, carried: Any) -> str:
        """The user data in such an input."""

    def machines(self, resources: Sequence[Resource]) -> Iterable[tuple[str, Shown]]:
        """The machines among the resources of a stack, each with the name that its node will have. A name that is not
        known is empty."""


def known(value: Any, kind: type[T]) -> T | None:
    """The value, if it is known and of this type."""
    return value if isinstance(value, kind) else None


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places, None where there is nothing or it is not known."""
    for key in path:
        if isinstance(key, str):
            value = value.get(key) if isinstance(value, Mapping) else None
        else:
            value = value[key] if isinstance(value, Sequence) and -len(value) <= key < len(value) else None
    return value


def of_kind(resources: Iterable[Resource], token: str) -> list[Resource]:
    return [resource for resource in resources if resource.type == token]
