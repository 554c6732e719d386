"""Workflow template: how a host gets its image and the few files that let it find its user data. No secrets in it.

One Template serves every host: what differs comes from the Hardware (`.Hardware.Disks`) or from the Workflow's
hardwareMap (`.mac`, `.netplan`). Rendered by Tinkerbell with Go's text/template and Sprig.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.tinkerbell.config import Image
from components.tinkerbell.inventory import Hardware

ACTIONS = "quay.io/tinkerbell/actions/{}:ae3e51dfb3c1dd54c143e6d2fe48c248ae86e78d"
"""Only `latest` and commits are tags; the project advises the commit [seen] github.com/tinkerbell/actions README.md."""
REBOOT = "ghcr.io/jacobweinstock/waitdaemon:0.4.3"
"""Reports success, then reboots: a reboot that is never reported would run again at the next network boot
[seen] github.com/jacobweinstock/waitdaemon README.md."""
IMAGE_SECONDS, ACTION_SECONDS, WORKFLOW_SECONDS = 1800, 90, 3600
"""EKS Anywhere gives an image 600 s, too short for a slow link or a large image [engineers' knowledge]; 90 s for the
rest are its own [seen] eks-anywhere pkg/api/v1alpha1/tinkerbelltemplateconfig_defaults.go. An action without a timeout
fails at once [seen] tinkerbell v0.25, tink/agent."""
DISK, ROOT = "{{ index .Hardware.Disks 0 }}", "{{{{ formatPartition ( index .Hardware.Disks 0 ) {} }}}}"


def template(name: str, image: Image, tootles: str) -> str:
    """The text of a Template's `data`."""
    files = {
        "/etc/netplan/60-isostack.yaml": "{{ .netplan | toJson }}",
        "/etc/cloud/cloud.cfg.d/99-isostack.cfg": json.dumps(_cloud_config(tootles)),
        # The hardware does not look like EC2's, so the datasource must be named.
        "/etc/cloud/ds-identify.cfg": json.dumps("datasource: Ec2\n"),
    }
    actions = [
        _write_image(image),
        *(_write_file(path, contents, ROOT.format(image.root_partition)) for path, contents in files.items()),
        _action(
            "reboot",
            REBOOT,
            {"IMAGE": "alpine:3.22"},
            ['command: ["reboot"]', "pid: host", "volumes: [/var/run/docker.sock:/var/run/docker.sock]"],
        ),
    ]
    head = (
        f'version: "0.1"\nname: {name}\nglobal_timeout: {WORKFLOW_SECONDS}\ntasks:\n'
        f'  - name: {name}\n    worker: "{{{{ .mac }}}}"\n'
        "    volumes: [/dev:/dev, /dev/console:/dev/console, /lib/firmware:/lib/firmware:ro]\n    actions:\n"
    )
    return head + "".join(actions)


def netplan(host: Hardware) -> str:
    """Static network of a host, found by its MAC. JSON is YAML."""
    address = {
        "addresses": [f"{host.address}/{host.network.prefixlen}"],
        "routes": [{"to": "default", "via": host.gateway}],
        "nameservers": {"addresses": list(host.nameservers)},
    }
    card: dict[str, Any] = {"match": {"macaddress": host.mac}}
    if host.vlan is None:
        return json.dumps({"network": {"version": 2, "ethernets": {"nodes": card | address}}})
    tagged = {f"nodes.{host.vlan}": {"id": host.vlan, "link": "nodes"} | address}
    return json.dumps({"network": {"version": 2, "ethernets": {"nodes": card}, "vlans": tagged}})


def _cloud_config(tootles: str) -> str:
    return json.dumps(
        {
            "network": {"config": "disabled"},
            "datasource": {"Ec2": {"metadata_urls": [tootles], "strict_id": False}},
            # Off EC2 each boot asks the metadata service again, and a silent one would make it another instance
            # with new host keys [seen] cloud-init cloudinit/stages.py, sources/DataSourceEc2.py.
            "manual_cache_clean": True,
        }
    )


def _write_image(image: Image) -> str:
    name = "qemuimg2disk" if image.format == "qcow2" else "image2disk"
    environment = {"IMG_URL": image.url, "DEST_DISK": DISK}
    if image.compressed:
        environment["COMPRESSED"] = "true"
    return _action("image", ACTIONS.format(name), environment, seconds=IMAGE_SECONDS)


def _write_file(path: str, contents: str, partition: str) -> str:
    environment = {"DEST_DISK": partition, "FS_TYPE": "ext4", "DEST_PATH": path, "MODE": "0600", "DIRMODE": "0755"}
    raw = [f"  CONTENTS: {contents}"]
    return _action(path.rpartition("/")[2], ACTIONS.format("writefile"), environment | {"UID": "0", "GID": "0"}, raw)


def _action(
    name: str, image: str, environment: Mapping[str, str], more: list[str] | None = None, seconds: int = ACTION_SECONDS
) -> str:
    """One action. `more` are further lines, right after the environment."""
    lines = [f"name: {name}", f"image: {image}", f"timeout: {seconds}", "environment:"]
    lines += [f'  {key}: "{value}"' for key, value in environment.items()]
    lines += more or []
    return "".join(f"      {'- ' if i == 0 else '  '}{line}\n" for i, line in enumerate(lines))
