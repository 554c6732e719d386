"""Workflow template of target tinkerbell: what is done to a host, in which order, and the files it gets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from components.tinkerbell.config import Config
from components.tinkerbell.inventory import Hardware
from components.tinkerbell.template import netplan, template
from tests.unit.test_tinkerbell import config, hosts


def rendered(target: Config, host: Hardware) -> dict[str, Any]:
    """The template as Tinkerbell renders it, for the few expressions that it has."""
    values = {
        "index .Hardware.Disks 0": host.disk,
        ".mac": host.mac,
        ".netplan | toJson": json.dumps(netplan(host)),
        f"formatPartition ( index .Hardware.Disks 0 ) {target.image.root_partition}": f"{host.disk}-part",
    }
    text = template("t", target.image, target.tootles)
    return dict(yaml.safe_load(re.sub(r"{{ (.*?) }}", lambda match: values[match[1]], text)))


def test_the_template_writes_the_image_then_files_then_reboots() -> None:
    target = config(hosts("c1 a s"), image={"url": "http://10.0.0.3/noble.img", "rootPartition": 2})
    flow = rendered(target, target.hosts[0])
    (task,) = flow["tasks"]
    assert task["worker"] == target.hosts[0].mac
    assert [action["name"] for action in task["actions"]] == [
        "image",
        "60-isostack.yaml",
        "99-isostack.cfg",
        "ds-identify.cfg",
        "reboot",
    ]
    assert all(action["timeout"] > 0 for action in task["actions"])
    assert sum(action["timeout"] for action in task["actions"]) <= flow["global_timeout"]
    first, *files, last = task["actions"]
    assert first["environment"] == {"IMG_URL": "http://10.0.0.3/noble.img", "DEST_DISK": "/dev/sda"}
    assert "/qemuimg2disk:" in first["image"]
    for action in files:
        assert {"DEST_PATH", "FS_TYPE", "UID", "GID", "MODE", "DIRMODE", "CONTENTS"} < set(action["environment"])
        assert action["environment"]["DEST_DISK"] == "/dev/sda-part"
        assert all(isinstance(value, str) for value in action["environment"].values())
    assert last["pid"] == "host"


def test_files_name_the_datasource_and_keep_the_instance() -> None:
    target = config(hosts("c1 a s"))
    _, network, cloud, identify, _ = rendered(target, target.hosts[0])["tasks"][0]["actions"]
    assert json.loads(network["environment"]["CONTENTS"]) == {
        "network": {
            "version": 2,
            "ethernets": {
                "nodes": {
                    "match": {"macaddress": "02:00:00:00:00:0b"},
                    "addresses": ["10.0.0.11/16"],
                    "routes": [{"to": "default", "via": "10.0.0.1"}],
                    "nameservers": {"addresses": ["10.0.0.2"]},
                }
            },
        }
    }
    settings = json.loads(cloud["environment"]["CONTENTS"])
    assert settings["datasource"] == {"Ec2": {"metadata_urls": ["http://10.0.0.3:7080"], "strict_id": False}}
    assert settings["manual_cache_clean"] is True
    assert settings["network"] == {"config": "disabled"}
    assert identify["environment"]["CONTENTS"] == "datasource: Ec2\n"


def test_a_tagged_network_has_its_address_on_the_vlan() -> None:
    tagged = json.loads(netplan(replace(hosts("c1 a s")[0], vlan=160)))["network"]
    assert tagged["ethernets"] == {"nodes": {"match": {"macaddress": "02:00:00:00:00:0b"}}}
    vlan = tagged["vlans"]["nodes.160"]
    assert (vlan["id"], vlan["link"], vlan["addresses"]) == (160, "nodes", ["10.0.0.11/16"])


@pytest.mark.parametrize(
    ("image", "action", "compressed"),
    [
        ({"url": "http://h/i.img"}, "qemuimg2disk", None),
        ({"url": "http://h/i.raw", "format": "raw"}, "image2disk", None),
        ({"url": "http://h/i.raw.zst", "format": "raw"}, "image2disk", "true"),
    ],
)
def test_the_action_is_that_of_the_image(image: dict[str, str], action: str, compressed: str | None) -> None:
    target = config(hosts("c1 a s"), image=image)
    first = rendered(target, target.hosts[0])["tasks"][0]["actions"][0]
    assert f"/{action}:" in first["image"]
    assert first["environment"].get("COMPRESSED") == compressed
