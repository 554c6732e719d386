"""Patching: hours of rolling restarts, and what restarts."""

from __future__ import annotations

import numpy as np

from components.rules import Evidence
from isostack.assess import patching as model
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values
from isostack.assess.questions.recovery import BOOT
from isostack.assess.questions.rollback import POST

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


def system(case: Case, values: Values) -> Numbers:
    """Hours: every node drained and restarted, one at a time."""
    boot = values[BOOT.id] if case.virtual else values[POST.id] + values[BOOT.id]
    return sum(model.rolling_hours(1, drain, boot) for drain in _drains(case, values))


def hosts(case: Case, values: Values) -> Numbers:
    """Hours: every host out of service once for its firmware, or its hypervisor."""
    if case.virtual:
        memory = sum(machine.place.size.memory for machine in case.machines) / GIB / case.host_count
        evacuation = model.evacuation_seconds(memory, values[LINE.id])
        return model.hypervisor_hours(case.host_count, evacuation, values[POST.id])
    boot = values[POST.id] + values[BOOT.id]
    return sum(model.firmware_hours(1, drain, boot, values[FLASH.id]) for drain in _drains(case, values))


def year(case: Case, values: Values) -> Numbers:
    rounds, firmware = values[ROUNDS.id], values[FIRMWARE_ROUNDS.id]
    if case.virtual:
        return system(case, values) * rounds + hosts(case, values) * firmware
    # A round of firmware restarts the system as well, so it takes the place of one of those.
    return system(case, values) * np.maximum(rounds - firmware, 0) + hosts(case, values) * firmware


def restarts(case: Case, values: Values) -> Numbers:
    """Of VMs the rounds of their systems alone; of hosts, which a round of firmware restarts too, the more of both."""
    rounds, firmware = values[ROUNDS.id], values[FIRMWARE_ROUNDS.id]
    return rounds if case.virtual else np.maximum(rounds, firmware)


def _drains(case: Case, values: Values) -> list[Numbers]:
    if not case.spec.workloads:
        raise NoAnswer("the spec names no workloads")
    drains = {pool: model.drain_seconds(pods, values[START.id]) for pool, pods in case.pods_on.items()}
    return [drains[machine.wanted.pool] for machine in case.machines]


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
        id="patching.year",
        title="Hours of rolling restarts",
        unit="h a year",
        why="Rounds of both kinds. On metal a round of firmware restarts the system too and takes the place of one of "
        "its rounds.",
        inputs=(START, BOOT, POST, FLASH, LINE, ROUNDS, FIRMWARE_ROUNDS),
        model=year,
        functions=(model.rolling_hours, model.firmware_hours, model.hypervisor_hours),
    ),
    Question(
        id="patching.restarts",
        title="Restarts of each pod for patches",
        unit="a year",
        why="Every round that drains nodes restarts each pod once.",
        inputs=(ROUNDS, FIRMWARE_ROUNDS),
        model=restarts,
        functions=(),
    ),
)
