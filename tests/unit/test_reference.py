"""The reference: every field of the spec, of each target config and of the facts is described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from components import facts, targets
from components.spec import Spec
from isostack.part import Part
from isostack.reference import json_schema, reference
from isostack.report.schema import SCHEMAS
from tests.specs import ROOT

MODELS: list[type[BaseModel]] = [
    Spec,
    *(targets.config(kind) for kind in targets.kinds()),
    facts.ClusterFacts,
    facts.SiteFacts,
    facts.MachineFacts,
    facts.PkiFacts,
    facts.AddonFacts,
]


def undescribed(schema: dict[str, Any]) -> Iterator[str]:
    for name, part in {"": schema, **schema.get("$defs", {})}.items():
        if not part.get("description"):
            yield name
        yield from (f"{name}.{field}" for field, of in part.get("properties", {}).items() if not of.get("description"))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_field_is_described(model: type[BaseModel]) -> None:
    missing = [field for field in undescribed(model.model_json_schema()) if not field.endswith(".version")]
    assert missing == []


def test_every_field_of_a_document_is_described() -> None:
    for of in SCHEMAS:
        assert [each for each in undescribed(json_schema(of)) if not each.endswith("version")] == []


def test_the_page_about_diff_names_its_parts_and_keys() -> None:
    page = (ROOT / "docs/diff.md").read_text("utf-8")
    for name in (*Part, *json_schema("diff")["properties"]):
        assert f"`{name}`" in page


@pytest.mark.parametrize("of", ["spec", *targets.kinds(), *SCHEMAS])
def test_the_page_names_every_field_with_what_it_takes(of: str) -> None:
    page = reference(of)
    for part in json_schema(of).get("$defs", {}).values():
        for field in part.get("properties", {}):
            assert f"{field}" in page
    assert "(required)" in page
