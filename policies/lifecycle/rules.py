"""Lifecycle: what has ended, what ends soon, and what changes underneath a cluster that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

from components.rules import Evidence, Param, Params, Raw, Rule, Stack, Undecided, Violation
from isostack.assess.releases import CERTIFICATE_DAYS, MINORS, Minor, day, minor
from policies.words import count, named

VM = "vsphere:index/virtualMachine:VirtualMachine"
DEVICE = "equinix-metal:index/device:Device"
TEMPLATE = "kubernetes:tinkerbell.org/v1alpha1:Template"
BORN_WITH: Final[Mapping[str, Mapping[str, str]]] = {
    VM: {
        "extraConfig": "changed user data reboots the VM, and cloud-init does not run again",
        "clone": "another template replaces the VM",
    },
    DEVICE: {"userData": "changed user data replaces the device, and what is on its disks is gone"},
}
"""By type, inputs that count at a machine's birth, and what a change of them does where it is not ignored."""
_FLOATING: Final = re.compile(r"(?<![a-z])(latest|current|nightly|daily|stable)(?![a-z])", re.IGNORECASE)
_BUILD: Final = re.compile(r"20\d{6}|\d+\.\d+\.\d+")
"""A day or a version: what stands beside it moves no more."""
_IMAGE_URL: Final = re.compile(r"IMG_URL:\s*\"?([^\"\s]+)")
_ACTION: Final = re.compile(r"^[\s-]*image:\s*\"?([^\"\s]+)", re.MULTILINE)


def check_service(stack: Stack, params: Params) -> Iterator[Violation]:
    for site in stack.sites:
        if not site.service_ended:
            continue
        left = (date.fromisoformat(site.service_ended) - day(params["today"])).days
        said = (
            f"the provider ends this service on {site.service_ended}, {_when(left)}: what runs there goes with it"
            if left > 0
            else f"the provider ended this service on {site.service_ended}: nothing of this stack can be created, "
            "changed or taken back, it can be planned and compared"
        )
        yield Violation("kind", said, of="target")


def check_end(stack: Stack, params: Params) -> Iterator[Violation]:
    number, own = _own(stack)
    left = (own.end - day(params["today"])).days
    if left > params["warnDays"]:
        return
    verb = "end" if left > 0 else "ended"
    newest = max(MINORS)
    further = (
        f"\n1.{newest} has them until {MINORS[newest].end}: {count(newest - number, 'upgrade')} away, since kubeadm "
        "leaves out no minor"
        if newest > number
        else ""
    )
    yield Violation("kubernetes.version", f"fixes of Kubernetes 1.{number} {verb} on {own.end}, {_when(left)}{further}")


def check_certificates(stack: Stack, params: Params) -> Iterator[Violation]:
    """When the cluster was made or upgraded, nothing here says; not before its minor was released."""
    number, own = _own(stack)
    ends = own.released + timedelta(days=CERTIFICATE_DAYS)
    left = (ends - day(params["today"])).days
    if left > params["warnDays"]:
        return
    yield Violation(
        "kubernetes.version",
        f"certificates that kubeadm made when 1.{number} was new, on {own.released}, "
        f"{'end' if left > 0 else 'ended'} on {ends}\n"
        "only an upgrade renews them, also one to a patch, or a person: kubeadm certs check-expiration says what is "
        "there\n"
        "once they end, API server, etcd, scheduler and controller manager no longer speak to each other",
    )


def _when(days: int) -> str:
    if not days:
        return "today"
    return f"in {count(days, 'day')}" if days > 0 else f"{count(-days, 'day')} ago"


def _own(stack: Stack) -> tuple[int, Minor]:
    number = minor(stack.cluster.wanted.kubernetes.version)
    if number not in MINORS:
        raise Undecided(f"the days of Kubernetes 1.{number} are not known to this version of isostack")
    return number, MINORS[number]


def check_user_data(stack: Stack, params: Params) -> Iterator[Violation]:
    """Of the cluster's machines: what a VM beside them does with its reboots is its own business."""
    for kind, inputs in BORN_WITH.items():
        for field, what in inputs.items():
            names = [raw.name for raw in stack.raw(kind) if raw.machine and _follows(raw, field)]
            if names:
                yield Violation(
                    names[0],
                    f"{field} of {named(names)} is not under ignoreChanges\n{what}; a change of the spec does that to "
                    "all at once",
                    tuple(names),
                    of="resource",
                )


def _follows(raw: Raw, field: str) -> bool:
    """Whether a change of the input reaches the machine. What is ignored is not read: its value may be unknown."""
    ignored = any(re.split(r"[.\[]", each)[0] in (field, "*") for each in raw.ignore_changes)
    return not ignored and raw.get(field) is not None


def check_image(stack: Stack, params: Params) -> Iterator[Violation]:
    for template in stack.raw(TEMPLATE):
        text = str(template.get("spec", "data") or "")
        floating = [url for url in _IMAGE_URL.findall(text) if _moves(urlsplit(url).path)]
        floating += [image for image in _ACTION.findall(text) if _untagged(image)]
        if floating:
            yield Violation(
                template.name,
                f"{named(list(dict.fromkeys(floating)))}: what lies under this name changes\n"
                "a host that is imaged later comes up with another system than its neighbours, and no file says which",
                of="resource",
            )


def _moves(path: str) -> bool:
    return bool(_FLOATING.search(path)) and not _BUILD.search(path)


def _untagged(image: str) -> bool:
    if "@" in image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return not tag or bool(_FLOATING.fullmatch(tag))


RELEASES = Evidence(
    "documented",
    "https://kubernetes.io/releases/1.36 and the page of each minor: released, maintenance, end of life; as of 2026-09",
)
TODAY = Param(
    name="today",
    default=0,
    minimum=0,
    maximum=99_991_231,
    description="Day on which it is judged, as a number: 20270630. 0: today.",
    evidence=Evidence("assumption", "the day on which somebody asks"),
    kind="day",
)
RULES = (
    Rule(
        id="life-service-ended",
        title="The provider's service has ended",
        severity="critical",
        level="mandatory",
        claims=(2, 5),
        remediation=(
            "Make a stack of the spec on another target: isostack new SPEC --target KIND. To keep this one for "
            "comparison, accept it: a waiver of life-service-ended under isostack:policies."
        ),
        evidence=(
            Evidence(
                "documented",
                "Equinix Metal, 2026-06-30: https://docs.equinix.com/metal/locations/capacity/, its banner; the last "
                "release of the provider with it is v3.2.1",
            ),
        ),
        check=check_service,
        params=(TODAY,),
        why="Whoever rents hosts depends on a provider that may stop. Equinix Metal, which the post of 2020 named as "
        "the way to automated hosts under its old name Packet, ended. Its stacks stay for comparison alone.",
    ),
    Rule(
        id="life-kubernetes-end",
        title="Fixes for this minor of Kubernetes end",
        severity="high",
        # A preview that is blocked by it could not be mended in small steps.
        level="advisory",
        claims=(8,),
        remediation="Raise kubernetes.version by one minor at a time, the control plane first.",
        evidence=(
            RELEASES,
            Evidence(
                "documented",
                "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/: skipping minors is not "
                "supported",
            ),
        ),
        check=check_end,
        params=(
            Param(
                name="warnDays",
                default=60,
                minimum=0,
                maximum=3650,
                description="Days before the end from which on it is told.",
                evidence=Evidence("documented", "a minor is in maintenance for its last two months, same pages"),
            ),
            TODAY,
        ),
        why="A minor has fixes for fourteen months. After that a hole in the API server or the kubelet stays open, on "
        "VMs as on metal. Who waits longer has more upgrades to make, since each goes to the next minor only.",
    ),
    Rule(
        id="life-certificates",
        title="Certificates may have ended that only an upgrade renews",
        severity="high",
        level="advisory",
        claims=(8, 12),
        remediation="Upgrade at least once a year; or kubeadm certs renew all, one control-plane node after the other.",
        evidence=(
            Evidence(
                "documented",
                "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/: certificates end after "
                "one year, and are renewed by each upgrade of the control plane",
            ),
            RELEASES,
        ),
        check=check_certificates,
        params=(
            Param(
                name="warnDays",
                default=30,
                minimum=0,
                maximum=365,
                description="Days before the certificates end from which on it is told.",
                evidence=Evidence("assumption", "a month to find an hour for it"),
            ),
            TODAY,
        ),
        why="kubeadm signs what the control plane's parts show each other for one year; the CAs of isostack live ten. "
        "A cluster that is never upgraded stops on its first birthday, all of its control plane at once. When it was "
        "made a preview does not say: this speaks once the minor itself is about a year old.",
    ),
    Rule(
        id="life-userdata-in-place",
        title="A change of user data would reach machines that run",
        severity="high",
        level="mandatory",
        claims=(7,),
        remediation="Name the field under ignoreChanges; new values come with a machine's next generation.",
        evidence=(
            Evidence(
                "measured",
                "pulumi-vsphere 4.18 against the vCenter simulator: components/vsphere/site.py, BORN_WITH",
            ),
            Evidence(
                "documented",
                "user_data of a device forces a new one: github.com/equinix/terraform-provider-equinix "
                "docs/resources/equinix_metal_device.md",
            ),
        ),
        check=check_user_data,
        reads=tuple(BORN_WITH),
        why="User data counts once, when a machine is born. Where a provider may still change it, a new key or version "
        "in the spec reboots or replaces every machine of a cluster in one run. isostack ignores such changes on every "
        "target; this holds a program to it that makes machines in its own way.",
    ),
    Rule(
        id="life-image-floating",
        title="Hosts are imaged from a name whose content changes",
        severity="medium",
        level="advisory",
        claims=(7, 3),
        remediation="Name one build: a copy of your own with its date in image.url; an action's image by its tag.",
        evidence=(
            Evidence(
                "documented",
                "https://cloud-images.ubuntu.com/noble/: current is a link that moves, each build has a folder",
            ),
            Evidence("assumption", "the words latest, current, stable, daily, nightly stand for what moves"),
        ),
        check=check_image,
        machines=frozenset({"host"}),
        reads=(TEMPLATE,),
        why="Nodes are alike because they are born alike. A host that breaks in a year is imaged anew from the same "
        "URL: if another build lies there by then, one node of a pool has another kernel, and nothing shows it.",
    ),
)
