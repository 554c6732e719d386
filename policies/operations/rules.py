"""Operations: what is measured, what is written down, who gets in, and how nodes restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from components.facts import SiteFacts
from components.rules import Evidence, Params, Raw, Rule, Stack, Violation, percent
from isostack.assess.fleet import any_broken
from policies.operations.restarts import DRAIN_BLOCKED, MISSING, SHORT
from policies.words import count, named

RELEASE = "kubernetes:helm.sh/v3:Release"
RUNS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet")
_METRICS: Final = re.compile(r"prometheus|victoria-?metrics|grafana-?(alloy|agent|k8s)|datadog|zabbix|checkmk|telegraf")
_HARDWARE: Final = re.compile(r"ipmi|redfish|smartctl|idrac|\bilo\b|vcenter|vmware|esxi")
"""What people run to measure hosts: exporters of BMCs, of disks, of vCenter; by the words in their names."""


def check_monitoring(stack: Stack, params: Params) -> Iterator[Violation]:
    if stack.cluster.wanted.monitoring.node_metrics or _running(stack, _METRICS):
        return
    nodes = len(stack.machines)
    yield Violation(
        "monitoring.nodeMetrics",
        f"false, and nothing else here measures the {count(nodes, 'node')}: a full disk, a throttled CPU or memory "
        "that runs out is noticed by what it breaks",
    )


def check_hardware(stack: Stack, params: Params) -> Iterator[Violation]:
    if not stack.cluster.wanted.monitoring.node_metrics or _running(stack, _HARDWARE):
        return
    for site in stack.sites:
        hosts = _hosts(stack, site)
        breaks = (
            f": within a year one of {hosts} needs a repair with p = {percent(any_broken(hosts))}" if hosts > 1 else ""
        )
        seen = (
            "it runs inside VMs and sees nothing of their hosts, neither disks nor memory errors nor power supplies"
            if site.machine == "vm"
            else "it counts memory errors and temperatures of its host, and sees no power supply, RAID controller or "
            "wear of disks"
        )
        yield Violation("monitoring.nodeMetrics", f"the node exporter alone looks for broken hardware{breaks}\n{seen}")


def _hosts(stack: Stack, site: SiteFacts) -> int:
    machines = [machine for machine in stack.machines if machine.place.site == site.name]
    return len(site.hosts) if site.machine == "vm" else len(machines)


def _running(stack: Stack, words: re.Pattern[str]) -> bool:
    """Whether a chart or an object that the program installs is called so, or its image."""
    return any(words.search(text.lower()) for raw in stack.raw(RELEASE, *RUNS) for text in _names(raw))


def _names(raw: Raw) -> Iterator[str]:
    yield raw.name
    yield str(raw.get("chart") or "")
    for i, _ in enumerate(raw.get("spec", "template", "spec", "containers") or ()):
        yield str(raw.get("spec", "template", "spec", "containers", i, "image"))


def check_audit(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    if spec.access.audit != "none":
        return
    external = [tenant.name for tenant in spec.tenants if tenant.trust == "external"]
    theirs = f"\nthat holds for {named(external)} too, whose code is expected to be hostile" if external else ""
    yield Violation(
        "access.audit",
        f"none: who read a Secret, deleted an object or let somebody in, nobody can find out afterwards{theirs}",
        tuple(external),
    )


def check_oidc(stack: Stack, params: Params) -> Iterator[Violation]:
    if stack.cluster.wanted.access.oidc is not None:
        return
    lifetime = re.search(r"(\d+) h$", stack.pki.wanted.get("admin", "")) if stack.pki else None
    ends = f" for up to {int(lifetime[1]) // 24} days" if lifetime else ""
    yield Violation(
        "access.oidc",
        f"none: people share the admin's certificate, and no log tells them apart\n"
        f"it cannot be revoked: who leaves with a copy has the whole cluster{ends}, or until its CA is replaced",
    )


RULES = (
    Rule(
        id="ops-monitoring-missing",
        title="Nothing measures the nodes",
        severity="medium",
        level="advisory",
        claims=(4,),
        remediation="Set monitoring.nodeMetrics to true, or add what you measure with to the program.",
        evidence=(
            Evidence(
                "documented",
                "https://kubernetes.io/docs/concepts/cluster-administration/system-metrics/: Kubernetes offers "
                "metrics, and keeps none",
            ),
        ),
        check=check_monitoring,
        reads=(RELEASE, *RUNS),
        why="Kubernetes keeps no metrics. Without somebody who collects them there is no trend of a disk that fills "
        "and no number to size the next node by. Seen are charts, Deployments and DaemonSets of the program.",
    ),
    Rule(
        id="ops-hardware-unseen",
        title="Nothing looks at the hardware",
        severity="low",
        level="advisory",
        claims=(4, 3),
        remediation=(
            "Add an exporter to the program: on hosts one of the BMCs (Redfish, IPMI) and smartctl_exporter, on VMs "
            "one of vCenter; or watch them from outside, and set this rule to disabled under isostack:policies.levels."
        ),
        evidence=(
            Evidence(
                "documented",
                "https://github.com/prometheus/node_exporter: edac and hwmon are on by default, of BMCs, RAID "
                "controllers and SMART it has nothing",
            ),
            Evidence(
                "measured",
                "of replaced parts 78 % are disks, 5 % RAID controllers and 3 % memory: Vishwanath and Nagappan, SoCC "
                "2010, as quoted by notes.yuuk.io; 8 % of servers need a repair within a year, same paper",
            ),
        ),
        check=check_hardware,
        reads=(RELEASE, *RUNS),
        why="The post of 2020 holds a node exporter to be enough on bare metal. It is half of it: what breaks most, "
        "disks, it does not see coming. VMs are no better off: there it sees less still, and somebody must look at the "
        "hosts in vCenter.",
    ),
    DRAIN_BLOCKED,
    Rule(
        id="ops-audit-missing",
        title="The API writes no audit log",
        severity="medium",
        level="advisory",
        claims=(9, 4),
        remediation="Set access.audit to metadata: who did what to which object, without contents.",
        evidence=(
            Evidence("documented", "https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/: off unless asked for"),
            Evidence("documented", "CIS Kubernetes Benchmark, 3.2.1: a minimal audit policy is created"),
        ),
        check=check_audit,
        why="The audit log is the only place that says who asked the API for what. It cannot be had afterwards. That "
        "is the same on every target.",
    ),
    MISSING,
    SHORT,
    Rule(
        id="ops-no-oidc",
        title="People share a certificate that cannot be revoked",
        severity="medium",
        level="advisory",
        claims=(9, 7),
        remediation="Set access.oidc to an OpenID Connect provider, and keep the admin's kubeconfig for emergencies.",
        evidence=(
            Evidence(
                "documented",
                "https://kubernetes.io/docs/concepts/security/hardening-guide/authentication-mechanisms/: client "
                "certificates cannot be revoked one by one; for several people an outside source is recommended",
            ),
        ),
        check=check_oidc,
        why="Without OIDC the only way in is the admin's client certificate. Kubernetes knows no list of revoked ones: "
        "a copy is good until it ends, and only a new CA, so new certificates everywhere, ends it sooner.",
    ),
)
