"""The Cluster component: what every target's stack has in common, seen in the previews of the examples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from components import facts
from isostack.preview import UNKNOWN, Preview, Resource, Secret
from tests.examples import previews

STACKS = {preview.stack: preview for spec in ("shop", "edge") for preview in previews(spec)}
FACTS: dict[str, type[facts.Facts]] = {
    facts.CLUSTER: facts.ClusterFacts,
    facts.SITE: facts.SiteFacts,
    facts.MACHINE: facts.MachineFacts,
    facts.PKI: facts.PkiFacts,
    facts.ADDON: facts.AddonFacts,
}


@pytest.fixture(params=list(STACKS.values()), ids=list(STACKS))
def preview(request: pytest.FixtureRequest) -> Preview:
    assert isinstance(request.param, Preview)
    return request.param


def of(preview: Preview, kind: str) -> Iterator[Resource]:
    return (resource for resource in preview.resources if resource.type.rpartition(":")[2] == kind)


def test_neutral_components_register_their_facts_as_inputs_and_outputs(preview: Preview) -> None:
    for token, model in FACTS.items():
        components = preview.of_type(token)
        assert components
        for component in components:
            assert not component.custom
            assert model.of(component.inputs) == model.of(component.outputs)


def test_facts_hold_nothing_secret_or_unknown(preview: Preview) -> None:
    def check(value: object) -> None:
        assert value is not UNKNOWN
        assert not isinstance(value, Secret)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(item)

    for token in FACTS:
        for component in preview.of_type(token):
            check(component.inputs["facts"])


def test_keys_are_protected(preview: Preview) -> None:
    (pki,) = preview.of_type(facts.PKI)
    children = {r.name: r for r in preview.children(pki.urn) if r.type.endswith(("PrivateKey", "SelfSignedCert"))}
    assert {name.split("-", 1)[1]: r.protect for name, r in children.items()} == {
        "ca": True,
        "etcd-ca": True,
        "front-proxy-ca": True,
        "sa": True,
        "admin": False,  # renewed each year
    }
    assert all(r.protect for kind in ("RandomBytes", "RandomPassword", "RandomString") for r in of(preview, kind))


def test_outputs(preview: Preview) -> None:
    assert preview.outputs is not None
    assert set(preview.outputs) == {"endpoint", "kubeconfig", "machines", "equivalence"}
    assert isinstance(preview.outputs["kubeconfig"], Secret)
    machines = preview.outputs["machines"]
    assert machines.keys() == {m.name for m in preview.of_type(facts.MACHINE)}
    cluster = facts.ClusterFacts.of(preview.of_type(facts.CLUSTER)[0].inputs)
    assert sum(preview.outputs["equivalence"].values()) == len(cluster.realisations)


def test_nothing_is_installed_before_the_api_is_ready(preview: Preview) -> None:
    (ready,) = (each for each in of(preview, "Command") if each.name.endswith("-ready"))
    machines = {m.urn for m in preview.of_type(facts.MACHINE)}
    assert machines == {
        preview.by_urn[urn].parent for urn in ready.dependencies if preview.by_urn[urn].parent in machines
    }
    (provider,) = (r for r in preview.resources if r.type == "pulumi:providers:kubernetes" and r.name.count("-") == 0)
    for addon in preview.of_type(facts.ADDON):
        for resource in preview.children(addon.urn):
            # What is no object of the cluster does not wait for it.
            if resource.type.startswith("kubernetes:"):
                assert ready.urn in resource.dependencies
                assert resource.provider == provider.urn


def test_the_bodies_of_secrets_are_secret(preview: Preview) -> None:
    for resource in of(preview, "Secret"):
        for part in ("data", "stringData"):
            value = resource.inputs.get(part)
            if value is not None and not isinstance(value, Secret):
                assert all(isinstance(item, Secret) for item in value.values()), resource.name


def test_a_running_machine_survives_new_user_data(preview: Preview) -> None:
    """Whatever carries the user data ignores its changes, and a machine is deleted before it is built anew."""
    carriers = {"VirtualMachine": "extraConfig", "Device": "userData", "Hardware": "spec.userData"}
    machines = {machine.urn for machine in preview.of_type(facts.MACHINE)}
    found = [(r, path) for kind, path in carriers.items() for r in of(preview, kind) if r.parent in machines]
    assert len(found) == len(machines)
    for resource, path in found:
        assert path in resource.ignore_changes, resource.name
