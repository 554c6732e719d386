"""Reading Pulumi projects and stack files as the engine does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.problems import InvalidInput
from isostack.stacks import Broken, Project, StackFile, find_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\nstackConfigDir: stacks\n", encoding="utf-8")
    return tmp_path


def write_stack(root: Path, name: str, text: str) -> Project:
    (root / "stacks" / f"Pulumi.{name}.yaml").write_text(text, encoding="utf-8")
    return find_project(root)


def test_the_project_is_found_from_below(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    for start in (root, root / "a" / "b", root / "stacks" / "shop.yaml"):
        project = find_project(start)
        assert (project.name, project.root, project.stack_dir) == ("shop", root, root / "stacks")


def test_without_a_project(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no Pulumi\.yaml in .* or any directory above it; run the command"):
        find_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "where"),
    [("name: x\n", "."), ("name: x\nconfig: conf\n", "conf"), ("name: x\nstackConfigDir: conf\n", "conf")],
)
def test_the_directory_of_stack_files(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(text, encoding="utf-8")
    assert find_project(tmp_path).stack_dir == tmp_path / where


def test_a_project_needs_a_name(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"Pulumi.yaml:1:1: name: a project needs a name"):
        find_project(tmp_path)


def test_stacks_are_the_files_of_their_directory(root: Path) -> None:
    for name in ("b", "a.x", "c"):
        write_stack(root, name, "config: {}\n")
    for other in ("shop.yaml", "Pulumi.yaml", "Pulumi.d.yml", "XPulumi.e.yaml"):
        (root / "stacks" / other).write_text("config: {}\n", encoding="utf-8")
    assert find_project(root).stacks() == ["a.x", "b", "c"]


def test_values_are_text_as_the_engine_presents_them(root: Path) -> None:
    project = write_stack(
        root,
        "dev",
        """
config:
  text: hello
  quoted: "1.30"
  number: 1.30
  whole: 2.0
  count: 3
  flag: true
  none:
  day: 2026-12-31
  vsphere:server: vc.example
  shop:config:old: x
  list: [1, a, null]
  object: {b: 2.0, a: {x: ä}}
""",
    )
    stack = project.stack("dev")
    assert (stack.name, stack.project, stack.path) == ("dev", "shop", root / "stacks" / "Pulumi.dev.yaml")
    assert stack.config == {
        "shop:text": "hello",
        "shop:quoted": "1.30",
        "shop:number": "1.3",
        "shop:whole": "2",
        "shop:count": "3",
        "shop:flag": "true",
        "shop:none": "null",
        "shop:day": "2026-12-31",
        "vsphere:server": "vc.example",
        "shop:old": "x",
        "shop:list": '[1,"a",null]',
        "shop:object": '{"a":{"x":"ä"},"b":2}',
    }
    assert stack.secret_keys == frozenset()


def test_encrypted_values_leave_only_their_keys(root: Path) -> None:
    project = write_stack(
        root,
        "dev",
        "config:\n  a: {secure: CANARY}\n  b: {x: {secure: CANARY}}\n  c: [[{secure: CANARY}]]\n"
        "  d: {secure: CANARY, more: 1}\n  e: {secure: {not: text}}\n",
    )
    stack = project.stack("dev")
    assert stack.secret_keys == {"shop:a", "shop:b", "shop:c"}
    # Pulumi encrypts a text alone under `secure`; anything else is a plain object that has such a key.
    assert {key: json.loads(value) for key, value in stack.config.items()} == {
        "shop:d": {"secure": "CANARY", "more": 1},
        "shop:e": {"secure": {"not": "text"}},
    }


def test_defaults_of_the_project(root: Path) -> None:
    (root / "Pulumi.yaml").write_text(
        """
name: shop
stackConfigDir: stacks
config:
  short: a
  typed: {type: integer, default: 3}
  aws:region: eu
  aws:zone: {value: b}
  listed: [1, 2]
  needed: {type: string}
  secret: {type: string, secret: true, default: x}
""",
        encoding="utf-8",
    )
    project = write_stack(root, "dev", "config:\n  needed: n\n  short: mine\n  secret: {secure: abc}\n")
    stack = project.stack("dev")
    assert stack.config == {
        "shop:short": "mine",
        "shop:typed": "3",
        "aws:region": "eu",
        "aws:zone": "b",
        "shop:listed": "[1,2]",
        "shop:needed": "n",
    }
    assert stack.secret_keys == {"shop:secret"}
    with pytest.raises(InvalidInput, match=r"config: missing: shop:needed; Pulumi.yaml requires a value"):
        write_stack(root, "bare", "config: {}\n").stack("bare")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("config: [1]\n", r"dev.yaml:1:9: config: must be a mapping"),
        ("config:\n  a:b:c: 1\n", r"dev.yaml:2:3: config.a:b:c: not a config key; write `namespace:name`"),
        ("environment: [prod]\n", r"dev.yaml:1:14: environment: config of a Pulumi ESC environment cannot be read"),
        ("config: {a: 1\n", r"dev.yaml:.*not valid YAML"),
    ],
)
def test_faults_are_shown_with_their_place(root: Path, text: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        write_stack(root, "dev", text).stack("dev")


def test_a_stack_by_path(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_stack(root, "dev", "config:\n  a: 1\n")
    monkeypatch.chdir(root)
    for path in (root / "stacks" / "Pulumi.dev.yaml", Path("stacks/Pulumi.dev.yaml"), "stacks/Pulumi.dev.yaml"):
        assert project.stack(path).config == {"shop:a": "1"}
    with pytest.raises(InvalidInput, match=r"stacks/Pulumi.nix.yaml: no such file"):
        project.stack("stacks/Pulumi.nix.yaml")


def test_an_unknown_name_gets_the_nearest(root: Path) -> None:
    with pytest.raises(InvalidInput, match="no stack 'shop'; there is no stack file yet"):
        find_project(root).stack("shop")
    for name in ("shop-vsphere", "shop-equinix"):
        project = write_stack(root, name, "config: {}\n")
    with pytest.raises(InvalidInput, match=r"no stack 'shop-vspere'; did you mean 'shop-vsphere'\?"):
        project.stack("shop-vspere")
    with pytest.raises(InvalidInput, match="no stack 'x'; there are: shop-equinix, shop-vsphere"):
        project.stack("x")


def test_stacks_of_a_spec(root: Path) -> None:
    write_stack(root, "b", "config:\n  isostack:spec: shop\n")
    write_stack(root, "a", "config:\n  isostack:spec: stacks/shop.yml\n")
    write_stack(root, "other", "config:\n  isostack:spec: shopping\n")
    stacks = list(write_stack(root, "none", "config: {}\n").read_all())
    for spec in ("shop", "shop.yaml", "shop.yml", Path("stacks/shop.yaml")):
        assert [stack.name for stack in stacks if isinstance(stack, StackFile) and stack.is_of(spec)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "text", "spec"),
    [
        ("x", "config: [\n  isostack:spec: shop # the shop", "shop"),
        ("x", 'config: {"isostack:spec": "shop", "a": [}', "shop"),
        ("x", "config: [\n  # isostack:spec: edge\n  isostack:spec: stacks/shop.yaml", "shop"),
        ("shop-vsphere", "config: [\n", "shop"),
        ("shop", "", "shop"),
    ],
)
def test_of_which_spec_a_broken_stack_seems_to_be(root: Path, name: str, text: str, spec: str) -> None:
    (broken,) = write_stack(root, name, text).read_all()
    assert isinstance(broken, Broken)
    assert broken.may_belong_to(spec)
    assert broken.may_belong_to(f"stacks/{spec}.yaml")
    assert not broken.may_belong_to("edge")
    assert not broken.may_belong_to("sho")
    assert broken.problems


def test_the_folder_of_stacks_must_be_readable(root: Path) -> None:
    (root / "stacks").rmdir()
    with pytest.raises(InvalidInput, match=r"stacks: the stacks' folder cannot be read: no such file or directory"):
        find_project(root).stacks()


def test_all_faults_of_a_stack_file_at_once(root: Path) -> None:
    text = (
        "confg: {a: 1}\nisostack:spec: shop\nencryptionsalt: v1\nconfig:\n  a:b:c: 1\n  d:e:f: 1\nenvironment: [prod]\n"
    )
    with pytest.raises(InvalidInput) as caught:
        write_stack(root, "dev", text).stack("dev")
    told = {str(problem).partition("Pulumi.dev.yaml:")[2] for problem in caught.value.problems}
    assert told == {
        "1:1: confg: unknown key 'confg'; keys of a stack file: "
        "secretsprovider, encryptedkey, encryptionsalt, config, environment",
        "2:1: isostack:spec: unknown key 'isostack:spec'; write it below config:",
        "5:3: config.a:b:c: not a config key; write `namespace:name`",
        "6:3: config.d:e:f: not a config key; write `namespace:name`",
        "7:14: environment: config of a Pulumi ESC environment cannot be read without a login; "
        "put what the program needs into `config`",
    }
