"""What is waited for in several topics: inputs, and how long a lost host is away."""

from __future__ import annotations

from components.rules import Evidence
from isostack.assess.case import Case, NoAnswer
from isostack.assess.fleet import rebuild_seconds
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Values
from isostack.assess.recovery import restarted, restarts

BOOT_MEASURED = (
    "engineers' knowledge; VMware measured 7 min 40 s for vCenter itself, blogs.vmware.com/performance/2015/03"
)
BOOT = Input(
    "recovery.boot",
    "A VM's boot until its node is Ready",
    "s",
    Evidence("assumption", BOOT_MEASURED),
    60,
    30,
    180,
    1,
    3600,
)
START = Input(
    "recovery.start",
    "Start of a pod once it is scheduled",
    "s",
    Evidence("assumption", "image there, readiness probe passed"),
    20,
    5,
    60,
    0,
    3600,
)
PERSON = Input(
    "recovery.person",
    "Until a person has seen a loss and acts",
    "s",
    Evidence("assumption", "on call, woken by an alert"),
    1800,
    600,
    14400,
    0,
    864_000,
)
POST = Input(
    "rollback.post",
    "A server's power-on self-test",
    "s",
    Evidence("measured", "gitlab.com/testing-farm/infrastructure MR 1526: medians of 218 to 792 s by generation"),
    531,
    218,
    792,
    10,
    3600,
)
REPAIR = Input(
    "fleet.repair",
    "Until a broken host is repaired or replaced",
    "h",
    Evidence("assumption", "a part and a person on the next working days"),
    72,
    4,
    240,
    0,
    8760,
)


def restarting(case: Case) -> int | None:
    """Hosts among which HA restarts VMs, one of them kept in reserve; None: nothing does, or there is nowhere to."""
    if not restarts(case.site):
        return None
    if not case.site.hosts:
        raise NoAnswer(f"the hosts of {case.stack} are not known")
    return len(case.site.hosts)


def whole(case: Case, values: Values) -> Numbers:
    """Hours: HA starts the VMs on the reserve; a spare is imaged once a person says so; else the host is repaired."""
    hosts = restarting(case)
    if hosts:
        return restarted(hosts, values[BOOT.id]) / 3600
    if case.site.spare_hosts:
        return (values[PERSON.id] + rebuild_seconds(values[POST.id])) / 3600
    return values[REPAIR.id] + rebuild_seconds(values[POST.id]) / 3600
