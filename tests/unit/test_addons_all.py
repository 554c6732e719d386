"""What holds for every add-on: equal on all targets but for what a target may choose, installable, free of secrets."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import given, settings
from pydantic import SecretStr

from components import addons, realise
from components.addons import placement
from components.plan import Manifest, Pem, Ref, Release, Template
from components.planning import wanted_machines
from components.spec import Spec
from tests.addons import (
    ALL,
    DNS_NAME,
    body,
    by_name,
    chosen,
    equinix,
    everything,
    flat,
    leaves,
    neutral,
    objects,
    refs,
    vsphere,
)
from tests.specs import rich, specs


def test_common_add_ons_differ_between_targets_only_where_a_target_may_choose() -> None:
    ours, theirs = addons.common(rich(), vsphere()), addons.common(rich(), equinix())
    assert neutral(ours) == neutral(theirs)
    provisioners = [
        thing.body["provisioner"] for found in (ours, theirs) for thing in by_name(found)["storage-classes"].objects
    ]
    assert len(set(provisioners)) == 2, "the two configs must differ, or the test above says nothing"


@settings(max_examples=30, deadline=None)
@given(specs())
def test_any_spec_has_equal_common_add_ons_on_two_targets(wish: Spec) -> None:
    assert neutral(everything(wish, "vsphere")) == neutral(everything(wish, "equinix"))


@settings(max_examples=30, deadline=None)
@given(specs())
def test_any_spec_has_add_ons_that_can_be_installed(wish: Spec) -> None:
    for kind in ("vsphere", "equinix"):
        found = everything(wish, kind)
        assert found == everything(wish, kind)
        assert len(by_name(found)) == len(found)
        for index, addon in enumerate(found):
            assert set(addon.after) <= {earlier.name for earlier in found[:index]}, addon.name
        seen = Counter((type(t), getattr(t, "kind", ""), t.name, t.namespace) for a in found for t in a.objects)
        assert max(seen.values()) == 1
        for addon in found:
            for thing in addon.objects:
                assert DNS_NAME.fullmatch(thing.name)
                if isinstance(thing, Release):
                    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-rancher\d+)?", thing.version)
                    assert thing.namespace
                    assert thing.repo.startswith("https://") or thing.chart.startswith("oci://")
                else:
                    assert thing.api_version
                    assert thing.kind
                    assert not {"apiVersion", "kind"} & set(thing.body)


def test_add_ons_serve_fields_that_exist() -> None:
    known = set(realise.patterns())
    assert {pattern for addon in ALL for pattern in addon.serves} <= known


def test_a_field_whose_rule_names_an_add_on_is_served_by_one() -> None:
    found = [addon for addon in everything(rich()) if addon.common]
    # A rule names an add-on by its Helm release or by the kind of an object of it.
    words = {name.lower() if kind == "Release" else kind.lower() for kind, name in objects(*found)}
    served = {pattern for addon in found for pattern in addon.serves}
    for leaf in realise.leaves(rich()):
        if leaf.pattern not in realise.SHARED:
            continue
        pattern, mechanism = leaf.pattern, realise.SHARED[leaf.pattern](leaf).mechanism.lower()
        if words & set(re.findall(r"[a-z0-9-]+", mechanism)) or "is-default-class" in mechanism:
            assert pattern in served, (pattern, mechanism)
    assert served >= {
        "kubernetes.cni",
        "tenants.*.name",
        "storage.classes.*.name",
        "backup.etcd.to",
        "monitoring.nodeMetrics",
    }


def test_a_path_that_a_target_may_choose_exists() -> None:
    for addon in ALL:
        for entry in addon.mechanism:
            owner, _, path = entry.partition(":")
            kind, _, name = owner.partition("/")
            bodies = [flat(body(thing)) for (k, n), thing in objects(addon).items() if (k, n) == (kind, name)]
            assert any(found == path or found.startswith((f"{path}.", f"{path}[")) for b in bodies for found in b), (
                entry
            )


def test_the_api_s_address_is_a_choice_of_the_target_wherever_it_stands() -> None:
    places = [(a, thing, path) for a, thing, path, value in leaves(ALL) if "endpoint" in refs(value) and a.common]
    assert {a.name for a, _, _ in places} == {"cilium", "etcd-backup", "velero"}
    assert all(chosen(*place) for place in places)


def test_secrets_are_never_values() -> None:
    for addon, thing, path, value in leaves(ALL):
        last = re.split(r"[.\]]", path)[-1].lower()
        if isinstance(thing, Manifest) and thing.kind == "Secret" and path.startswith("stringData."):
            assert refs(value) or isinstance(value, Pem | SecretStr), (addon.name, path)
        if last in {"password", "username", "apikey", "token", "cloud"}:
            assert refs(value), (addon.name, path)
        if isinstance(value, Template):
            # Whatever is secret comes in from outside: the text holds fields, and no field is left over.
            assert set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", value.text)) == set(value.refs), (addon.name, path)


def test_values_known_later_are_the_endpoint_the_project_or_config_keys() -> None:
    names = {name for *_, value in leaves(ALL) for name in refs(value)}
    machines = {Ref.to_machine(machine.name).name for machine in wanted_machines(rich())}
    assert {name for name in names if ":" not in name} == {"endpoint", "project", *machines}


def test_only_daemons_tolerate_every_taint() -> None:
    """A Deployment or Job that tolerates node.kubernetes.io/unreachable without end never leaves a dead node."""
    for addon in ALL:
        for thing in addon.objects:
            if isinstance(thing, Manifest) and thing.kind in {"Deployment", "CronJob"}:
                assert str(placement.ANY_NODE) not in str(thing.body), addon.name
