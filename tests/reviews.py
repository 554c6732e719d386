"""Reviews of changes for tests of their pages: of the example, of hostile words, of many machines, of no change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any

from pydantic import BaseModel

from components import facts
from isostack.changes import Kind, Property, Row, StackChange
from isostack.preview.model import Preview, Resource, Secret
from isostack.review import Review, review, with_texts
from tests.examples import previews
from tests.pages import HOSTILE
from tests.unit.test_changes import altered, bodies, put, with_facts
from tests.unit.test_review import digested

SPECS = {each.stack: "shop" for each in previews("shop")}
SECRET = "a-password-that-nobody-may-see"


@cache
def changing() -> Review:
    """One stack goes. In the others a machine is built anew, one is deleted, all would be born with other user data,
    an object of many lines changes, a secret does, and a wish comes true in part only."""
    gone, *kept = previews("shop")
    found = review([gone, *kept], [digested(_changed(each), "0" * 12) for each in kept], SPECS, "main")
    old, new = (
        {
            stack: {name: {"/etc/crictl.yaml": f"name: {name}\nmode: {mode}\n"} for name in names}
            for stack, names in found.machines_to_render().items()
        }
        for mode in ("old", "new")
    )
    return with_texts(found, old, new)


def _changed(stack: Preview) -> Preview:
    born = {each.urn for each in bodies(stack, "shop-web-0")}
    gone = {each.urn for each in stack.of_type(facts.MACHINE) if each.name == "shop-web-5"}
    first = next(each for each in stack.resources if each.type.endswith(":StorageClass"))

    def change(resource: Resource) -> Resource | None:
        if resource.urn in gone or resource.parent in gone:
            return None
        if resource.urn in born:
            return replace(resource, replacement_trigger="next")
        if resource.type == facts.CLUSTER:
            way, *others = resource.inputs["facts"]["realisations"]
            return with_facts(resource, "realisations", [{**way, "grade": "degraded", "reason": "so"}, *others])
        if resource is first:
            inputs = put(resource.inputs, "script", "one\ntwo\nthree\n")
            return replace(resource, inputs=put(inputs, "password", Secret(SECRET)))
        return resource

    return altered(stack, change)


@cache
def nothing() -> Review:
    return review(previews("shop"), previews("shop"), SPECS, "main")


@cache
def hostile() -> Review:
    """That of the example with something hostile behind every word."""
    spoilt: Review = _spoilt(changing())
    return spoilt


def _spoilt(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return f"{value} {HOSTILE}"
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _spoilt(getattr(value, name)) for name in type(value).model_fields})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _spoilt(getattr(value, each.name)) for each in fields(value)})
    if isinstance(value, Mapping):
        return {key: _spoilt(item) for key, item in value.items()}
    return tuple(map(_spoilt, value)) if isinstance(value, tuple) else value


@cache
def many(machines: int) -> Review:
    """Two stacks of so many machines: each is built anew, with resources of which no two change alike."""
    names = [f"big-workers-{number}" for number in range(machines)]
    rows = tuple(
        Row(
            kind,
            f"vsphere:index/c{which}:C{which}",
            (f"{name}-{which}",),
            "its replacement trigger, 1 before, is 2",
            tuple(Property(f"spec.property{i}", "x" * 40, f"{name} {i}") for i in range(20)),
        )
        for kind, which in ((Kind.REPLACED, 0), (Kind.REPLACED, 1), (Kind.DELETED, 2), (Kind.CHANGED, 3))
        for name in names
    )
    anew = Row(Kind.REPLACED, facts.MACHINE, tuple(names), "drained, its VM deleted and made anew, joined again")
    counts = {"before": machines, "after": machines}
    stacks = [StackChange(name, Kind.CHANGED, (), (anew,), rows, (), counts) for name in ("big", "big-rented")]
    return Review("main", (), tuple(stacks), {})
