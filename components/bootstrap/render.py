"""User data: one cloud-config per machine, and the digests that say what it is without its secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from components.bootstrap import apiserver, host, kube_vip, kubeadm, outside, platform, script
from components.bootstrap.document import dump
from components.bootstrap.labels import node_labels
from components.bootstrap.late import Late
from components.bootstrap.node import NODE_LABELS, NODE_NAME, File, Node
from components.facts import UserData
from components.plan import MachinePlan, NodePlatform, Outside, Plan
from components.raw import RawTarget

LOGIN = "isostack"
"""The user that administrators log in as, in place of the image's own."""
REST = "cloud-config"
"""Key, among the digests of the files, of everything in the document that is no file."""
_FILES = (host.files, kubeadm.files, apiserver.files, kube_vip.files, script.files)


def render(plan: Plan, machine: MachinePlan, late: Late) -> str:
    """The cloud-config of one machine."""
    text = _text(Node.of(plan, machine, late), _shared(machine.platform), plan.outside)
    return _named(text, machine).replace(platform.PROVIDER_ID, machine.platform.provider_id)


def facts(plan: Plan, machine: MachinePlan, target: RawTarget) -> UserData:
    """What one machine's user data is. `files` is the same on every target that the spec is built on."""
    text = render(plan, machine, Late.placeholder())
    born = replace(machine, place=machine.place.model_copy(update={"generation": 1}))
    digests = {
        part: digest or _digest(_named(text, machine))
        for part, (text, digest) in _parts(Node.of(plan, born, Late.placeholder())).items()
    }
    carried = target.decode(target.encode(plan, machine, text))
    return UserData(digest=_sha256(text), carried=_sha256(carried), files=digests)


def _shared(platform: NodePlatform) -> NodePlatform:
    """The platform of all machines that differ in their provider id alone."""
    return replace(platform, provider_id="")


# Once for each kind of machine: a pool of a thousand shares what these two make.
@lru_cache(maxsize=256)
def _text(node: Node, on: NodePlatform, place: Outside) -> str:
    """The document on a platform in a place; marks stand for what is each machine's own."""
    values = platform.values(on)
    written = _by_path([*_files(node), *outside.files(place, node.kubernetes)])
    files = [_entry(file, values) for file in written]
    return f"#cloud-config\n{dump(_head(node))}{dump({'write_files': files})}"


@lru_cache(maxsize=256)
def _parts(node: Node) -> dict[str, tuple[str, str]]:
    """The document part by part, without what is the place's and with marks for all that is the platform's: each
    part's text and digest. A part that holds a machine's own values has none."""
    parts = {REST: dump(_head(node)), **{file.path: f"{file.mode}\n{file.content}" for file in _files(node)}}
    return {
        name: (text, "" if any(mark in text for mark in (NODE_NAME, NODE_LABELS)) else _digest(text))
        for name, text in parts.items()
    }


def _files(node: Node) -> list[File]:
    return _by_path(file for make in _FILES for file in make(node))


def _by_path(files: Iterable[File]) -> list[File]:
    return sorted(files, key=lambda file: file.path)


def _head(node: Node) -> dict[str, Any]:
    """The host name is not here: it comes with the platform's metadata, as addresses do."""
    return {
        "users": [
            {
                "name": LOGIN,
                "gecos": "Administrators of the cluster's nodes",
                "groups": ["adm", "sudo"],
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "lock_passwd": True,
                "ssh_authorized_keys": list(node.access.admins),
            }
        ],
        "disable_root": True,
        "ssh_pwauth": False,
        "runcmd": [[script.SCRIPT]],
    }


def _entry(file: File, values: Mapping[str, str]) -> dict[str, str]:
    content = file.content
    for mark, value in values.items():
        content = content.replace(mark, value)
    return {"path": file.path, "owner": "root:root", "permissions": file.mode, "content": content}


def _named(text: str, machine: MachinePlan) -> str:
    """The text with the machine's own values that every target agrees on."""
    return text.replace(NODE_NAME, machine.name).replace(NODE_LABELS, node_labels(machine.wanted.labels))


def _digest(text: str) -> str:
    return _sha256(text)[:12]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
