"""What the engine sends a policy pack, read as the stacks that rules see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from components.facts import (
    ADDON,
    CLUSTER,
    MACHINE,
    PKI,
    SITE,
    AddonFacts,
    ClusterFacts,
    Facts,
    MachineFacts,
    PkiFacts,
    SiteFacts,
)
from components.rules import HIDDEN, UNKNOWN, Raw, Stack, Undecided
from components.signatures import SECRET, SIGNATURE, UNKNOWN_VALUE

F = TypeVar("F", bound=Facts)


def stacks(resources: Sequence[Any], reads: Iterable[str], inputs: Mapping[str, Any]) -> Iterator[Stack]:
    """The clusters among the resources of an AnalyzeStackRequest, each with what is below it, and the raw resources of
    these types: all of them, also such as hang below no cluster. `inputs`: properties of AnalyzeRequests, by URN.

    Only what is asked for is unpacked: a pack reads a few types, and a stack has thousands of resources. Raises
    Undecided where facts hold what only `pulumi up` can know, pydantic.ValidationError where they are not ours.
    """
    by_type: dict[str, list[Any]] = defaultdict(list)
    for resource in resources:
        by_type[resource.type].append(resource)
    parents = {resource.urn: resource.parent for resource in resources}
    machines = {r.urn: _facts(r, MachineFacts) for r in by_type[MACHINE]}
    names = {urn: facts.wanted.name for urn, facts in machines.items()}
    raw = {kind: tuple(_raw(each, parents, names, inputs) for each in by_type[kind]) for kind in reads}
    for top in by_type[CLUSTER]:
        cluster = _facts(top, ClusterFacts)
        yield Stack(
            urn=top.urn,
            cluster=cluster,
            sites=tuple(_below(top, by_type[SITE], SiteFacts)),
            machines=tuple(facts for facts in machines.values() if facts.wanted.cluster == cluster.wanted.name),
            addons=tuple(_below(top, by_type[ADDON], AddonFacts)),
            pki=next(_below(top, by_type[PKI], PkiFacts), None),
            resources=raw,
        )


def _below(top: Any, resources: Iterable[Any], facts: type[F]) -> Iterator[F]:
    return (_facts(resource, facts) for resource in resources if resource.parent == top.urn)


def _facts(resource: Any, facts: type[F]) -> F:
    props = {"facts": value(resource.properties.fields["facts"])} if "facts" in resource.properties.fields else {}
    if where := _unknown(props):
        raise Undecided(f"{where} of {resource.urn} is known only after `pulumi up`")
    return facts.of(props)


def _unknown(found: Any, path: str = "") -> str:
    """Where in a value something is unknown; empty: all is known."""
    if found is UNKNOWN:
        return path
    if isinstance(found, Mapping):
        parts: Iterable[tuple[Any, Any]] = found.items()
    elif isinstance(found, list):
        parts = enumerate(found)
    else:
        return ""
    return next((where for key, part in parts if (where := _unknown(part, f"{path}.{key}".lstrip(".")))), "")


def _raw(resource: Any, parents: Mapping[str, str], machines: Mapping[str, str], inputs: Mapping[str, Any]) -> Raw:
    above: str | None = resource.urn
    while above and above not in machines:
        above = parents.get(above)
    return Raw(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        props=_properties(resource, inputs),
        machine=machines.get(above or "", ""),
        ignore_changes=tuple(resource.options.ignoreChanges),
        sources={key: tuple(each.urns) for key, each in resource.propertyDependencies.items()},
    )


def _properties(resource: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What the provider says, and what the program gave where that says more. At the first preview the provider of the
    cluster's objects cannot be asked, and the engine has no outputs at all; and an object is one secret to it where the
    program has hidden one value [seen] pulumi v3.259.0."""
    found = {key: value(each) for key, each in resource.properties.fields.items()}
    if resource.urn in inputs:
        given = {key: value(each) for key, each in inputs[resource.urn].fields.items()}
        found |= {key: each for key, each in given.items() if found.get(key, UNKNOWN) in (UNKNOWN, HIDDEN)}
    return found


def value(message: Any) -> Any:
    """A google.protobuf.Value as plain data; whole numbers as such, since JSON has floats alone."""
    kind = message.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if message.string_value == UNKNOWN_VALUE else message.string_value
    if kind == "number_value":
        number = message.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return message.bool_value
    if kind == "list_value":
        return [value(each) for each in message.list_value.values]
    if kind == "struct_value":
        fields = message.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return HIDDEN
        return {key: value(each) for key, each in fields.items()}
    return None
