"""User data: one cloud-config per machine, and the digests that say what it is without its secrets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from components.bootstrap import apiserver, host, kube_vip, kubeadm, script
from components.bootstrap.document import dump
from components.bootstrap.labels import node_labels
from components.bootstrap.late import Late
from components.bootstrap.node import NEUTRAL, NODE_LABELS, NODE_NAME, PROVIDER_ID, File, Node
from components.facts import UserData
from components.plan import MachinePlan, Plan

LOGIN = "isostack"
"""The user that administrators log in as, in place of the image's own."""
REST = "cloud-config"
"""Key, among the digests of the files, of everything in the document that is no file."""
_MARKERS = (NODE_NAME, NODE_LABELS, PROVIDER_ID)
_FILES = (host.files, kubeadm.files, apiserver.files, kube_vip.files, script.files)


@dataclass(frozen=True, slots=True)
class _Document:
    """User data of all machines that equal one Node."""

    text: str
    parts: dict[str, str]
    """What is digested by itself, by name: each file, and the rest."""
    digests: dict[str, str]
    """Of the parts that hold no machine's own values."""


def render(plan: Plan, machine: MachinePlan, late: Late) -> str:
    """The cloud-config of one machine."""
    return _own(_document(Node.of(plan, machine, late)).text, machine)


def facts(plan: Plan, machine: MachinePlan) -> UserData:
    """What one machine's user data is. `files` is the same on every target that the spec is built on."""
    node = Node.of(plan, machine, Late.placeholder())
    born = replace(machine, place=machine.place.model_copy(update={"generation": 1}))
    neutral = _document(replace(Node.of(plan, born, Late.placeholder()), platform=NEUTRAL))
    text = _own(_document(node).text, machine).encode()
    own = {name: _digest(_own(part, machine)) for name, part in neutral.parts.items() if name not in neutral.digests}
    return UserData(digest=hashlib.sha256(text).hexdigest(), files={**neutral.digests, **own}, bytes=len(text))


@lru_cache(maxsize=256)
def _document(node: Node) -> _Document:
    """Once for each kind of machine: a pool of a thousand shares it."""
    files = sorted((file for make in _FILES for file in make(node)), key=lambda file: file.path)
    head = dump(_head(node))
    parts = {REST: head, **{file.path: f"{file.mode}\n{file.content}" for file in files}}
    shared = {name: _digest(part) for name, part in parts.items() if not any(marker in part for marker in _MARKERS)}
    return _Document(f"#cloud-config\n{head}{dump({'write_files': [_entry(file) for file in files]})}", parts, shared)


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


def _entry(file: File) -> dict[str, str]:
    return {"path": file.path, "owner": "root:root", "permissions": file.mode, "content": file.content}


def _own(text: str, machine: MachinePlan) -> str:
    """The text with the machine's own values for the markers."""
    text = text.replace(NODE_NAME, machine.name).replace(NODE_LABELS, node_labels(machine.wanted.labels))
    return text.replace(PROVIDER_ID, machine.platform.provider_id)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
