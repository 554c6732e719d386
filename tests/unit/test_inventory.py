"""Hardware inventories: what is read, and how every fault of a file is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.problems import InvalidInput, Problem
from components.tinkerbell.inventory import MAX_FAULTS, Bmc, Hardware, read_inventory
from components.tinkerbell.rows import COLUMNS, MAX_BYTES
from tests.specs import ROOT

HEADER = "hostname,bmc_ip,bmc_username,bmc_password,mac,ip_address,netmask,gateway,nameservers,labels,disk,vlan_id"
SOUND = {
    "hostname": "h1",
    "bmc_ip": "10.9.0.1",
    "bmc_username": "admin",
    "bmc_password": "Hidden-7",
    "mac": "3c:ec:ef:5a:10:01",
    "ip_address": "10.0.0.11",
    "netmask": "255.255.255.0",
    "gateway": "10.0.0.1",
    "nameservers": "10.0.0.2|10.0.0.3",
    "labels": "pool=web|class=m",
    "disk": "/dev/nvme0n1",
    "vlan_id": "",
}
OPEN = {"bmc_username": "", "bmc_password": ""}
"""No password in the row: messages may repeat its texts."""
SECOND = {"hostname": "h2", "bmc_ip": "10.9.0.2", "mac": "3c:ec:ef:5a:10:02", "ip_address": "10.0.0.12"}


def line(**changes: str) -> str:
    return ",".join({**SOUND, **changes}.values())


def file(folder: Path, *lines: str, name: str = "hosts.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def faults(path: Path) -> list[str]:
    """The messages, without the folder."""
    with pytest.raises(InvalidInput) as caught:
        read_inventory(path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_a_row_becomes_a_host(tmp_path: Path) -> None:
    (host,) = read_inventory(file(tmp_path, HEADER, line(mac="3C-EC-EF-5A-10-0A", vlan_id="160"))).hosts
    assert host == Hardware(
        name="h1",
        mac="3c:ec:ef:5a:10:0a",
        address="10.0.0.11",
        netmask="255.255.255.0",
        gateway="10.0.0.1",
        nameservers=("10.0.0.2", "10.0.0.3"),
        disk="/dev/nvme0n1",
        vlan=160,
        labels={"pool": "web", "class": "m"},
        bmc=host.bmc,
        line=2,
    )
    assert host.bmc is not None
    assert host.bmc.password is not None
    assert (host.bmc.address, host.bmc.username) == ("10.9.0.1", "admin")
    assert host.bmc.password.get_secret_value() == "Hidden-7"
    assert str(host.network) == "10.0.0.0/24"
    assert "Hidden-7" not in repr(host)


@pytest.mark.parametrize("mac", ["3C:EC:EF:5A:10:01", "3c-ec-ef-5a-10-01", "3cec.ef5a.1001", "3cecef5a1001"])
def test_all_forms_of_a_mac_become_one(tmp_path: Path, mac: str) -> None:
    assert read_inventory(file(tmp_path, HEADER, line(mac=mac))).hosts[0].mac == "3c:ec:ef:5a:10:01"


def test_what_may_be_missing_or_empty(tmp_path: Path) -> None:
    """A BMC without credentials (the stack's count), a host without BMC, no VLAN, no labels, disks by id."""
    by_id = line(**OPEN, disk="/dev/disk/by-id/nvme-eui.0025385b71b0a1c2")
    bare = line(**{**SECOND, "bmc_ip": ""}, **OPEN, labels="")
    first, second = read_inventory(file(tmp_path, HEADER, by_id, bare)).hosts
    assert first.bmc == Bmc("10.9.0.1")
    assert (second.bmc, second.vlan, second.labels) == (None, None, {})


def test_the_order_of_columns_is_free_and_optional_ones_may_lack(tmp_path: Path) -> None:
    wanted = [name for name in reversed(COLUMNS) if not name.startswith(("bmc", "vlan"))]
    (host,) = read_inventory(file(tmp_path, ",".join(wanted), ",".join(SOUND[name] for name in wanted))).hosts
    assert (host.name, host.bmc, host.vlan) == ("h1", None, None)


def test_quoted_cells_blank_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = f'\ufeff{HEADER}\r\n\r\n"h1"' + line().removeprefix("h1") + "\r\n\r\n" + line(**SECOND) + "\r\n"
    path = tmp_path / "hosts.csv"
    path.write_bytes(text.encode())
    assert [(host.name, host.line) for host in read_inventory(path).hosts] == [("h1", 3), ("h2", 5)]


ADDRESS = "is not an IPv4 address; for example 10.20.40.11"
MASK = "for example 255.255.254.0"
DEVICE = "the path of a whole disk, for example /dev/nvme0n1 or /dev/disk/by-id/nvme-eui.0025385b71b0a1c2"
VLAN = "a number from 1 to 4094; leave it empty where frames are untagged"
CELLS = [
    ("hostname", "", "is empty; every host needs one"),
    ("nameservers", "127.0.0.53", "'127.0.0.53' overlaps 127.0.0.0/8, which is loopback; for example 10.20.40.11"),
    (
        "hostname",
        "Web_1",
        "'Web_1' is not a host name; lower-case letters, digits, dashes and dots, as in fra1-r07-cp01",
    ),
    ("bmc_ip", "bmc1", f"'bmc1' {ADDRESS}"),
    ("mac", "3c:ec:ef:5a:10", "'3c:ec:ef:5a:10' is not a MAC address; six bytes, for example 3c:ec:ef:5a:10:01"),
    (
        "mac",
        "01:00:5e:00:00:01",
        "'01:00:5e:00:00:01' is not the MAC address of an interface; a multicast address or zero cannot boot",
    ),
    ("ip_address", "10.0.0.256", f"'10.0.0.256' {ADDRESS}"),
    (
        "ip_address",
        "10.0.0.255",
        "10.0.0.255 is the first or last address of its subnet 10.0.0.0/24; choose one between them",
    ),
    ("netmask", "24", "'24' is a prefix length; write the netmask 255.255.255.0"),
    ("netmask", "/23", "'/23' is a prefix length; write the netmask 255.255.254.0"),
    ("netmask", "255.0.255.0", f"'255.0.255.0' is not a netmask: its ones have gaps; {MASK}"),
    (
        "netmask",
        "255.255.255.255",
        "'255.255.255.255' is /32: no network of hosts; between 255.0.0.0 and 255.255.255.252",
    ),
    ("netmask", "wide", f"'wide' is not a netmask; {MASK}"),
    (
        "gateway",
        "10.0.1.1",
        "10.0.1.1 is outside the subnet 10.0.0.0/24 of 10.0.0.11; name a router inside it, or mend netmask",
    ),
    ("gateway", "10.0.0.11", "10.0.0.11 is the host's own address; name the router"),
    ("nameservers", "10.0.0.2|dns1", f"'dns1' {ADDRESS}"),
    ("labels", "pool", "'pool' is not a label; write key=value, several apart by |, for example pool=web|class=m32"),
    ("labels", "a.b/c=x y", "'x y' is not a value of label a.b/c; at most 63 letters, digits, dashes and dots"),
    ("labels", "a=1|a=2", "'a' is a label that stands twice; keep one"),
    ("disk", "nvme0n1", f"'nvme0n1' is not a device; {DEVICE}"),
    ("disk", "/dev/../etc", f"'/dev/../etc' is not a device; {DEVICE}"),
    ("disk", "/dev/sda1", "'/dev/sda1' is a partition; name the whole disk /dev/sda"),
    ("disk", "/dev/nvme0n1p2", "'/dev/nvme0n1p2' is a partition; name the whole disk /dev/nvme0n1"),
    (
        "disk",
        "/dev/disk/by-id/wwn-0x5-part3",
        "'/dev/disk/by-id/wwn-0x5-part3' is a partition; name the whole disk /dev/disk/by-id/wwn-0x5",
    ),
    ("vlan_id", "4095", f"'4095' is not a VLAN; {VLAN}"),
    ("vlan_id", "0", f"'0' is not a VLAN; {VLAN}"),
]


def column(name: str, **changes: str) -> int:
    """Where the cell of that name begins in such a row."""
    cells = {**SOUND, **changes}
    return sum(len(cells[before]) + 1 for before in COLUMNS_OF_HEADER[: COLUMNS_OF_HEADER.index(name)]) + 1


COLUMNS_OF_HEADER = HEADER.split(",")


@pytest.mark.parametrize(("name", "text", "told"), CELLS)
def test_a_faulty_cell_is_told_where_it_stands(tmp_path: Path, name: str, text: str, told: str) -> None:
    row = {**OPEN, name: text}
    assert faults(file(tmp_path, HEADER, line(**row))) == [f"hosts.csv:2:{column(name, **row)}: {name}: {told}"]


BMC = "fill both; or none, then isostack:bmcUsername and isostack:bmcPassword of the stack's config count"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bmc_username": ""}, f"hosts.csv:2:13: bmc_username: is empty, but bmc_password is not; {BMC}"),
        ({"bmc_password": ""}, f"hosts.csv:2:19: bmc_password: is empty, but bmc_username is not; {BMC}"),
        (
            {"bmc_ip": ""},
            "hosts.csv:2:4: bmc_ip: is empty, but the row has BMC credentials; "
            "write the BMC's address, or leave username and password empty too",
        ),
    ],
)
def test_half_a_bmc(tmp_path: Path, changes: dict[str, str], told: str) -> None:
    assert faults(file(tmp_path, HEADER, line(**changes))) == [told]


def test_what_stands_twice_names_the_first(tmp_path: Path) -> None:
    right = "give each host its own"
    assert faults(file(tmp_path, HEADER, line(), line(mac="3C:EC:EF:5A:10:01"))) == [
        f"hosts.csv:3:1: hostname: h1 stands twice, first in line 2; {right}",
        f"hosts.csv:3:4: bmc_ip: 10.9.0.1 stands twice, first in line 2; {right}",
        f"hosts.csv:3:28: mac: 3c:ec:ef:5a:10:01 stands twice, first in line 2; {right}",
        f"hosts.csv:3:46: ip_address: 10.0.0.11 stands twice, first in line 2; {right}",
    ]


def test_a_bmc_cannot_have_the_address_of_another_host(tmp_path: Path) -> None:
    assert faults(file(tmp_path, HEADER, line(), line(**{**SECOND, "bmc_ip": "10.0.0.11"}))) == [
        "hosts.csv:3:4: bmc_ip: 10.0.0.11 stands twice, first in line 2 (ip_address); give each host its own"
    ]


def test_columns_missing_unknown_misspelt_and_twice(tmp_path: Path) -> None:
    header = HEADER.replace("hostname", "Host_name").replace("disk", "rack").replace("vlan_id", "gateway")
    columns = ", ".join(COLUMNS)
    assert faults(file(tmp_path, header, line(hostname="H1", **OPEN))) == [
        "hosts.csv:1:1: Host_name: unknown column 'Host_name'; did you mean 'hostname'?",
        "hosts.csv:1:1: disk: missing column 'disk'; every inventory has it",
        f"hosts.csv:1:{header.index('rack') + 1}: rack: unknown column 'rack'; the columns are {columns}",
        f"hosts.csv:1:{header.rindex('gateway') + 1}: gateway: column 'gateway' stands twice; keep one",
        # The rest is checked all the same, also what stands under the misspelt column.
        "hosts.csv:2:1: hostname: 'H1' is not a host name; "
        "lower-case letters, digits, dashes and dots, as in fra1-r07-cp01",
    ]


def test_rows_of_another_length_and_bad_quotes_do_not_hide_the_rest(tmp_path: Path) -> None:
    broken = line().replace("Hidden-7", "Hidden,7")
    quoted = '"h4"x' + line().removeprefix("h1")
    sound = {**SECOND, **OPEN, "netmask": "24"}
    assert faults(file(tmp_path, HEADER, broken, quoted, line(**sound))) == [
        "hosts.csv:2:1: 13 cells where the header has 12; "
        "keep the commas of empty cells, and quote cells that hold one",
        "hosts.csv:3:1: not valid CSV: ',' expected after '\"'; look at the quotes of this row",
        f"hosts.csv:4:{column('netmask', **sound)}: netmask: '24' is a prefix length; write the netmask 255.255.255.0",
    ]


def test_lines_and_columns_count_through_quoted_line_breaks(tmp_path: Path) -> None:
    row = {**OPEN, "labels": '"pool=web|\nclass=""m"""', "disk": "sda"}
    after = {**SECOND, **OPEN, "vlan_id": "x"}
    found = faults(file(tmp_path, HEADER, line(**row), line(**after)))
    assert [message.partition(" ")[0] for message in found] == [
        f"hosts.csv:2:{column('labels', **row)}:",
        "hosts.csv:3:14:",  # after class=""m""",
        f"hosts.csv:4:{column('vlan_id', **after)}:",
    ]


def test_an_open_quote_ends_the_file(tmp_path: Path) -> None:
    assert faults(file(tmp_path, HEADER, line(), '"' + line(**SECOND))) == [
        "hosts.csv:3:1: not valid CSV: unexpected end of data; look at the quotes of this row"
    ]


SHIFTED = [
    line(bmc_password="Hidden,7").rpartition(",")[0],  # as many cells, each one place on
    line(mac="Hidden-7"),
    line(labels="Hidden-7"),
    line(bmc_ip="Hidden-7"),
]


@pytest.mark.parametrize("row", SHIFTED)
def test_a_password_is_never_repeated(tmp_path: Path, row: str) -> None:
    found = "\n".join(faults(file(tmp_path, HEADER, row)))
    assert "the value is not" in found
    assert "Hidden" not in found


def test_a_file_without_header_repeats_none_of_its_first_row(tmp_path: Path) -> None:
    assert faults(file(tmp_path, line(), line(**SECOND))) == [
        f"hosts.csv:1:1: the first line names no column; the first line names the columns: {','.join(COLUMNS)}"
    ]


def test_semicolons(tmp_path: Path) -> None:
    assert faults(file(tmp_path, HEADER.replace(",", ";"), line().replace(",", ";"))) == [
        "hosts.csv:1:1: the cells are apart by semicolons; save the file with commas"
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", f"hosts.csv:1:1: is empty; the first line names the columns: {','.join(COLUMNS)}"),
        (b"\n\n", f"hosts.csv:1:1: is empty; the first line names the columns: {','.join(COLUMNS)}"),
        (HEADER.encode(), "hosts.csv:1:1: has a header and no host; add a row for each host"),
        (b"hostname\nh\xe9", "hosts.csv:2:2: not UTF-8: byte 0xe9 at offset 10; save the file as UTF-8"),
        (b"x" * (MAX_BYTES + 1), "hosts.csv: has 5,242,881 bytes; at most 5,242,880 (5 MiB) are read"),
    ],
)
def test_files_that_hold_nothing_to_read(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "hosts.csv"
    path.write_bytes(content)
    assert faults(path) == [told]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.csv") == [
        "none.csv: no such file; paths are relative to the folder of the stack files"
    ]
    (tmp_path / "folder.csv").mkdir()
    assert faults(tmp_path / "folder.csv") == ["folder.csv: is a directory; name a CSV or YAML file"]
    os.mkfifo(tmp_path / "pipe.csv")
    assert faults(tmp_path / "pipe.csv") == ["pipe.csv: is not a regular file; name a CSV or YAML file"]
    with pytest.raises(InvalidInput, match="is not a file name"):
        read_inventory(Path("null\0.csv"))


def test_very_many_faults_are_counted(tmp_path: Path) -> None:
    found = faults(file(tmp_path, HEADER, *["x"] * (MAX_FAULTS + 5)))
    assert len(found) == MAX_FAULTS + 1
    assert found[-1] == "hosts.csv: 5 more faults"


YAML = """\
hosts:
  - hostname: h1
    bmc_ip: 10.9.0.1
    mac: 3c:ec:ef:5a:10:01
    ip_address: 10.0.0.11
    netmask: 255.255.255.0
    gateway: 10.0.0.1
    nameservers: [10.0.0.2, 10.0.0.3]
    labels: {pool: web, class: m}
    disk: /dev/nvme0n1
    vlan_id: 160
"""


def test_yaml_holds_the_same(tmp_path: Path) -> None:
    row = line(**OPEN, vlan_id="160")
    from_yaml = read_inventory(file(tmp_path, YAML, name="hosts.yaml"))
    assert from_yaml.hosts == read_inventory(file(tmp_path, HEADER, row)).hosts


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mac: 3c", "mac: zz", "hosts.yaml:4:10: mac: 'zz:ec:ef:5a:10:01' is not a MAC address; six bytes,"),
        ("    mac:", "    Mac:", "hosts.yaml:4:5: hosts[0].Mac: unknown key 'Mac'; did you mean 'mac'?"),
        ("    disk:", "    rack:", "hosts.yaml:2:5: hosts[0].disk: missing key 'disk'; every host has it"),
        ("disk: /dev", "disk: [/dev", "hosts.yaml:11:"),
        ("10.0.0.2, 10", "10.0.0.2, x", "hosts.yaml:8:18: nameservers: 'x.0.0.3' is not an IPv4 address;"),
        ("{pool: web", "{pool: [web]", "hosts.yaml:9:13: hosts[0].labels: is not of the right form; a text; nameser"),
        ("hosts:", "host:", "hosts.yaml:1:1: host: unknown key 'host'; an inventory has one key: hosts"),
        ("- hostname: h1", "- h1\n  - hostname: h1", "hosts.yaml:2:5: hosts[0]: is not a mapping; write the fields"),
    ],
)
def test_faults_in_yaml(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = faults(file(tmp_path, YAML.replace(old, new, 1), name="hosts.yaml"))
    assert any(message.startswith(told) for message in found), found


def test_yaml_without_hosts(tmp_path: Path) -> None:
    told = "hosts.yaml:1:8: hosts: has no list of hosts; hosts: [{hostname: ..., mac: ...}, ...]"
    assert faults(file(tmp_path, "hosts: []", name="hosts.yaml")) == [told]


@given(
    st.binary(max_size=300)
    | st.lists(st.text(max_size=30), max_size=14).map(lambda c: f"{HEADER}\n{','.join(c)}".encode())
)
def test_any_bytes_are_read_or_refused_with_a_place(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "hosts.csv"
    path.write_bytes(content)
    problems: tuple[Problem, ...] = ()
    try:
        read_inventory(path)
    except InvalidInput as error:
        problems = error.problems
    assert all(problem.line > 0 and problem.column > 0 for problem in problems)


@pytest.mark.parametrize(("name", "hosts"), [("shop", 16), ("edge", 3)])
def test_the_example_inventories_hold_no_credentials(name: str, hosts: int) -> None:
    inventory = read_inventory(ROOT / f"stacks/{name}-inventory.csv")
    assert len(inventory.hosts) == hosts
    assert all(host.bmc == Bmc(host.bmc.address) for host in inventory.hosts if host.bmc)
