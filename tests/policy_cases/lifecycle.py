"""Cases of the pack lifecycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from components.rules import HIDDEN, UNKNOWN, Raw, Stack
from policies.lifecycle.rules import DEVICE, TEMPLATE, VM
from tests.policy_cases import Case
from tests.policy_stacks import adding, metal, raw, site, virtual
from tests.specs import rich, spec

ENDED: Mapping[str, Any] = {"service_ended": "2026-06-30"}
GONE = (
    "target kind: the provider ended this service on 2026-06-30: nothing of this stack can be created, changed or "
    "taken back, it can be planned and compared"
)
OLD, NEW = {"kubernetes.version": "1.34.1"}, {"kubernetes.version": "1.37.1"}
UNFIXED = (
    "spec kubernetes.version: fixes of Kubernetes 1.34 ended on 2026-10-27, 32 days ago\n"
    "1.37 has them until 2027-10-28: 3 upgrades away, since kubeadm leaves out no minor"
)
RENEW = (
    "\nonly an upgrade renews them, also one to a patch, or a person: kubeadm certs check-expiration says what is "
    "there\n"
    "once they end, API server, etcd, scheduler and controller manager no longer speak to each other"
)
EXPIRED = (
    "spec kubernetes.version: certificates that kubeadm made when 1.34 was new, on 2025-08-27, ended on 2026-08-27"
    + RENEW
)
NOW = {"today": 20261128}


def unknown(stack: Stack) -> Stack:
    """Of a minor that came after this version of isostack."""
    wanted = stack.cluster.wanted
    kubernetes = wanted.kubernetes.model_copy(update={"version": "1.99.0"})
    spec = wanted.model_copy(update={"kubernetes": kubernetes})
    return replace(stack, cluster=stack.cluster.model_copy(update={"wanted": spec}))


def machine(kind: str, name: str, props: Mapping[str, Any], *ignored: str) -> Raw:
    return raw(kind, name, props, machine=name, ignore=ignored)


def template(url: str, action: str = "quay.io/tinkerbell/actions/image2disk:ae3e51d") -> Raw:
    text = (
        f"actions:\n  - name: image\n    image: {action}\n    environment:\n"
        f'      IMG_URL: "{url}"\n      DEST_DISK: "/dev/sda"\n'
    )
    return raw(TEMPLATE, "shop", {"spec": {"data": text}})


def floats(what: str) -> str:
    return (
        f"resource shop: {what}: what lies under this name changes\n"
        "a host that is imaged later comes up with another system than its neighbours, and no file says which"
    )


CURRENT = "https://cloud-images.ubuntu.com/noble/current/noble-server-cloudimg-amd64.img"
BUILD = "https://cloud-images.ubuntu.com/noble/20260801/noble-server-cloudimg-amd64.img"

CASES = (
    Case("life-service-ended", site(metal(rich(), known=False), **ENDED), (GONE,), NOW),
    Case("life-service-ended", site(virtual(rich()), **ENDED), (GONE,), NOW),
    Case("life-service-ended", metal(rich(), known=False)),
    Case("life-service-ended", virtual(rich())),
    Case(
        "life-service-ended",
        site(metal(rich(), known=False), **ENDED),
        ("target kind: the provider ends this service on 2026-06-30, in 1 day: what runs there goes with it",),
        {"today": 20260629},
    ),
    Case("life-kubernetes-end", virtual(rich(OLD)), (UNFIXED,), NOW),
    Case("life-kubernetes-end", metal(rich(OLD)), (UNFIXED,), NOW),
    Case("life-kubernetes-end", virtual(rich()), (), NOW),
    Case("life-kubernetes-end", metal(rich()), (), {"today": 20270428}),
    Case(
        "life-kubernetes-end",
        metal(rich()),
        (
            "spec kubernetes.version: fixes of Kubernetes 1.36 end on 2027-06-28, in 60 days\n"
            "1.37 has them until 2027-10-28: 1 upgrade away, since kubeadm leaves out no minor",
        ),
        {"today": 20270429},
    ),
    Case(
        "life-kubernetes-end",
        metal(rich(NEW)),
        ("spec kubernetes.version: fixes of Kubernetes 1.37 ended on 2027-10-28, today",),
        {"today": 20271028},
    ),
    Case(
        "life-kubernetes-end",
        unknown(metal(rich())),
        undecided="the days of Kubernetes 1.99 are not known to this version of isostack",
    ),
    Case("life-certificates", virtual(rich(OLD)), (EXPIRED,), NOW),
    Case("life-certificates", metal(rich(OLD)), (EXPIRED,), NOW),
    Case("life-certificates", virtual(rich()), (), NOW),
    Case("life-certificates", metal(rich()), (), {"today": 20270322}),
    Case(
        "life-certificates",
        metal(rich()),
        (
            "spec kubernetes.version: certificates that kubeadm made when 1.36 was new, on 2026-04-22, end on "
            "2027-04-22" + RENEW,
        ),
        {"today": 20270323},
    ),
    Case(
        "life-certificates",
        unknown(virtual(rich())),
        undecided="the days of Kubernetes 1.99 are not known to this version of isostack",
    ),
    Case(
        "life-userdata-in-place",
        adding(
            virtual(spec({"pools.0.nodes": 2})),
            machine(VM, "tiny-apps-0", {"extraConfig": HIDDEN, "clone": {}}, "clone"),
            machine(VM, "tiny-apps-1", {"extraConfig": {"guestinfo.userdata": "x"}, "clone": {}}, "clone"),
        ),
        (
            "resource tiny-apps-0: extraConfig of tiny-apps-0 and tiny-apps-1 is not under ignoreChanges\n"
            "changed user data reboots the VM, and cloud-init does not run again; a change of the spec does that to "
            "all at once",
        ),
    ),
    Case(
        "life-userdata-in-place",
        adding(virtual(spec()), machine(VM, "tiny-apps-0", {"extraConfig": UNKNOWN, "clone": {}}, "extraConfig")),
        (
            "resource tiny-apps-0: clone of tiny-apps-0 is not under ignoreChanges\n"
            "another template replaces the VM; a change of the spec does that to all at once",
        ),
    ),
    Case(
        "life-userdata-in-place",
        adding(
            virtual(spec({"pools.0.nodes": 2})),
            machine(VM, "tiny-apps-0", {"extraConfig": UNKNOWN, "clone": {}}, "extraConfig", "clone.templateUuid"),
            machine(VM, "tiny-apps-1", {"extraConfig": UNKNOWN, "clone": {}}, "*"),
            raw(VM, "jump-host", {"extraConfig": {"guestinfo.userdata": "x"}}),
        ),
    ),
    Case(
        "life-userdata-in-place",
        adding(virtual(spec()), machine(VM, "tiny-apps-0", {"extraConfig": UNKNOWN}, "clone")),
        undecided="extraConfig of tiny-apps-0 is known only after `pulumi up`",
    ),
    Case(
        "life-userdata-in-place",
        adding(metal(spec(), known=False), machine(DEVICE, "tiny-apps-0", {"userData": HIDDEN}, "plan")),
        (
            "resource tiny-apps-0: userData of tiny-apps-0 is not under ignoreChanges\n"
            "changed user data replaces the device, and what is on its disks is gone; a change of the spec does that "
            "to all at once",
        ),
    ),
    Case(
        "life-userdata-in-place",
        adding(metal(spec(), known=False), machine(DEVICE, "tiny-apps-0", {"userData": HIDDEN}, "userData")),
    ),
    Case("life-image-floating", adding(metal(rich()), template(CURRENT)), (floats(CURRENT),)),
    Case("life-image-floating", adding(metal(rich()), template(BUILD))),
    Case("life-image-floating", adding(metal(rich()), template("http://10.20.0.30/stable/4230.2.1/image.gz"))),
    Case(
        "life-image-floating",
        adding(metal(rich()), template(BUILD, "quay.io/tinkerbell/actions/image2disk:latest")),
        (floats("quay.io/tinkerbell/actions/image2disk:latest"),),
    ),
    Case(
        "life-image-floating",
        adding(metal(rich()), template(BUILD, "registry.example.com:5000/image2disk")),
        (floats("registry.example.com:5000/image2disk"),),
    ),
    Case("life-image-floating", adding(metal(rich()), template(BUILD, "example.com/image2disk@sha256:00"))),
    Case(
        "life-image-floating",
        adding(metal(rich()), raw(TEMPLATE, "shop", {"spec": {"data": UNKNOWN}})),
        undecided="spec.data of shop is known only after `pulumi up`",
    ),
)
