"""What a program would create: resources, outputs and messages as plain data. Needs nothing of Pulumi."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cached_property
from typing import Any, Final, Literal, final

JSON_VERSION: Final = 1
HIDDEN: Final = "[secret]"
_UNKNOWN_KEY: Final = "$unknown"
_SECRET_KEY: Final = "$secret"
_PLAIN_KEY: Final = "$plain"
_MARKERS: Final = frozenset({_UNKNOWN_KEY, _SECRET_KEY, _PLAIN_KEY})


@final
class Unknown:
    """A value that only `pulumi up` can know. There is one instance, UNKNOWN."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __reduce__(self) -> str:
        return "UNKNOWN"  # pickled by name: stays the one instance


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret value; UNKNOWN inside when not even the preview knows it. Never printed, never written to JSON."""

    value: Any

    def __repr__(self) -> str:
        return f"Secret({UNKNOWN if self.value is UNKNOWN else HIDDEN})"


Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Message:
    """A line the program logged or printed; `urn` names the resource it is about."""

    severity: Severity
    text: str
    urn: str | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """One registration. Values are dict, list, str, int, float, bool and None, with UNKNOWN and Secret in them.

    Options are as they take effect: those that Pulumi hands down from a parent are filled in.
    `parent`, `provider`, `dependencies`, `deleted_with` are URNs; `provider` is None for the default provider.
    `property_dependencies` leaves out properties that depend on nothing.
    """

    urn: str
    type: str
    name: str
    parent: str | None = None
    custom: bool = True
    external: bool = False
    """Read with `.get`, not managed by this stack."""
    id: str | None = None
    """Only what is known before creation: the id given to `.get` or to `import_`."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """What is known at preview. A property that is in neither map is known only after `pulumi up`, or not at all."""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provider: str | None = None
    protect: bool = False
    delete_before_replace: bool = False
    ignore_changes: tuple[str, ...] = ()
    replacement_trigger: Any = None
    """Another value than in the state, and the resource is built anew."""
    replace_on_changes: tuple[str, ...] = ()
    retain_on_delete: bool = False
    deleted_with: str | None = None
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """URNs under which an earlier state may hold this resource."""
    custom_timeouts: Mapping[str, str] = field(default_factory=dict)
    """create, update, delete, read; as the program gave them, for example `30m`."""
    version: str | None = None
    """Of the provider's plugin."""
    source: str | None = None
    """Where the program creates it: `file:line`, the file relative to the project's root."""


@dataclass(frozen=True)
class Preview:
    """All that one stack's program registers, in the order of registration. The root stack comes first."""

    project: str
    stack: str
    resources: tuple[Resource, ...] = ()
    outputs: Mapping[str, Any] | None = field(default_factory=dict)
    """Of the stack. None: what it was read from does not tell them."""
    messages: tuple[Message, ...] = ()
    origin: str = ""
    """What it was read from; empty: made of the stack's own files."""
    before: Preview | None = field(default=None, compare=False, repr=False)
    """What is there now, which an `up` would change; None: that is not known."""
    replaced: frozenset[str] | None = field(default=None, compare=False, repr=False)
    """URNs that the engine says it deletes and makes anew; None: it was not asked."""

    @property
    def label(self) -> str:
        """What people call it, beside others of the same stack."""
        return f"{self.stack} ({self.origin})" if self.origin else self.stack

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _by_parent(self) -> Mapping[str | None, tuple[Resource, ...]]:
        return _grouped(self.resources, "parent")

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[Resource, ...]]:
        return _grouped(self.resources, "type")

    def children(self, urn: str | None) -> tuple[Resource, ...]:
        """The resources whose parent is `urn`; of None, the root stack."""
        return self._by_parent.get(urn, ())

    def of_type(self, type_: str) -> tuple[Resource, ...]:
        return self._by_type.get(type_, ())

    def to_json(self) -> dict[str, Any]:
        """A document for `json.dumps`, without the value of any secret.

            {"version": 1, "project": str, "stack": str, "outputs": {name: value},
             "resources": [{"urn": str, "type": str, "name": str, ...}],
             "messages": [{"severity": "info"|"warning"|"error", "text": str, "urn": str}]}

        A resource has the fields of `Resource` in camelCase; those at their default are left out. A value is plain
        JSON, except {"$unknown": true}; {"$secret": "[secret]"}, or {"$secret": {"$unknown": true}} for a secret
        that is not known; and {"$plain": {...}} around a mapping of the program that has such a key itself.
        """
        return {
            "version": JSON_VERSION,
            "project": self.project,
            "stack": self.stack,
            "outputs": encode(self.outputs),
            "resources": [_record_to_json(resource) for resource in self.resources],
            "messages": [_record_to_json(message) for message in self.messages],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Preview:
        """The preview in a document of `to_json`. Known secrets are Secret("[secret]")."""
        if document.get("version") != JSON_VERSION:
            raise ValueError(f"preview version {document.get('version')!r}; this program reads {JSON_VERSION}")
        return cls(
            project=document["project"],
            stack=document["stack"],
            resources=tuple(Resource(**_record_from_json(Resource, record)) for record in document["resources"]),
            outputs=decode(document["outputs"]),
            messages=tuple(Message(**_record_from_json(Message, record)) for record in document["messages"]),
        )


def encode(value: Any) -> Any:
    """A value with markers as JSON; see `Preview.to_json`."""
    if value is UNKNOWN:
        return {_UNKNOWN_KEY: True}
    if isinstance(value, Secret):
        return {_SECRET_KEY: encode(UNKNOWN) if value.value is UNKNOWN else HIDDEN}
    if isinstance(value, Mapping):
        entries = {key: encode(item) for key, item in value.items()}
        return entries if _MARKERS.isdisjoint(entries) else {_PLAIN_KEY: entries}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """The value that `encode` wrote."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if _UNKNOWN_KEY in value:
        return UNKNOWN
    if _SECRET_KEY in value:
        return Secret(decode(value[_SECRET_KEY]))
    entries = value.get(_PLAIN_KEY, value)
    return {key: decode(item) for key, item in entries.items()}


def _grouped(resources: tuple[Resource, ...], attribute: str) -> dict[Any, tuple[Resource, ...]]:
    groups: dict[Any, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(getattr(resource, attribute), []).append(resource)
    return {key: tuple(group) for key, group in groups.items()}


def _record_to_json(record: Resource | Message) -> dict[str, Any]:
    return {
        _camel(field_.name): encode(value)
        for field_, value in ((field_, getattr(record, field_.name)) for field_ in fields(record))
        if value != _default(field_)
    }


def _record_from_json(cls: type[Resource | Message], record: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_arguments(cls, record))


def _arguments(cls: type[Resource | Message], record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field_ in fields(cls):
        if (key := _camel(field_.name)) not in record:
            continue
        value = decode(record[key])
        if field_.default == ():
            value = tuple(value)
        elif field_.name == "property_dependencies":
            value = {name: tuple(urns) for name, urns in value.items()}
        yield field_.name, value


def _default(field_: Field[Any]) -> Any:
    return field_.default if field_.default_factory is MISSING else field_.default_factory()


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
