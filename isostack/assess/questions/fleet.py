"""Fleet: how often hosts need a repair, and when a lost one is replaced."""

from __future__ import annotations

from components.rules import Evidence
from isostack.assess import fleet as model
from isostack.assess.case import Case
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values
from isostack.assess.recovery import restarted
from isostack.assess.waits import BOOT, PERSON, POST, REPAIR, whole

FAILURES = Input(
    "fleet.failures",
    "Repairs of a host",
    "a year",
    Evidence(
        "measured",
        "Vishwanath and Nagappan, SoCC 2010, as quoted by others: 8 % of servers, disks for the most part; up to 0.56 "
        "in a first year (Google, 2008)",
    ),
    0.08,
    0.02,
    0.2,
    0.0,
    10.0,
)


def repairs(case: Case, values: Values) -> Numbers:
    """Failures of a host a year, times hosts."""
    return values[FAILURES.id] * case.host_count


QUESTIONS = (
    Question(
        id="fleet.whole",
        title="Lost host: the cluster has all its nodes again after",
        unit="h",
        why="vSphere HA starts the VMs on the hosts that are kept in reserve. On metal a spare takes the place once "
        "somebody raises the generation of the machine; where the provider has the stock, or there is no spare, the "
        "host must be repaired or another one ordered.",
        inputs=(BOOT, POST, PERSON, REPAIR),
        model=whole,
        functions=(restarted, model.rebuild_seconds),
    ),
    Question(
        id="fleet.repairs",
        title="Repairs of hosts",
        unit="a year",
        why="Hosts break as often under a hypervisor as without one. Fewer hosts break less often.",
        inputs=(FAILURES,),
        model=repairs,
        functions=(),
    ),
)
