"""URNs and aliases, against the examples of the engine's own tests and comments."""

from __future__ import annotations

import pytest

from isostack.preview.urn import AliasSpec, Identity, alias_urns, collapse_alias, name_of, qualified_type

PREFIX = "urn:pulumi:dev::shop::"
ROOT = f"{PREFIX}pulumi:pulumi:Stack::shop-dev"
VPC = f"{PREFIX}awsx:ec2:Vpc::newapp"


def identity(parent: str = "", *, type_: str = "aws:s3/bucket:Bucket", name: str = "newapp-function") -> Identity:
    return Identity("dev", "shop", type_, name, parent)


def test_urns() -> None:
    assert identity().urn == identity(ROOT).urn == f"{PREFIX}aws:s3/bucket:Bucket::newapp-function"
    assert identity(VPC).urn == f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket::newapp-function"
    deep = identity(identity(VPC).urn, type_="a:b:C", name="with::colons")
    assert deep.urn == f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket$a:b:C::with::colons"
    assert name_of(deep.urn) == "with::colons"
    assert qualified_type(deep.urn) == "awsx:ec2:Vpc$aws:s3/bucket:Bucket$a:b:C"


@pytest.mark.parametrize(
    ("alias", "urn"),
    [
        (AliasSpec(urn="urn:pulumi:a::b::c::d"), "urn:pulumi:a::b::c::d"),
        (AliasSpec(name="old"), f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket::old"),
        (AliasSpec(type="a:b:C"), f"{PREFIX}awsx:ec2:Vpc$a:b:C::newapp-function"),
        (AliasSpec(no_parent=True), f"{PREFIX}aws:s3/bucket:Bucket::newapp-function"),
        (AliasSpec(parent=ROOT), f"{PREFIX}aws:s3/bucket:Bucket::newapp-function"),
        (AliasSpec(parent=f"{PREFIX}x:y:Z::p"), f"{PREFIX}x:y:Z$aws:s3/bucket:Bucket::newapp-function"),
        (
            AliasSpec(stack="prod", project="old", no_parent=True),
            "urn:pulumi:prod::old::aws:s3/bucket:Bucket::newapp-function",
        ),
        # The engine continues the parent's URN: its stack and project win (CreateURN in alias.go).
        (AliasSpec(stack="prod"), f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket::newapp-function"),
    ],
)
def test_an_alias_stands_for_a_urn(alias: AliasSpec, urn: str) -> None:
    assert collapse_alias(identity(VPC), alias) == urn


def test_a_childs_name_follows_the_renamed_parent() -> None:
    old_vpc = f"{PREFIX}awsx:ec2:Vpc::app"
    assert alias_urns(identity(VPC), [], [old_vpc]) == (f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket::app-function",)
    assert alias_urns(identity(VPC, name="other"), [], [old_vpc]) == (
        f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket::other",
    )


def test_own_and_inherited_aliases_are_multiplied_out_once_each() -> None:
    old_vpc = f"{PREFIX}awsx:old:Vpc::newapp"
    found = alias_urns(identity(VPC), [AliasSpec(name="x"), AliasSpec(name="x")], [old_vpc])
    assert found == (
        f"{PREFIX}awsx:ec2:Vpc$aws:s3/bucket:Bucket::x",
        f"{PREFIX}awsx:old:Vpc$aws:s3/bucket:Bucket::newapp-function",
        f"{PREFIX}awsx:old:Vpc$aws:s3/bucket:Bucket::x",
    )
