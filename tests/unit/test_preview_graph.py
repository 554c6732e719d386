"""The recorded graph of small programs: URNs, parents, values, dependencies, options. The real SDK runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from isostack.preview import UNKNOWN, PreviewFailed, Secret
from tests.unit.preview_programs import named, preview_of

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
PREFIX = "urn:pulumi:dev::shop::"


def test_urns_carry_the_types_of_parents_but_not_the_stack(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        outer = Group("outer")
        inner = Group("inner", opts=ResourceOptions(parent=outer))
        thing = Thing("thing", opts=ResourceOptions(parent=inner))
        Thing("below-custom", opts=ResourceOptions(parent=thing))
        Thing("alone")
        """,
    )
    below_inner = "test:index:Group$test:index:Group$test:index:Thing"
    assert {r.name: (r.urn.removeprefix(PREFIX), r.parent and r.parent.removeprefix(PREFIX), r.custom)
            for r in result.resources} == {
        "shop-dev": ("pulumi:pulumi:Stack::shop-dev", None, False),
        "outer": ("test:index:Group::outer", "pulumi:pulumi:Stack::shop-dev", False),
        "inner": ("test:index:Group$test:index:Group::inner", "test:index:Group::outer", False),
        "thing": (f"{below_inner}::thing", "test:index:Group$test:index:Group::inner", True),
        "below-custom": (f"{below_inner}$test:index:Thing::below-custom", f"{below_inner}::thing", True),
        "alone": ("test:index:Thing::alone", "pulumi:pulumi:Stack::shop-dev", True),
    }  # fmt: skip
    assert [child.name for child in result.children(STACK)] == ["outer", "alone"]
    assert {thing.name for thing in result.of_type("test:index:Thing")} == {"thing", "below-custom", "alone"}
    assert result.by_urn[STACK] is result.resources[0] is result.children(None)[0]


def test_independent_resources_are_in_the_order_of_the_program(tmp_path: Path) -> None:
    result = preview_of(tmp_path, "for i in range(60): Thing(f'thing-{i:02}')")
    assert [resource.name for resource in result.resources[1:]] == [f"thing-{i:02}" for i in range(60)]


def test_values_keep_type_secrecy_and_what_is_unknown(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        first = Thing("first", {"size": 3}, computed=["address"])
        Thing("second", {
            "whole": 4, "part": 0.5, "yes": True, "nothing": None, "list": [1, None, "x"],
            "secret": Output.secret("hunter2"), "nested": {"deep": [Output.secret({"a": 1})]},
            "address": first.address, "text": Output.concat("https://", first.address),
            "secret_unknown": Output.secret(first.address), "id": first.id, "size": first.size,
        })
        """,
    )
    inputs = named(result, "second").inputs
    assert inputs == {
        "whole": 4,
        "part": 0.5,
        "yes": True,
        "list": [1, None, "x"],
        "secret": Secret("hunter2"),
        "nested": {"deep": [Secret({"a": 1})]},
        "address": UNKNOWN,
        "text": UNKNOWN,
        "secret_unknown": Secret(UNKNOWN),
        "id": UNKNOWN,
        "size": 3,
    }
    assert isinstance(inputs["whole"], int)
    assert isinstance(inputs["part"], float)
    assert named(result, "second").outputs == inputs
    assert named(result, "second").id is None


def test_additional_secret_outputs_are_secret_even_while_unknown(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        key = Thing("key", {"size": 2}, ResourceOptions(additional_secret_outputs=["pem", "size"]), computed=["pem"])
        Thing("user", {"pem": key.pem, "size": key.size})
        """,
    )
    assert named(result, "key").outputs == {"pem": Secret(UNKNOWN), "size": Secret(2)}
    assert named(result, "key").inputs == {"size": 2}
    assert named(result, "key").additional_secret_outputs == ("pem", "size")
    assert named(result, "user").inputs == {"pem": Secret(UNKNOWN), "size": Secret(2)}


def test_a_components_outputs_are_what_it_registers(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        group = Group("group", {"size": 1})
        group.register_outputs({"size": 2, "address": Thing("thing", computed=["address"]).address})
        Group("silent", {"size": 1})
        """,
    )
    assert named(result, "group").inputs == {"size": 1}
    assert named(result, "group").outputs == {"size": 2, "address": UNKNOWN}
    assert named(result, "silent").outputs == {}


def test_stack_outputs(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        thing = Thing("thing", computed=["address"])
        pulumi.export("endpoint", thing.address)
        pulumi.export("kubeconfig", Output.secret(thing.address))
        pulumi.export("nodes", [1, 2])
        """,
    )
    assert result.outputs == {"endpoint": UNKNOWN, "kubeconfig": Secret(UNKNOWN), "nodes": [1, 2]}
    assert result.resources[0].outputs == result.outputs
    assert (result.project, result.stack) == ("shop", "dev")


def test_dependencies_for_the_resource_and_for_each_property(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        a, b, c = (Thing(name, computed=["out"]) for name in "abc")
        group = Group("group")
        Thing("inside", opts=ResourceOptions(parent=group))
        Thing("user", {"one": a.out, "both": [a.out, b.out], "none": 1}, ResourceOptions(depends_on=[c, group]))
        """,
    )
    urn = {resource.name: resource.urn for resource in result.resources}
    user = named(result, "user")
    assert user.dependencies == tuple(sorted(urn[name] for name in ("a", "b", "c", "inside")))
    assert user.property_dependencies == {"one": (urn["a"],), "both": (urn["a"], urn["b"])}


def test_options(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        other = Thing("other")
        Thing("thing", opts=ResourceOptions(
            protect=True, delete_before_replace=True, ignore_changes=["a", "b.c"], replace_on_changes=["d"],
            retain_on_delete=True, deleted_with=other, version="1.2.3",
            custom_timeouts=pulumi.CustomTimeouts(create="30m", delete="5m")))
        Thing("adopted", opts=ResourceOptions(import_="vm-12"))
        """,
    )
    thing = named(result, "thing")
    assert (thing.protect, thing.delete_before_replace, thing.retain_on_delete) == (True, True, True)
    assert (thing.ignore_changes, thing.replace_on_changes) == (("a", "b.c"), ("d",))
    assert thing.deleted_with == named(result, "other").urn
    assert thing.custom_timeouts == {"create": "30m", "delete": "5m"}
    assert thing.version == "1.2.3"
    other = named(result, "other")
    assert (other.protect, other.delete_before_replace, other.retain_on_delete) == (False, False, False)
    assert (other.deleted_with, other.custom_timeouts, other.version) == (None, {}, None)
    assert named(result, "adopted").id == "vm-12"


def test_children_inherit_what_the_engine_hands_down(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        class Provider(pulumi.ProviderResource):
            def __init__(self, name):
                super().__init__("test", name)
        other, provider = Thing("other"), Provider("mine")
        group = Group("group", opts=ResourceOptions(
            protect=True, retain_on_delete=True, deleted_with=other, providers=[provider]))
        Thing("child", opts=ResourceOptions(parent=group))
        Thing("free", opts=ResourceOptions(parent=group, protect=False, retain_on_delete=False))
        """,
    )
    child, free = named(result, "child"), named(result, "free")
    assert (child.protect, child.retain_on_delete) == (True, True)
    assert child.deleted_with == named(result, "other").urn
    assert child.provider == named(result, "mine").urn == f"{PREFIX}pulumi:providers:test::mine"
    assert (free.protect, free.retain_on_delete) == (False, False)
    assert named(result, "other").provider is None


def test_aliases_become_urns_and_go_down_to_children(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        group = Group("group", opts=ResourceOptions(aliases=[pulumi.Alias(name="old")]))
        Thing("group-thing", opts=ResourceOptions(parent=group))
        Thing("moved", opts=ResourceOptions(aliases=[pulumi.Alias(parent=group), pulumi.Alias(type_="test:index:Old")]))
        Thing("up", opts=ResourceOptions(parent=group, aliases=[pulumi.Alias(parent=None), "urn:pulumi:x::y::z::w"]))
        """,
    )
    assert named(result, "group").aliases == (f"{PREFIX}test:index:Group::old",)
    assert named(result, "group-thing").aliases == (f"{PREFIX}test:index:Group$test:index:Thing::old-thing",)
    assert named(result, "moved").aliases == (
        f"{PREFIX}test:index:Group$test:index:Thing::moved",
        f"{PREFIX}test:index:Old::moved",
    )
    assert named(result, "up").aliases[:2] == (f"{PREFIX}test:index:Thing::up", "urn:pulumi:x::y::z::w")


def test_data_sources_and_read_resources_are_unknown(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        answer = pulumi.runtime.invoke_output("test:index:getThing", {"name": "x"})
        Thing("user", {"answer": answer["id"], "whole": answer})
        read = Thing("read", {"hint": 1}, ResourceOptions(id="vm-7"), computed=["address"])
        Thing("reader", {"id": read.id, "address": read.address, "hint": read.hint})
        reference = pulumi.StackReference("org/net/prod")
        Thing("remote", {"vlan": reference.get_output("vlan")})
        """,
    )
    assert named(result, "user").inputs == {"answer": UNKNOWN, "whole": UNKNOWN}
    read = named(result, "read")
    assert (read.external, read.id, read.inputs, read.outputs) == (True, "vm-7", {"hint": 1}, {})
    assert named(result, "reader").inputs == {"id": "vm-7", "address": UNKNOWN, "hint": UNKNOWN}
    assert named(result, "reader").dependencies == (read.urn,)
    assert named(result, "remote").inputs == {"vlan": UNKNOWN}
    assert {r.name for r in result.resources if r.external} == {"read", "org/net/prod"}


def test_resources_and_assets_as_inputs(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        first = Thing("first")
        Thing("user", {"ref": first, "group": Group("group"), "text": pulumi.StringAsset("hello"),
                       "files": pulumi.AssetArchive({"a": pulumi.FileAsset("./a.txt")})})
        """,
    )
    inputs = named(result, "user").inputs
    assert inputs["ref"] == {"urn": named(result, "first").urn, "id": UNKNOWN}
    assert inputs["group"] == {"urn": named(result, "group").urn}
    assert inputs["text"] == {"text": "hello"}
    assert inputs["files"] == {"assets": {"a": {"path": "./a.txt"}}}


def test_a_resource_that_comes_back_as_an_output_still_has_its_properties(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        import pulumi_vsphere as vsphere
        thing = Thing("thing", {"folder": vsphere.Folder("folder", path="nodes", type="vm")})
        folder = thing.folder
        Thing("user", {"path": folder.apply(lambda it: it.path), "id": folder.apply(lambda it: it.id)})
        """,
    )
    assert named(result, "user").inputs == {"path": "nodes", "id": UNKNOWN}


def test_the_providers_of_the_reference_architecture(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        import pulumi_command, pulumi_kubernetes, pulumi_random, pulumi_tls
        key = pulumi_tls.PrivateKey("key", algorithm="ED25519")
        token = pulumi_random.RandomPassword("token", length=16)
        ready = pulumi_command.local.Command("ready", create=token.result)
        cluster = pulumi_kubernetes.Provider("cluster", kubeconfig=key.private_key_pem)
        pulumi_kubernetes.helm.v3.Release("cilium", chart="cilium", opts=ResourceOptions(provider=cluster))
        """,
    )
    assert named(result, "key").outputs["privateKeyPem"] == Secret(UNKNOWN)
    assert named(result, "ready").inputs == {"create": Secret(UNKNOWN)}
    assert named(result, "cluster").inputs == {"kubeconfig": Secret(UNKNOWN)}
    assert named(result, "cilium").provider == named(result, "cluster").urn


def test_an_asynchronous_program(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        import asyncio
        async def main():
            text = await asyncio.to_thread(lambda: "from a thread")
            return {"text": text, "urn": Thing(await Thing("first").urn.future() and "second").urn}
        pulumi.run(main)
        """,
    )
    assert result.outputs == {"text": "from a thread", "urn": f"{PREFIX}test:index:Thing::second"}


def test_each_resource_knows_its_line(tmp_path: Path) -> None:
    result = preview_of(tmp_path, "Group('one')\nThing('two',\n  {'a': 1})\nfor i in '3':\n  Thing(i)\n")
    assert [r.source for r in result.resources] == [None, "program.py:2", "program.py:3", "program.py:6"]


def test_hooks_and_transformations(tmp_path: Path) -> None:
    result = preview_of(
        tmp_path,
        """
        def note(args): print("never run")
        hook = pulumi.ResourceHook("note", note, opts=pulumi.ResourceHookOptions(on_dry_run=True))
        def bigger(args):
            return pulumi.ResourceTransformationResult({**args.props, "size": 2}, args.opts)
        Thing("thing", {"size": 1}, ResourceOptions(
            transformations=[bigger], hooks=pulumi.ResourceHookBinding(before_create=[hook], after_delete=[hook])))
        """,
    )
    assert named(result, "thing").inputs == {"size": 2}
    assert result.messages == ()


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        (
            "Thing('a')\nThing('b')\nThing('a')",
            f"Duplicate resource URN '{PREFIX}test:index:Thing::a'; try giving it a unique name"
            " (first created at program.py:2, again at program.py:4)",
        ),
        (
            "ComponentResource('test:index:Chart', 'chart', {}, None, True)",
            "test:index:Chart 'chart' is a remote component",
        ),
        ("pulumi.runtime.call('test:index:Thing/method', {}, Thing('a'))", "test:index:Thing/method is a method"),
        (
            "Thing('a', opts=ResourceOptions(transforms=[lambda args: None]))",
            "resource transforms run inside the engine",
        ),
        (
            "try: pulumi.runtime.register_resource_transform(lambda args: None)\nexcept Exception: pass",
            "resource transforms run inside the engine",
        ),
    ],
)
def test_what_the_engine_would_not_take_is_refused(tmp_path: Path, program: str, complaint: str) -> None:
    with pytest.raises(PreviewFailed) as failed:
        preview_of(tmp_path, program)
    assert failed.value.text.startswith(complaint)
    assert "Traceback" not in failed.value.text
