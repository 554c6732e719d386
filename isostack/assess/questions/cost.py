"""Cost: what each target costs over years, with your prices."""

from __future__ import annotations

from components.rules import Evidence
from isostack.assess import cost as model
from isostack.assess.case import Case, NoAnswer
from isostack.assess.inputs import Input
from isostack.assess.question import Numbers, Question, Values
from isostack.assess.questions.sizing import DEMAND, OVERCOMMIT, fewest

GIB = 1024**3
_YOURS = Evidence("assumption", "no default: give yours with --inputs")


def _price(id: str, title: str, unit: str) -> Input:
    return Input(id, title, unit, _YOURS, None)


HOST = _price("cost.host", "Price of a host without CPUs and memory", "money")
THREAD = _price("cost.thread", "Price of each thread of a host", "money")
MEMORY = _price("cost.gib", "Price of each GiB of a host's memory", "money")
LICENCE = _price("cost.licence", "Licence of the hypervisor, a core and a year", "money")
KWH = _price("cost.kwh", "Price of a kWh", "money")
RATE = _price("cost.rate", "Price of an hour of work", "money")
VM_HOURS = _price("cost.vmHours", "Hours of work with hypervisor, nodes and hosts of VMs", "h a year")
METAL_HOURS = _price("cost.metalHours", "Hours of work with nodes and hosts of metal", "h a year")
YEARS = Input(
    "cost.years", "Years that hosts serve", "years", Evidence("assumption", "usual write-off"), 4, 3, 6, 1, 15
)
WATTS = Input(
    "cost.watts",
    "Power that a host draws",
    "W",
    Evidence("assumption", "a server with two CPUs"),
    600,
    250,
    900,
    0,
    5000,
)
PUE = Input(
    "cost.pue",
    "Power usage effectiveness",
    "",
    Evidence("measured", "1.58 on average in 2023, Uptime Institute, as quoted by upsite.com"),
    1.58,
    1.1,
    1.9,
    1.0,
    4.0,
)


def planned(case: Case, values: Values) -> Numbers:
    return _total(case, values, case.host_count)


def needed(case: Case, values: Values) -> Numbers:
    return _total(case, values, fewest(case, values))


def _total(case: Case, values: Values, count: Numbers) -> Numbers:
    """Of so many hosts, each as those of the plan are on average."""
    if not case.site.hosts:
        raise NoAnswer(f"the hosts of {case.stack} are a provider's, or not known")
    years, (thread, memory) = values[YEARS.id], case.mean_host
    money = count * model.host_cost(thread, memory / GIB, values[HOST.id], values[THREAD.id], values[MEMORY.id])
    money += model.power_cost(count, values[WATTS.id], values[PUE.id], values[KWH.id], years)
    if case.virtual:
        money += model.licensed_cores(count, thread) * values[LICENCE.id] * years
    hours = values[VM_HOURS.id] if case.virtual else values[METAL_HOURS.id]
    return money + model.work_cost(hours, values[RATE.id], years)


_PRICED = (HOST, THREAD, MEMORY, LICENCE, KWH, RATE, VM_HOURS, METAL_HOURS, YEARS, WATTS, PUE)
_FUNCTIONS = (model.host_cost, model.power_cost, model.licensed_cores, model.work_cost)
_WHY = (
    "Hosts, power, licences of the hypervisor and work; storage and network are taken as equal, a provider's rent is "
    "not modelled. Every price is yours: none is hidden, and without them this is not answered. "
)

QUESTIONS = (
    Question(
        id="cost.planned",
        title="Cost of the plan over the years that hosts serve",
        unit="money",
        why=_WHY + "All hosts of a site of VMs count, also for what else runs on them.",
        inputs=_PRICED,
        model=planned,
        functions=_FUNCTIONS,
    ),
    Question(
        id="cost.needed",
        title="Cost of the hosts that the workloads need",
        unit="money",
        why=_WHY + "The hosts are those of sizing.needed, so it also shows from which demand on a kind is cheaper.",
        inputs=(*_PRICED, DEMAND, OVERCOMMIT),
        model=needed,
        functions=_FUNCTIONS,
    ),
)
