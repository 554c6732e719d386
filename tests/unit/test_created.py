"""What the raw resources get once everything is known: the SDK's mocks in place of the engine, the real components."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components import bootstrap, settings, targets
from components.bootstrap.late import Late
from components.cluster import Cluster
from components.plan import Plan
from components.planning import make_plan
from tests.configs import config_for
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
        name = args.args["name"]
        found = {"id": f"{name}", "resourcePoolId": f"pool {name}", "guestId": "ubuntu64Guest", "firmware": "efi"}
        return found, []


@dataclass(frozen=True)
class Made:
    """A resource as the engine was asked to make it."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    property_dependencies: dict[str, tuple[str, ...]]


def open_(value: Any) -> Any:
    """The value with its secrets in clear."""
    if rpc.is_rpc_secret(value):
        return open_(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: open_(item) for key, item in value.items()}
    return [open_(item) for item in value] if isinstance(value, list) else value


class Recorder(MockMonitor):
    def __init__(self) -> None:
        super().__init__(Known())
        self.made: list[Made] = []

    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)
        from_ = {key: tuple(value.urns) for key, value in request.propertyDependencies.items()}
        inputs = open_(rpc.deserialize_properties(request.object))
        self.made.append(Made(answer.urn, request.type, request.name, inputs, from_))
        return answer


def create(plan: Plan) -> list[Made]:
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder.mocks, preview=False, monitor=recorder)
    pulumi.runtime.set_all_config({ref.name: "x" for ref in settings.of_plan(plan)})

    @pulumi.runtime.test
    def program() -> Any:
        return Cluster(plan).outputs()["machines"]

    program()
    return recorder.made


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


def test_each_vm_starts_on_the_host_of_the_plan_and_each_zone_is_held_on_its_hosts() -> None:
    spec = rich()
    config = config_for("vsphere", spec)
    plan = make_plan(spec, config)
    made = {(r.type.rpartition(":")[2], r.name): r.inputs for r in create(plan)}
    for machine in plan.machines:
        assert made["VirtualMachine", machine.name]["hostSystemId"] == machine.place.host
    for zone in spec.zones:
        hosts = [host.name for host in plan.sites[0].hosts if host.zone == zone]
        assert made["ComputeClusterHostGroup", f"shop-{zone}"]["hostSystemIds"] == hosts
