"""What the raw resources get once everything is known: the SDK's mocks in place of the engine, the real components."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components import bootstrap, settings, targets
from components.bootstrap.late import Late
from components.cluster import Cluster
from components.load import load_target
from components.plan import Plan, Ref, Release, Template
from components.planning import make_plan
from tests.configs import config_data, config_for
from tests.specs import rich

ADDRESS = "203.0.113.7"


class Known(Mocks):
    """Every output has a value, and each value names what it is of."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        name, kind = args.name, args.typ.rpartition(":")[2]
        made: dict[str, dict[str, Any]] = {
            "PrivateKey": {"privateKeyPem": f"key {name}", "publicKeyPem": f"public {name}"},
            "SelfSignedCert": {"certPem": f"certificate {name}"},
            "LocallySignedCert": {"certPem": f"certificate {name}"},
            "CertRequest": {"certRequestPem": f"request {name}"},
            "RandomBytes": {"base64": f"bytes {name}"},
            "RandomString": {"result": f"string {name}"},
            "RandomPassword": {"result": f"password {name}"},
            "RandomUuid": {"result": f"uuid {name}"},
            "ReservedIpBlock": {"address": ADDRESS},
            "Device": {"accessPrivateIpv4": "10.66.0.5"},
            "VirtualMachine": {"uuid": f"uuid {name}"},
            "Workflow": {"status": {"state": "SUCCESS"}},
        }
        return f"id {name}", {**args.inputs, **made.get(kind, {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Each answer names what was asked, and by which function."""
        asked = f"{args.token.rpartition(':')[2].removeprefix('get')} {args.args['name']}"
        found = {"id": asked, "resourcePoolId": f"pool of {asked}", "guestId": "ubuntu64Guest", "firmware": "efi"}
        return found, []


@dataclass(frozen=True)
class Made:
    """A resource as the engine was asked to make it."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    property_dependencies: dict[str, tuple[str, ...]]
    trigger: Any


def open_(value: Any) -> Any:
    """The value with its secrets in clear."""
    if rpc.is_rpc_secret(value):
        return open_(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: open_(item) for key, item in value.items()}
    return [open_(item) for item in value] if isinstance(value, list) else value


class Recorder(MockMonitor):
    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.made: list[Made] = []

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        from_ = {key: tuple(value.urns) for key, value in request.propertyDependencies.items()}
        inputs = open_(rpc.deserialize_properties(request.object))
        trigger = request.replacement_trigger
        born = trigger.string_value or trigger.number_value or None
        self.made.append(Made(answer.urn, request.type, request.name, inputs, from_, born))
        return answer


def create(plan: Plan, mocks: Mocks | None = None) -> list[Made]:
    recorder = Recorder(mocks or Known())
    pulumi.runtime.set_mocks(recorder.mocks, preview=False, monitor=recorder)
    pulumi.runtime.set_all_config({ref.name: "x" for ref in settings.of_plan(plan)})

    @pulumi.runtime.test
    def program() -> Any:
        return Cluster(plan).outputs()["machines"]

    program()
    # The first program of a process has a root stack too.
    return [made for made in recorder.made if made.type != "pulumi:pulumi:Stack"]


@pytest.mark.parametrize("kind", targets.kinds())
def test_every_machine_gets_the_user_data_that_the_plan_renders(kind: str) -> None:
    spec = rich()
    # Whether machines are pinned is another test's: an `up` refuses those that are not.
    plan, raw = replace(make_plan(spec, config_for(kind, spec)), unpinned=()), targets.raw(kind)
    shown = dict(raw.machines(create(plan)))
    keys = {field: f"key shop-{name}" for field, name in _AUTHORITIES.items()}
    certificates = {field.replace("key", "crt"): f"certificate shop-{name}" for field, name in _AUTHORITIES.items()}
    late = Late(
        endpoint=plan.endpoint or ADDRESS,
        sa_pub="public shop-sa",
        sa_key="key shop-sa",
        encryption_key="bytes shop-encryption",
        token="string shop-token-id.password shop-token",
        **keys,
        **certificates,
    )
    assert shown.keys() == {machine.name for machine in plan.machines}
    for machine in plan.machines:
        carried = raw.decode(shown[machine.name].user_data)
        assert carried == bootstrap.render(plan, machine, late)
        assert shown[machine.name].zone == machine.wanted.zone


_AUTHORITIES = {"ca_key": "ca", "etcd_ca_key": "etcd-ca", "front_proxy_ca_key": "front-proxy-ca"}


def test_each_vm_is_made_of_what_the_config_names() -> None:
    spec = rich()
    data = config_data("vsphere", spec, Path())
    plan = make_plan(spec, load_target({**data, "storagePolicy": "gold"}, Path(), None, spec))
    made = {(r.type.rpartition(":")[2], r.name): r.inputs for r in create(plan)}
    for machine in plan.machines:
        vm = made["VirtualMachine", machine.name]
        assert vm["hostSystemId"] == f"Host {machine.place.host}"
        assert vm["datastoreId"] == "Datastore ds"
        assert vm["storagePolicyId"] == vm["disks"][0]["storagePolicyId"] == "Policy gold"
        assert [nic["networkId"] for nic in vm["networkInterfaces"]] == ["Network n"]
        assert vm["clone"]["templateUuid"] == "VirtualMachine t"
        assert made["DrsVmOverride", machine.name]["computeClusterId"] == "ComputeCluster c"
    assert made["ResourcePool", "shop"]["parentResourcePoolId"] == "pool of ComputeCluster c"
    assert made["Folder", "shop"]["datacenterId"] == "Datacenter dc"
    for zone in spec.zones:
        hosts = [f"Host {host.name}" for host in plan.sites[0].hosts if host.zone == zone]
        assert made["ComputeClusterHostGroup", f"shop-{zone}"]["hostSystemIds"] == hosts


def test_a_vm_gets_its_own_name_address_and_network_by_guestinfo() -> None:
    spec = rich()
    data = config_data("vsphere", spec, Path())
    config = load_target({**data, "generations": {"shop-web-1": 3}}, Path(), None, spec)
    plan = make_plan(spec, config)
    made = {r.name: r.inputs for r in create(plan) if r.type.endswith(":VirtualMachine")}
    for machine in plan.machines:
        carried = made[machine.name]["extraConfig"]
        assert carried["guestinfo.metadata.encoding"] == "base64"
        assert carried["guestinfo.userdata.encoding"] == "gzip+base64"
        assert json.loads(base64.b64decode(carried["guestinfo.metadata"])) == {
            "instance-id": f"{machine.name}-g{3 if machine.name == 'shop-web-1' else 1}",
            "local-hostname": machine.name,
            "redact": ["userdata"],
            "network": {
                "version": 2,
                "ethernets": {
                    "nodes": {
                        "match": {"name": "e*"},
                        "addresses": [f"{machine.place.address}/16"],
                        "routes": [{"to": "default", "via": "10.0.0.1"}],
                        "nameservers": {"addresses": ["10.0.0.53"]},
                    }
                },
            },
        }
    addresses = {str(machine.place.address) for machine in plan.machines}
    assert len(addresses) == len(plan.machines)
    assert plan.endpoint not in addresses


@pytest.mark.parametrize("kind", targets.kinds())
def test_a_generation_builds_its_machine_anew_and_no_other(kind: str) -> None:
    spec = rich()
    config = config_for(kind, spec)
    raised = config.model_copy(update={"generations": {"shop-web-1": 2}})
    before, after = (
        {(r.type, r.name): r.trigger for r in create(replace(make_plan(spec, each), unpinned=()))}
        for each in (config, raised)
    )
    assert before.keys() - after.keys() <= {key for key in before if key[1].endswith("-g1")}
    moved = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    (place,) = (m.place for m in make_plan(spec, config).machines if m.name == "shop-web-1")
    assert {name for _, name in moved} == {place.host if place.address and kind != "vsphere" else "shop-web-1"}
    assert sum(trigger is not None for trigger in before.values()) >= len(make_plan(spec, config).machines)


def test_the_admin_s_kubeconfig_is_that_of_the_cluster() -> None:
    spec = rich()
    plan = make_plan(spec, config_for("vsphere", spec))
    (provider,) = (r for r in create(plan) if r.type == "pulumi:providers:kubernetes")
    kubeconfig = json.loads(provider.inputs["kubeconfig"])
    (cluster,), (user,) = kubeconfig["clusters"], kubeconfig["users"]

    def opened(text: str) -> str:
        return base64.b64decode(text).decode()

    assert cluster["cluster"]["server"] == f"https://{plan.endpoint}:6443"
    assert opened(cluster["cluster"]["certificate-authority-data"]) == "certificate shop-ca"
    assert opened(user["user"]["client-certificate-data"]) == "certificate shop-admin"
    assert opened(user["user"]["client-key-data"]) == "key shop-admin"
    assert [c["context"] for c in kubeconfig["contexts"]] == [{"cluster": cluster["name"], "user": user["name"]}]
    signed = next(r.inputs for r in create(plan) if r.type.endswith(":LocallySignedCert"))
    assert (signed["caCertPem"], signed["caPrivateKeyPem"]) == ("certificate shop-ca", "key shop-ca")


@pytest.mark.parametrize("kind", targets.kinds())
def test_each_setting_goes_where_its_name_says(kind: str) -> None:
    """Every value of the Pulumi config is its key: swapped credentials would be seen nowhere else."""
    spec = rich()
    plan = make_plan(spec, config_for(kind, spec))
    for addon in plan.addons:
        for thing in addon.objects:
            for path, ref in refs(thing.values if isinstance(thing, Release) else thing.body):
                word = ref.name.rpartition(":")[2]
                place = path.lower().replace("_", "").replace("-", "")
                if ref == Ref.to_machine(name := ref.name.partition("/")[2]):
                    assert path.endswith(f".{name}"), (addon.name, path, ref.name)
                    continue
                assert re.search(WORDS.get(word, word), place), (addon.name, path, ref.name)


WORDS = {
    "accessKey": "(?<!secret)accesskey",
    "secretKey": "secret(access)?key",
    "bmcUsername": "username",
    "bmcPassword": "bmcpassword",
    # The API's own address stands under many names, and Equinix' controller reads one text of JSON.
    **dict.fromkeys(("endpoint", "authToken", "project"), ""),
}


def refs(value: Any, path: str = "") -> Iterator[tuple[str, Ref]]:
    """The references in an object, each with the path that it stands at; in a text, with the words before it too."""
    if isinstance(value, Ref):
        yield path, value
    elif isinstance(value, Template):
        for name, ref in value.refs.items():
            before = value.text.partition(f"{{{name}}}")[0].splitlines()
            yield f"{path} {before[-1] if before else ''}", ref
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from refs(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from refs(item, f"{path}.{item.get('name', '')}" if isinstance(item, dict) else path)
