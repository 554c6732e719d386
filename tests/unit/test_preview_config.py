"""Stack config in a preview: plain values reach the program, encrypted ones never leave their file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isostack.preview import UNKNOWN, PreviewFailed, Secret, preview
from isostack.stacks import find_project
from tests.unit.preview_programs import named, preview_of, write_program

CANARY = "v1:CANARYCANARY=="


def test_plain_config(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        config, other = pulumi.Config(), pulumi.Config("vsphere")
        Thing("thing", {"text": config.require("text"), "size": config.require_int("size"),
            "on": config.get_bool("on"), "target": config.require_object("target"), "none": config.get("missing"),
            "server": other.get("server"), "marked": config.require_secret("text")})
        """,
        config={
            "shop:text": "a",
            "shop:size": "3",
            "shop:on": "true",
            "shop:target": '{"kind":"vsphere"}',
            "vsphere:server": "vc.example",
        },
    )
    assert named(result, "thing").inputs == {
        "text": "a",
        "size": 3,
        "on": True,
        "target": {"kind": "vsphere"},
        "server": "vc.example",
        "marked": Secret("a"),
    }


@pytest.mark.parametrize("kind", ["", "_bool", "_int", "_float", "_object"])
@pytest.mark.parametrize("verb", ["get", "require"])
def test_a_secret_is_unknown_and_stays_secret(tmp_path: Path, verb: str, kind: str) -> None:
    result = preview_of(
        tmp_path,
        f"""
        secret = pulumi.Config().{verb}_secret{kind}("password")
        Thing("thing", {{"whole": secret, "part": secret.apply(lambda value: "never " + value), "in": [secret]}})
        """,
        secret_keys=["shop:password"],
    )
    assert named(result, "thing").inputs == {
        "whole": Secret(UNKNOWN),
        "part": Secret(UNKNOWN),
        "in": [Secret(UNKNOWN)],
    }


@pytest.mark.parametrize("getter", ["get", "require", "get_int", "require_object", "get_bool", "require_float"])
def test_reading_a_secret_as_plain_text_says_what_to_use(tmp_path: Path, getter: str) -> None:
    with pytest.raises(PreviewFailed) as failed:
        preview_of(tmp_path, f"pulumi.Config().{getter}('password')", secret_keys=["shop:password"])
    verb, _, kind = getter.partition("_")
    right = f"{verb}_secret{'_' if kind else ''}{kind}"
    assert failed.value.text == (
        "Configuration 'shop:password' is a secret, and a preview does not decrypt it:"
        f" use `{right}` instead of `{getter}`"
    )


def test_a_missing_value_is_reported_as_pulumi_does(tmp_path: Path) -> None:
    with pytest.raises(PreviewFailed, match="Missing required configuration variable 'shop:size'"):
        preview_of(tmp_path, "pulumi.Config().require_int('size')")


def test_config_in_the_environment_is_not_that_of_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"shop:size": "5"}))
    monkeypatch.setenv("PULUMI_CONFIG_SHOP_COLOUR", "red")
    monkeypatch.setenv("SEEN", "yes")
    result = preview_of(
        tmp_path,
        """
        import os
        config = pulumi.Config()
        Thing("thing", {"size": config.get("size"), "colour": config.get("colour"), "seen": os.environ["SEEN"]})
        """,
    )
    assert named(result, "thing").inputs == {"seen": "yes"}


def test_an_encrypted_value_appears_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "encryptionsalt: v1:salt\n"
        "config:\n"
        f"  password: {{secure: {CANARY}}}\n"
        f"  object: {{user: admin, password: {{secure: {CANARY}}}}}\n"
        f"  list: [a, {{secure: {CANARY}}}]\n"
        "  plain: a\n",
        encoding="utf-8",
    )
    write_program(
        tmp_path,
        """
        import os
        config = pulumi.Config()
        for key in ("password", "object", "list", "plain"):
            Thing(key, {"value": config.require_secret(key)})
            pulumi.export(key, config.get_secret_object(key) if key in ("object", "list") else None)
            print(pulumi.runtime.get_config("shop:" + key), pulumi.runtime.config.CONFIG.get())
        print(dict(os.environ))
        """,
    )
    project = find_project(tmp_path)
    stack = project.stack("dev")
    result = preview(project.root, [stack])[0]
    assert {key: named(result, key).inputs["value"] for key in ("password", "object", "list", "plain")} == {
        "password": Secret(UNKNOWN),
        "object": Secret(UNKNOWN),
        "list": Secret(UNKNOWN),
        "plain": Secret("a"),
    }
    everything = [repr(stack), repr(result), json.dumps(result.to_json()), *capfd.readouterr()]
    assert not [text for text in everything if CANARY in text or "CANARY" in text]
