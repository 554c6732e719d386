"""The preview as data: markers, look-ups, JSON."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isostack.preview import UNKNOWN, Message, Preview, Resource, Secret, Unknown
from isostack.preview.model import decode, encode

PREVIEW = Preview(
    project="shop",
    stack="dev",
    resources=(
        Resource(urn="urn:root", type="pulumi:pulumi:Stack", name="shop-dev", custom=False, outputs={"ip": UNKNOWN}),
        Resource(
            urn="urn:vm",
            type="vsphere:index/virtualMachine:VirtualMachine",
            name="node",
            parent="urn:root",
            external=True,
            id="vm-1",
            inputs={"size": 4, "ratio": 0.5, "data": Secret("hunter2"), "nested": [{"x": Secret({"y": UNKNOWN})}]},
            outputs={"ip": UNKNOWN, "key": Secret(UNKNOWN), "none": None},
            dependencies=("urn:a", "urn:b"),
            property_dependencies={"data": ("urn:a",)},
            provider="urn:provider",
            protect=True,
            delete_before_replace=True,
            ignore_changes=("clone",),
            replace_on_changes=("size",),
            retain_on_delete=True,
            deleted_with="urn:a",
            additional_secret_outputs=("key",),
            aliases=("urn:old",),
            custom_timeouts={"create": "30m"},
            version="4.18.2",
            source="__main__.py:3",
        ),
    ),
    outputs={"ip": UNKNOWN},
    messages=(Message("info", "hello"), Message("warning", "careful", "urn:vm")),
)


def test_json_is_read_back_without_the_secrets() -> None:
    text = json.dumps(PREVIEW.to_json())
    assert "hunter2" not in text
    again = Preview.from_json(json.loads(text))
    vm = PREVIEW.by_urn["urn:vm"]
    assert again.by_urn["urn:vm"].inputs == {
        "size": 4,
        "ratio": 0.5,
        "data": Secret("[secret]"),
        "nested": [{"x": Secret("[secret]")}],
    }
    assert again.by_urn["urn:vm"].outputs == vm.outputs
    assert again.resources[0] == PREVIEW.resources[0]
    assert (again.outputs, again.messages) == (PREVIEW.outputs, PREVIEW.messages)
    assert again.to_json() == PREVIEW.to_json()


def test_json_has_a_version_and_only_what_is_not_the_default() -> None:
    document = PREVIEW.to_json()
    assert document["version"] == 1
    assert document["resources"][0] == {
        "urn": "urn:root",
        "type": "pulumi:pulumi:Stack",
        "name": "shop-dev",
        "custom": False,
        "outputs": {"ip": {"$unknown": True}},
    }
    assert document["resources"][1]["outputs"] == {
        "ip": {"$unknown": True},
        "key": {"$secret": {"$unknown": True}},
        "none": None,
    }
    with pytest.raises(ValueError, match="preview version 2; this program reads 1"):
        Preview.from_json({**document, "version": 2})


KEYS = st.sampled_from(["a", "$unknown", "$secret", "$plain"]) | st.text(max_size=3)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(UNKNOWN) | st.just(Secret(UNKNOWN)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(PLAIN)
def test_any_value_is_read_back(value: Any) -> None:
    assert decode(json.loads(json.dumps(encode(value)))) == value


@given(PLAIN)
def test_no_secret_is_written_however_deep(value: Any) -> None:
    assert "hunter2" not in json.dumps(encode({"a": [value, Secret({"b": ["hunter2", value]})]}))


def test_a_secret_is_not_printed() -> None:
    assert "hunter2" not in f"{PREVIEW!r} {PREVIEW}"
    assert repr(Secret(UNKNOWN)) == "Secret(UNKNOWN)"
    assert Secret("a") == Secret("a") != Secret("b")


def test_unknown_is_one_instance_even_from_another_process() -> None:
    again = pickle.loads(pickle.dumps(PREVIEW))
    assert again == PREVIEW
    assert again.outputs["ip"] is UNKNOWN
    assert isinstance(UNKNOWN, Unknown)


def test_look_ups() -> None:
    root, vm = PREVIEW.resources
    assert PREVIEW.children("urn:root") == (vm,)
    assert PREVIEW.children(None) == (root,)
    assert PREVIEW.children("urn:vm") == ()
    assert PREVIEW.of_type("vsphere:index/virtualMachine:VirtualMachine") == (vm,)
    assert PREVIEW.of_type("nothing") == ()
