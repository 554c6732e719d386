"""Site tinkerbell: the objects that become of a plan, what may replace them, and where secrets go."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pydantic import SecretStr

from components.plan import MachinePlan, Plan
from components.planning import wanted_machines
from components.spec import Spec
from components.tinkerbell.config import Config
from components.tinkerbell.inventory import Bmc
from components.tinkerbell.plan import assign
from components.tinkerbell.site import Site
from components.tinkerbell.template import netplan
from tests.unit.test_tinkerbell import config, hosts, spec

REQUIRED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data/tinkerbell-required.yaml").read_text("utf-8"))
USER_DATA, FROM_CONFIG, FROM_ROW, KUBECONFIG = "#cloud-config secret", "config-secret", "row-secret", "kube-secret"
ROWS = ("c1 a s control-plane", "w1 a s web", "w2* a s web", "x1 a l", "x2* a l")
WANTED = spec({"web": 2})


def site_config(**changes: Any) -> Config:
    """The BMC of c1 has its own account, the others that of the config; w2 and x2 have no BMC."""
    them = hosts(*ROWS)
    them[0] = replace(them[0], bmc=Bmc("10.9.0.11", "root", SecretStr(FROM_ROW)))
    return config(them, **changes)


def plan(wanted: Spec, target: Config) -> Plan:
    machines = wanted_machines(wanted)
    assignment = assign(wanted, target, machines)
    return Plan(
        spec=wanted,
        target=target,
        machines=tuple(map(MachinePlan, machines, assignment.places, assignment.platforms)),
        endpoint=assignment.endpoint,
        realisations=(),
        sites=(assignment.site,),
        addons=(),
        reasons=(),
    )


class Cloud(Mocks):
    """A Tinkerbell in which every Workflow ends in one state."""

    def __init__(self, state: str) -> None:
        self.state = state

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        told: dict[str, dict[str, Any]] = {
            "Workflow": {"status": {"state": self.state}},
            "RandomUuid": {"result": f"uuid-of-{args.name}"},
        }
        return f"{args.name}-id", {**args.inputs, **told.get(args.typ.rpartition(":")[2], {})}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the site looks up {args.token}")


class Recorder(MockMonitor):
    """Keeps what the engine would be asked, by kind and resource name."""

    def __init__(self, state: str) -> None:
        super().__init__(Cloud(state))
        self.requests: dict[tuple[str, str], Any] = {}

    def RegisterResource(self, request: Any) -> Any:
        self.requests[request.type.rpartition(":")[2], request.name] = request
        return super().RegisterResource(request)

    def names(self, kind: str) -> list[str]:
        return sorted(name for found, name in self.requests if found == kind)

    def object(self, kind: str, name: str) -> dict[str, Any]:
        """The object with its secrets in clear."""
        return dict(_clear(rpc.deserialize_properties(self.requests[kind, name].object)))

    def parent(self, kind: str, name: str) -> str:
        return str(self.requests[kind, name].parent).rpartition("::")[2]

    def dependencies(self, kind: str, name: str) -> set[tuple[str, str]]:
        urns = (urn.rpartition("$")[2] for urn in self.requests[kind, name].dependencies)
        return {(urn.rpartition("::")[0].rpartition(":")[2], urn.rpartition("::")[2]) for urn in urns}


def _clear(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _clear(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _clear(item) for key, item in value.items()}
    return [_clear(item) for item in value] if isinstance(value, list) else value


def build(
    target: Config | None = None, wanted: Spec = WANTED, state: str = "SUCCESS"
) -> tuple[Recorder, dict[str, Any]]:
    """Create the site and all its machines; also the endpoint and each machine's id and address."""
    recorder, outputs = Recorder(state), dict[str, Any]()
    pulumi.runtime.set_mocks(Cloud(state), preview=False, monitor=recorder)
    pulumi.runtime.set_all_config(
        {
            "kubernetes:kubeconfig": KUBECONFIG,
            "isostack:bmcUsername": "admin",
            "isostack:bmcPassword": FROM_CONFIG,
        }
    )
    whole = plan(wanted, target or site_config())

    @pulumi.runtime.test
    def program() -> Any:
        site = Site(whole, pulumi.ComponentResource("isostack:index:Site", "site"))
        made = {}
        for machine in whole.machines:
            component = pulumi.ComponentResource("isostack:index:Machine", machine.name)
            made[machine.name] = site.machine(machine, pulumi.Output.secret(USER_DATA), component)
        site.finish(made)
        known = {name: pulumi.Output.all(machine.id, machine.address) for name, machine in made.items()}
        return pulumi.Output.all(endpoint=site.endpoint, **known).apply(outputs.update)

    program()
    return recorder, outputs


def faults(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    """What the API server would refuse, or drop without a word."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": (int, float),
        "boolean": bool,
    }
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return [f"{path} is no {schema['type']}: {value!r}"]
    found = [f"{path} lacks {name}" for name in schema.get("required", ()) if name not in value]
    if "pattern" in schema and not re.search(schema["pattern"], str(value)):
        found.append(f"{path} is {value!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path} is {value!r}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for key, item in value.items():
            if inner := known.get(key, schema.get("additionalProperties")):
                found += faults(item, inner, f"{path}.{key}")
            else:
                found.append(f"{path} has no {key}")
    if isinstance(value, list):
        found += [fault for i, item in enumerate(value) for fault in faults(item, schema["items"], f"{path}[{i}]")]
    return found


def test_what_is_created() -> None:
    recorder, outputs = build()
    assert recorder.names("Hardware") == ["c1", "w1", "w2", "x1", "x2"]
    assert recorder.names("Machine")[:3] == ["bmc-c1", "bmc-w1", "bmc-x1"]
    assert recorder.names("Secret") == ["bmc-c1-auth", "bmc-w1-auth", "bmc-x1-auth"]
    assert recorder.names("Template") == ["t"]
    assert recorder.names("Workflow") == ["c1", "w1", "w2"]
    assert outputs == {
        "endpoint": "10.0.0.10",
        "t-control-plane-0": ["c1", "10.0.0.11"],
        "t-web-0": ["w1", "10.0.0.12"],
        "t-web-1": ["w2", "10.0.0.13"],
    }


@pytest.mark.parametrize("kind", REQUIRED)
def test_objects_are_valid(kind: str) -> None:
    target = site_config()
    tagged = tuple(replace(host, vlan=160) for host in target.hosts)
    recorder, _ = build(target.model_copy(update={"inventory": replace(target.inventory, hosts=tagged)}))
    names = [name for name in recorder.names(kind) if recorder.requests[kind, name].custom]
    assert names
    for name in names:
        body = recorder.object(kind, name)
        assert body["metadata"]["namespace"] == "tinkerbell"
        assert faults(body["spec"], REQUIRED[kind], f"{kind} {name}") == []


def test_the_hardware_of_a_machine() -> None:
    recorder, _ = build()
    body = recorder.object("Hardware", "w1")
    assert body["metadata"]["labels"] == {
        "topology.kubernetes.io/zone": "a",
        "class": "s",
        "pool": "web",
        "v1alpha1.tinkerbell.org/ownerName": "t",
    }
    assert body["spec"] == {
        "bmcRef": {"apiGroup": "bmc.tinkerbell.org", "kind": "Machine", "name": "bmc-w1"},
        "disks": [{"device": "/dev/sda"}],
        "resources": {"cpu": "8", "memory": "32Gi"},
        "metadata": {"instance": {"id": "uuid-of-t-web-0-g1", "hostname": "t-web-0"}},
        "interfaces": [
            {
                "dhcp": {
                    "mac": "02:00:00:00:00:0c",
                    "hostname": "t-web-0",
                    "arch": "x86_64",
                    "uefi": True,
                    "lease_time": 4294967294,
                    "name_servers": ["10.0.0.2"],
                    "ip": {"address": "10.0.0.12", "netmask": "255.255.0.0", "gateway": "10.0.0.1", "family": 4},
                },
                "netboot": {"allowPXE": False},
            }
        ],
        "userData": USER_DATA,
    }


def test_a_spare_is_known_and_never_booted() -> None:
    recorder, _ = build()
    spare = recorder.object("Hardware", "x1")["spec"]
    assert "userData" not in spare
    assert "metadata" not in spare
    assert spare["interfaces"][0]["netboot"] == {"allowPXE": False}
    assert {
        recorder.parent(*key) for key in [("Hardware", "x1"), ("Machine", "bmc-x1"), ("Secret", "bmc-x1-auth")]
    } == {"site"}
    # Without a machine behind it a silent BMC must not stop an `up`.
    assert "annotations" not in recorder.object("Machine", "bmc-x1")["metadata"]


def test_the_workflow_images_once_for_each_generation() -> None:
    for generation in (1, 2):
        recorder, _ = build(site_config(generations={"t-web-0": generation}))
        body, request = recorder.object("Workflow", "w1"), recorder.requests["Workflow", "w1"]
        assert body["metadata"]["name"] == f"w1-g{generation}"
        assert body["spec"] == {
            "templateRef": "t",
            "hardwareRef": "w1",
            "hardwareMap": {"mac": "02:00:00:00:00:0c", "netplan": netplan(site_config().hosts[1])},
            "bootOptions": {"toggleAllowNetboot": True, "bootMode": "netboot"},
        }
        assert request.replacement_trigger.string_value == f"t-web-0-g{generation}"
        assert list(request.ignoreChanges) == ["spec", "metadata.namespace"]
        assert request.deleteBeforeReplace
        assert request.customTimeouts.create == "2h"
    assert "'FAILED'" in body["metadata"]["annotations"]["pulumi.com/waitFor"]


def test_a_host_without_bmc_waits_for_a_person() -> None:
    recorder, _ = build()
    assert recorder.object("Workflow", "w2")["spec"]["bootOptions"] == {"toggleAllowNetboot": True}
    assert "bmcRef" not in recorder.object("Hardware", "w2")["spec"]


def test_changed_user_data_or_network_touches_no_running_host() -> None:
    recorder, _ = build()
    assert list(recorder.requests["Hardware", "w1"].ignoreChanges) == [
        "spec.userData",
        "spec.interfaces",
        "spec.metadata",
        "metadata.namespace",
    ]


def test_another_namespace_moves_neither_bmc_nor_credentials() -> None:
    """Nor does it turn the one away from the other."""
    recorder, _ = build()
    for name in recorder.names("Secret"):
        assert list(recorder.requests["Secret", name].ignoreChanges) == ["metadata.namespace"]
    bmcs = [name for name in recorder.names("Machine") if name.startswith("bmc-")]
    assert len(bmcs) == 3
    for name in bmcs:
        ignored = list(recorder.requests["Machine", name].ignoreChanges)
        assert ignored == ["spec.connection.authSecretRef.namespace", "metadata.namespace"]


def test_a_host_that_changes_hands_is_made_anew() -> None:
    """From spare to machine, from one machine to another: a trigger that was never set would not count."""
    recorder, _ = build()
    triggers = {
        name: recorder.requests["Hardware", name].replacement_trigger.string_value for name in ("c1", "w1", "x1", "x2")
    }
    assert triggers == {"c1": "t-control-plane-0-g1", "w1": "t-web-0-g1", "x1": "spare", "x2": "spare"}
    assert all(recorder.requests["Hardware", name].deleteBeforeReplace for name in triggers)


def test_spares_and_machines_find_each_others_objects() -> None:
    """Otherwise a spare's Hardware would be created a second time, and then deleted."""
    recorder, _ = build()

    def alias(kind: str, name: str) -> str:
        (alias,) = recorder.requests[kind, name].aliases
        return str(alias.spec.parentUrn).rpartition("::")[0].rpartition(":")[2]

    for kind, name in (("Hardware", "{}"), ("Machine", "bmc-{}"), ("Secret", "bmc-{}-auth")):
        assert alias(kind, name.format("w1")) == "Site"
        assert alias(kind, name.format("x1")) == "Machine"


def test_parents_and_what_must_be_there_before() -> None:
    recorder, _ = build()
    for key in (("Hardware", "w1"), ("Machine", "bmc-w1"), ("Secret", "bmc-w1-auth"), ("Workflow", "w1")):
        assert recorder.parent(*key) == "t-web-0"
    assert recorder.parent("Template", "t") == "site"
    assert recorder.dependencies("Machine", "bmc-w1") >= {("Secret", "bmc-w1-auth")}
    assert recorder.dependencies("Workflow", "w1") >= {("Template", "t"), ("Hardware", "w1"), ("Machine", "bmc-w1")}
    machine = recorder.object("Machine", "bmc-w1")
    assert machine["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Contactable"}
    assert machine["spec"]["connection"]["authSecretRef"] == {"name": "bmc-w1-auth", "namespace": "tinkerbell"}


def test_everything_goes_to_the_cluster_of_the_kubeconfig() -> None:
    recorder, _ = build()
    provider = recorder.object("kubernetes", "t-tinkerbell")
    assert provider == {"kubeconfig": KUBECONFIG, "clusterIdentifier": "t-tinkerbell"}
    for (kind, _name), request in recorder.requests.items():
        if request.type.startswith("kubernetes:"):
            assert "t-tinkerbell" in request.provider, kind


def test_credentials_of_the_row_come_before_those_of_the_config() -> None:
    recorder, _ = build()
    assert recorder.object("Secret", "bmc-c1-auth")["stringData"] == {"username": "root", "password": FROM_ROW}
    assert recorder.object("Secret", "bmc-x1-auth")["stringData"] == {"username": "admin", "password": FROM_CONFIG}


def test_no_secret_stands_in_clear() -> None:
    recorder, _ = build()

    def plain(value: Any) -> Any:
        if rpc.is_rpc_secret(value):
            return "[secret]"
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    for (kind, name), request in recorder.requests.items():
        text = json.dumps(plain(rpc.deserialize_properties(request.object)))
        whole = json.dumps(MessageToDict(request))
        assert ("[secret]" in text) == any(secret in whole for secret in (USER_DATA, FROM_CONFIG, FROM_ROW, KUBECONFIG))
        for secret in (USER_DATA, FROM_CONFIG, FROM_ROW, KUBECONFIG):
            assert secret not in text, (kind, name)


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT"])
def test_a_workflow_that_ends_badly_stops_the_update(state: str) -> None:
    with pytest.raises(
        Exception, match=rf"could not image \w+: Workflow \w+-g1 ended as {state}.*generations: {{t-.*: 2}}"
    ):
        build(state=state)
