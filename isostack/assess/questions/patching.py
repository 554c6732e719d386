"""Patching: hours of rolling restarts, and what restarts."""

from __future__ import annotations

import numpy as np

from components.rules import Evidence
from isostack.assess import patching as model
from isostack.assess.case import Case, Machine, NoAnswer, workers_cpus
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values
from isostack.assess.waits import BOOT, POST

GIB = 1024**3
START = Input(
    "patching.start",
    "Until a batch of evicted pods runs elsewhere",
    "s",
    Evidence("assumption", "budgets let five go at a time"),
    20,
    5,
    120,
    1,
    3600,
)
FLASH = Input(
    "patching.flash",
    "Writing a host's firmware",
    "s",
    Evidence("documented", "docs.oracle.com X5-4 product notes: BIOS and FPGA up to 26 min"),
    1560,
    300,
    1560,
    0,
    14400,
)
LINE = Input(
    "patching.line",
    "Line for moving VMs between hosts",
    "Gbit/s",
    Evidence("assumption", "one stream fills about 15 GbE, core.vmware.com on vMotion [vendor]"),
    25,
    10,
    100,
    1,
    400,
)
ROUNDS = Input(
    "patching.systemRounds",
    "Rounds of restarts for the nodes' systems",
    "a year",
    Evidence("assumption", "one a month, as distributions release kernels"),
    12,
    4,
    26,
    0,
    365,
)
FIRMWARE_ROUNDS = Input(
    "patching.firmwareRounds",
    "Rounds of restarts for firmware or the hypervisor",
    "a year",
    Evidence("assumption", "one a quarter"),
    4,
    1,
    6,
    0,
    52,
)
UPGRADE = Input(
    "patching.upgrade",
    "Packages and kubeadm on a node that is drained for Kubernetes",
    "s",
    Evidence("assumption", "packages from a mirror near by; kubeadm, then the kubelet starts anew"),
    120,
    30,
    600,
    0,
    7200,
)
RELEASES = Input(
    "patching.kubernetesRounds",
    "Rounds of Kubernetes upgrades",
    "a year",
    Evidence(
        "assumption", "every second month; releases: three minors a year, patches monthly, kubernetes.io/releases"
    ),
    6,
    3,
    15,
    0,
    52,
)


def system(case: Case, values: Values) -> Numbers:
    """Hours: every node drained and restarted, one at a time."""
    return sum(_restart(case, machine, values) for machine in case.machines)


def kubernetes(case: Case, values: Values) -> Numbers:
    """Hours: the control plane one node at a time, then the workers as many as the spec lets go; by hand one."""
    upgrades, members = case.spec.kubernetes.upgrades, [m for m in case.machines if m.wanted.role != "worker"]
    rounds = ((members, 1), (case.workers, upgrades.concurrency if upgrades else 1))
    return sum(
        model.upgrade_hours(
            len(machines), np.maximum.reduce([_drain(case, m, values) for m in machines]), values[UPGRADE.id], at_once
        )
        for machines, at_once in rounds
    )


def hosts(case: Case, values: Values) -> Numbers:
    """Hours: every host out of service once for its firmware, or its hypervisor."""
    if case.virtual:
        memory = sum(machine.place.size.memory for machine in case.machines) / GIB / case.host_count
        evacuation = model.evacuation_seconds(memory, values[LINE.id])
        return model.hypervisor_hours(case.host_count, evacuation, values[POST.id])
    return sum(_flashed(case, machine, values) for machine in case.machines)


def year(case: Case, values: Values) -> Numbers:
    systems, firmware, releases = _rounds(case, values)
    return system(case, values) * systems + hosts(case, values) * firmware + kubernetes(case, values) * releases


def restarts(case: Case, values: Values) -> Numbers:
    """Rounds that drain nodes: of hosts those of firmware too."""
    systems, firmware, releases = _rounds(case, values)
    return systems + releases + (0 if case.virtual else firmware)


def at_a_time(case: Case, values: Values) -> Numbers:
    """Per cent of the workers' CPUs: of VMs none where a host is kept for them, else those of a host."""
    if case.virtual and case.site.reserve_hosts and case.host_count > 1:
        return 0.0
    return 100 * max(map(workers_cpus, case.on_hosts.values())) / case.workers_cpus


def lost(case: Case, values: Values) -> Numbers:
    """Hours a year, of workers on average by their CPUs."""
    systems, firmware, releases = _rounds(case, values)
    return sum(
        machine.wanted.size.cpus
        / case.workers_cpus
        * (
            _restart(case, machine, values) * systems
            + (0 if case.virtual else _flashed(case, machine, values)) * firmware
            + model.upgrade_hours(1, _drain(case, machine, values), values[UPGRADE.id]) * releases
        )
        for machine in case.workers
    )


def _rounds(case: Case, values: Values) -> tuple[Numbers, Numbers, Numbers]:
    """A year: of systems, of firmware or the hypervisor, of Kubernetes. On metal a round of firmware restarts the
    system as well, so it takes the place of one of those."""
    systems, firmware = values[ROUNDS.id], values[FIRMWARE_ROUNDS.id]
    alone = systems if case.virtual else np.maximum(systems - firmware, 0)
    return alone, firmware, values[RELEASES.id]


def _restart(case: Case, machine: Machine, values: Values) -> Numbers:
    """Hours of one machine."""
    return model.rolling_hours(1, _drain(case, machine, values), _boot(case, values))


def _flashed(case: Case, machine: Machine, values: Values) -> Numbers:
    return model.firmware_hours(1, _drain(case, machine, values), _boot(case, values), values[FLASH.id])


def _boot(case: Case, values: Values) -> Numbers:
    return values[BOOT.id] if case.virtual else values[POST.id] + values[BOOT.id]


def _drain(case: Case, machine: Machine, values: Values) -> Numbers:
    """Seconds."""
    if not case.spec.workloads:
        raise NoAnswer("the spec names no workloads")
    return model.drain_seconds(case.pods_on[machine.wanted.pool], values[START.id])


QUESTIONS = (
    Question(
        id="patching.system",
        title="A round of restarts of all nodes takes",
        unit="h",
        why="Drain, restart and join of one node after the other. A server's power-on self-test is what takes long on "
        "metal. Elapsed time, not labour; the window that the spec allows (availability.reboots) spreads it over days.",
        inputs=(START, BOOT, POST),
        model=system,
        functions=(model.rolling_hours, model.drain_seconds),
    ),
    Question(
        id="patching.hosts",
        title="A round of firmware or hypervisor over all hosts takes",
        unit="h",
        why="VMs are moved away while their host restarts, and no pod does; a node that is a host is drained. A part "
        "of ESXi's fixes needs no restart since 8.0 U3 (Live Patch), which this leaves out.",
        inputs=(START, BOOT, POST, FLASH, LINE),
        model=hosts,
        functions=(model.hypervisor_hours, model.evacuation_seconds, model.firmware_hours),
    ),
    Question(
        id="patching.kubernetes",
        title="A round of a Kubernetes upgrade over all nodes takes, at most",
        unit="h",
        why="The control plane one node at a time, then workers by kubernetes.upgrades.concurrency. Nodes are drained "
        "and upgraded in place, and no system restarts: a server is as fast as a VM.",
        inputs=(START, UPGRADE),
        model=kubernetes,
        functions=(model.upgrade_hours, model.drain_seconds),
    ),
    Question(
        id="patching.out",
        title="Workers' CPU out at a time while hosts are patched, at worst",
        unit="%",
        why="Of VMs none where a host is kept in reserve, to which they are moved; else those of a host. A "
        "node that is a host is out with its pods. While systems or Kubernetes are patched one node is out on either "
        "kind, or as many as kubernetes.upgrades.concurrency says.",
        inputs=(),
        model=at_a_time,
        functions=(),
    ),
    Question(
        id="patching.lost",
        title="A worker is out of service for patches",
        unit="h a year",
        why="From the start of its drain until it is Ready again, in all rounds of a year: the mean over workers, by "
        "their CPUs. Times the workers' CPUs it is the capacity that patching takes.",
        inputs=(START, BOOT, POST, FLASH, ROUNDS, FIRMWARE_ROUNDS, UPGRADE, RELEASES),
        model=lost,
        functions=(model.rolling_hours, model.firmware_hours, model.upgrade_hours),
    ),
    Question(
        id="patching.year",
        title="Hours of rounds, one machine after the other",
        unit="h a year",
        why="Rounds of all kinds. On metal a round of firmware restarts the system too and takes the place of one of "
        "its rounds.",
        inputs=(START, BOOT, POST, FLASH, LINE, ROUNDS, FIRMWARE_ROUNDS, UPGRADE, RELEASES),
        model=year,
        functions=(model.rolling_hours, model.firmware_hours, model.hypervisor_hours, model.upgrade_hours),
    ),
    Question(
        id="patching.restarts",
        title="Restarts of each pod for patches",
        unit="a year",
        why="Every round that drains nodes restarts each pod once.",
        inputs=(ROUNDS, FIRMWARE_ROUNDS, RELEASES),
        model=restarts,
        functions=(),
    ),
)
