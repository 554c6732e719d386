"""The hardware inventory: hosts as frozen data, checked, from the CSV of EKS Anywhere or the same fields in YAML.

The columns [documented] https://anywhere.eks.amazonaws.com/docs/getting-started/baremetal/bare-preparation/. Where we
differ: unknown columns are faults and not ignored; /dev/disk/by-id paths are allowed; a BMC address may stand without
credentials, which then come from the stack's secret config.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from components.networks import nowhere
from components.problems import InvalidInput, Problem
from components.tinkerbell.rows import Cell, Row, read_rows

MAX_FAULTS = 1000
"""More are only counted: a file with so many is no inventory."""


@dataclass(frozen=True, slots=True)
class Bmc:
    """A baseboard management controller. Without credentials those of the stack's secret config count."""

    address: str
    username: str = ""
    password: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Hardware:
    """One physical host. `line` is where its row begins in the file."""

    name: str
    mac: str
    address: str
    netmask: str
    gateway: str
    nameservers: tuple[str, ...]
    disk: str
    vlan: int | None
    labels: Mapping[str, str]
    bmc: Bmc | None
    line: int

    @property
    def network(self) -> IPv4Network:
        return IPv4Interface(f"{self.address}/{self.netmask}").network


@dataclass(frozen=True, slots=True)
class Inventory:
    """The hosts of one file, in its order. `path` is how messages name the file."""

    path: str
    hosts: tuple[Hardware, ...]

    def problem(self, host: Hardware, column: str, what: str, right: str = "") -> Problem:
        """A fault that only the config or the spec shows, at the host's row."""
        return Problem(what, right, (column,), self.path, host.line, 1)


def read_inventory(path: Path) -> Inventory:
    """The inventory at `path`: YAML if its name ends so, else CSV. Raises InvalidInput with every fault of the file."""
    faults: list[Problem] = []
    rows = read_rows(path, faults)
    checker = _Checker(str(path), faults)
    hosts = [checker.hardware(row) for row in rows]
    if faults:
        faults.sort(key=lambda problem: (problem.line, problem.column))
        if len(faults) > MAX_FAULTS:
            faults[MAX_FAULTS:] = [Problem(f"{len(faults) - MAX_FAULTS} more faults", file=str(path))]
        raise InvalidInput(faults)
    return Inventory(str(path), tuple(host for host in hosts if host is not None))


@dataclass(slots=True)
class _Checker:
    """Makes hosts of rows and tells what is wrong with them. `seen`: where a value that must be unique stood first."""

    file: str
    faults: list[Problem]
    seen: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def hardware(self, row: Row) -> Hardware | None:
        """None: the file has faults, of this row or of its header, and they are told."""
        values: dict[str, Any] = {name: self._value(row, name, parse) for name, parse in _PARSERS.items()}
        for name, kind in _UNIQUE.items():
            if values[name] is not None:
                self._unique(row, name, kind, values[name])
        self._subnet(row, values)
        bmc = self._bmc(row)
        if self.faults:
            return None
        return Hardware(
            name=values["hostname"],
            mac=values["mac"],
            address=values["ip_address"],
            netmask=values["netmask"],
            gateway=values["gateway"],
            nameservers=values["nameservers"],
            disk=values["disk"],
            vlan=values["vlan_id"],
            labels=values["labels"],
            bmc=bmc,
            line=row.line,
        )

    def _value(self, row: Row, name: str, parse: Callable[[str], Any]) -> Any:
        """The value of a cell; None where there is none or it is faulty."""
        cell = row.cell(name)
        if not cell.text:
            if name in row.cells and name not in _MAY_BE_EMPTY:
                self._tell(cell, name, "is empty", "every host needs one")
            return {} if name == "labels" else None
        try:
            return parse(cell.text)
        except _Wrong as fault:
            # A row with a password may be shifted by a stray comma: its texts are not repeated.
            subject = "the value" if row.cell("bmc_password").text else repr(_short(fault.subject))
            self._tell(cell, name, f"{subject} {fault.what}", fault.right)
            return None

    def _unique(self, row: Row, name: str, kind: str, value: str) -> None:
        first = self.seen.setdefault((kind, value), (name, row.line))
        if first != (name, row.line):
            column = "" if first[0] == name else f" ({first[0]})"
            what = f"{value} stands twice, first in line {first[1]}{column}"
            self._tell(row.cell(name), name, what, "give each host its own")

    def _subnet(self, row: Row, values: Mapping[str, Any]) -> None:
        if values["ip_address"] is None or values["netmask"] is None:
            return
        host = IPv4Interface(f"{values['ip_address']}/{values['netmask']}")
        if host.ip in (host.network.network_address, host.network.broadcast_address):
            what = f"{host.ip} is the first or last address of its subnet {host.network}"
            self._tell(row.cell("ip_address"), "ip_address", what, "choose one between them")
        if values["gateway"] is None:
            return
        gateway = IPv4Address(values["gateway"])
        if gateway not in host.network:
            what = f"{gateway} is outside the subnet {host.network} of {host.ip}"
            self._tell(row.cell("gateway"), "gateway", what, "name a router inside it, or mend netmask")
        elif gateway == host.ip:
            self._tell(row.cell("gateway"), "gateway", f"{gateway} is the host's own address", "name the router")

    def _bmc(self, row: Row) -> Bmc | None:
        ip, username, password = (row.cell(name).text for name in ("bmc_ip", "bmc_username", "bmc_password"))
        if not ip and (username or password):
            right = "write the BMC's address, or leave username and password empty too"
            self._tell(row.cell("bmc_ip"), "bmc_ip", "is empty, but the row has BMC credentials", right)
        elif bool(username) != bool(password):
            empty, full = ("bmc_username", "bmc_password") if password else ("bmc_password", "bmc_username")
            right = "fill both; or none, then isostack:bmcUsername and isostack:bmcPassword of the stack's config count"
            self._tell(row.cell(empty), empty, f"is empty, but {full} is not", right)
        return Bmc(ip, username, SecretStr(password) if password else None) if ip else None

    def _tell(self, cell: Cell, name: str, what: str, right: str) -> None:
        self.faults.append(Problem(what, right, (name,), self.file, cell.line, cell.column))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


# ---- cells


class _Wrong(ValueError):
    """`subject`, the text of a cell or a part of it, is not what it should be."""

    def __init__(self, subject: str, what: str, right: str) -> None:
        self.subject, self.what, self.right = subject, what, right
        super().__init__(what)


def _hostname(text: str) -> str:
    # A DNS subdomain: it names Kubernetes objects [documented]
    # https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if not re.fullmatch(rf"{label}(\.{label})*", text) or len(text) > 253:
        raise _Wrong(text, "is not a host name", "lower-case letters, digits, dashes and dots, as in fra1-r07-cp01")
    return text


def _mac(text: str) -> str:
    """Normalised to lower case and colons: the only form that the Hardware CRD takes."""
    digits = re.sub(r"[:.-]", "", text.lower())
    forms = r"([0-9a-f]{2}[:-]){5}[0-9a-f]{2}|([0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12}"
    if not re.fullmatch(forms, text.lower()):
        raise _Wrong(text, "is not a MAC address", "six bytes, for example 3c:ec:ef:5a:10:01")
    if int(digits[:2], 16) & 1 or not int(digits, 16):
        raise _Wrong(text, "is not the MAC address of an interface", "a multicast address or zero cannot boot")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _address(text: str) -> str:
    try:
        address = str(IPv4Address(text))
    except ValueError:
        raise _Wrong(text, "is not an IPv4 address", "for example 10.20.40.11") from None
    if special := nowhere(address):
        raise _Wrong(text, f"overlaps {special}", "for example 10.20.40.11")
    return address


def _netmask(text: str) -> str:
    if (prefix := re.fullmatch(r"/?(\d{1,2})", text)) and int(prefix[1]) <= 32:
        mask = IPv4Network(f"0.0.0.0/{prefix[1]}").netmask
        raise _Wrong(text, "is a prefix length", f"write the netmask {mask}")
    try:
        bits = int(IPv4Address(text))
    except ValueError:
        raise _Wrong(text, "is not a netmask", "for example 255.255.254.0") from None
    ones = bits.bit_count()
    if bits != (2**ones - 1) << (32 - ones):
        raise _Wrong(text, "is not a netmask: its ones have gaps", "for example 255.255.254.0")
    if not 8 <= ones <= 30:
        raise _Wrong(text, f"is /{ones}: no network of hosts", "between 255.0.0.0 and 255.255.255.252")
    return text


def _nameservers(text: str) -> tuple[str, ...]:
    return tuple(_address(part) for part in text.split("|"))


def _labels(text: str) -> dict[str, str]:
    """Kubernetes syntax [documented]
    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
    """
    name = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
    found: dict[str, str] = {}
    for part in text.split("|"):
        key, equals, value = part.partition("=")
        if not equals or not re.fullmatch(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{name}", key):
            raise _Wrong(part, "is not a label", "write key=value, several apart by |, for example pool=web|class=m32")
        if not re.fullmatch(rf"({name})?", value):
            raise _Wrong(value, f"is not a value of label {key}", "at most 63 letters, digits, dashes and dots")
        if key in found:
            raise _Wrong(key, "is a label that stands twice", "keep one")
        found[key] = value
    return found


def _disk(text: str) -> str:
    right = "the path of a whole disk, for example /dev/nvme0n1 or /dev/disk/by-id/nvme-eui.0025385b71b0a1c2"
    if not re.fullmatch(r"/dev(/[A-Za-z0-9_.:+@-]+)+", text) or "/.." in text:
        raise _Wrong(text, "is not a device", right)
    # The image goes over whatever is named here: a partition would leave a host that does not boot.
    partition = r"(/dev/(?:sd|vd|xvd)[a-z]+)\d+|(/dev/(?:nvme\d+n\d+|mmcblk\d+))p\d+|(/dev/disk/by-\w+/.+)-part\d+"
    if found := re.fullmatch(partition, text):
        raise _Wrong(text, "is a partition", f"name the whole disk {next(filter(None, found.groups()))}")
    return text


def _vlan(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,3}", text) or int(text) > 4094:
        raise _Wrong(text, "is not a VLAN", "a number from 1 to 4094; leave it empty where frames are untagged")
    return int(text)


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "hostname": _hostname,
    "mac": _mac,
    "ip_address": _address,
    "netmask": _netmask,
    "gateway": _address,
    "nameservers": _nameservers,
    "labels": _labels,
    "disk": _disk,
    "vlan_id": _vlan,
    "bmc_ip": _address,
}
_MAY_BE_EMPTY = ("labels", "vlan_id", "bmc_ip")
_UNIQUE = {"hostname": "name", "mac": "mac", "ip_address": "address", "bmc_ip": "address"}
"""What must be unique, and among what: nodes and BMCs share the addresses. Two Hardware with one MAC or address get
neither DHCP nor metadata [seen] tinkerbell v0.25, pkg/backend/kube/hardware.go."""
