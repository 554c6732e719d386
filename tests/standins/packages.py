"""The packages that stand-ins serve: their outputs, ids and answers, and what their real providers refuse."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import string
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.standins import certificates
from tests.standins.kubernetes import Kubernetes
from tests.standins.schema import UNKNOWN, Kind, has_unknown, kinds
from tests.standins.server import Refused

Outputs = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]


class FromFacts:
    """A package whose resources stand in a file of facts."""

    def __init__(self, name: str, outputs: Outputs) -> None:
        self._kinds, self._outputs = kinds(name), outputs

    def kind(self, token: str) -> Kind | None:
        return self._kinds.get(token)

    def faults(self, token: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        return []

    def replaces(self, token: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
        return []

    def outputs(self, token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return self._outputs(token, urn, inputs)

    def identity(self, token: str, urn: str, inputs: Mapping[str, Any]) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, urn))

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        raise Refused(f"the stand-in knows no data source {token}")


class VSphere(FromFacts):
    """Data sources find whatever is named: what a site has is not the project's to know."""

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        what = token.rpartition(":")[2].removeprefix("get")
        if "name" not in args:
            raise Refused(f"{token}: a name is wanted")
        found = {"id": f"{what}:{args['name']}", **args}
        if what == "ComputeCluster":
            found["resourcePoolId"] = f"ResourcePool:{args['name']}"
        if what == "VirtualMachine":
            found |= {"guestId": "ubuntu64Guest", "firmware": "efi"}
        return found


def _vsphere(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if not token.endswith(":VirtualMachine"):
        return {}
    return {"uuid": str(uuid.uuid4()), "moid": "vm-1", "powerState": "on"}


def _metal(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    number = int(hashlib.sha256(urn.encode()).hexdigest()[:4], 16)
    last = f"{number >> 8}.{number & 255}"
    kind = token.rpartition(":")[2]
    if kind == "Device":
        return {
            "accessPrivateIpv4": f"10.66.{last}",
            "accessPublicIpv4": f"203.0.{last}",
            "rootPassword": secrets.token_hex(8),
            "state": "active",
        }
    return {"address": f"198.51.{last}", "cidr": 32} if kind == "ReservedIpBlock" else {}


def _random(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    kind = token.rpartition(":")[2]
    if kind == "RandomUuid":
        return {"result": str(uuid.uuid4())}
    length = int(inputs["length"])
    if kind == "RandomBytes":
        made = os.urandom(length)
        return {"base64": base64.b64encode(made).decode(), "hex": made.hex()}
    letters = string.digits + string.ascii_lowercase + (string.ascii_uppercase if inputs.get("upper", True) else "")
    letters += "!@#$%&*()-_=+[]{}<>:?" if inputs.get("special", True) else ""
    return {"result": "".join(secrets.choice(letters) for _ in range(length))}


def _command(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Not run: what the program waits for is not there. That the command could start is looked at."""
    parts = str(inputs.get("create", "")).split()
    if not parts or subprocess.run(["sh", "-c", f"command -v {parts[0]}"], capture_output=True, check=False).returncode:
        raise Refused(f"no such command: {parts[:1]}")
    return {"stdout": "", "stderr": ""}


def _tls(token: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if has_unknown(dict(inputs)):
        raise Refused(f"{urn} is made from what is not known: {UNKNOWN}")
    try:
        return certificates.MAKERS[token.rpartition(":")[2]](inputs)
    except (ValueError, KeyError) as error:
        raise Refused(f"{urn}: {error}") from error


PACKAGES: Mapping[str, Callable[[], Any]] = {
    "command": lambda: FromFacts("command", _command),
    "equinix-metal": lambda: FromFacts("equinix-metal", _metal),
    "kubernetes": Kubernetes,
    "random": lambda: FromFacts("random", _random),
    "tls": lambda: FromFacts("tls", _tls),
    "vsphere": lambda: VSphere("vsphere", _vsphere),
}


def names() -> Iterator[str]:
    yield from PACKAGES
