"""The control plane: which loss takes etcd's majority, and with it the API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from components.rules import Evidence, Param, Params, Raw, Rule, Stack, Undecided, Violation, percent
from isostack.assess.capacity import fatal_members, quorum_lost
from isostack.assess.recovery import restarted
from policies.placed import hosts, most, of_pool, restarting
from policies.recovery.hosts import ANTI_AFFINITY
from policies.words import count, named, seconds

VM = "vsphere:index/virtualMachine:VirtualMachine"
MAJORITY = Evidence("documented", "etcd.io/docs/v3.6/faq: n members bear the loss of (n - 1) / 2")
HUMAN = Param(
    name="humanSeconds",
    default=1800,
    minimum=0,
    maximum=86400,
    description="Time until a person has seen the loss of a host and acts.",
    evidence=Evidence("assumption", "half an hour, by day"),
)


def check_apart(stack: Stack, params: Params) -> Iterator[Violation]:
    machines = of_pool(stack, "control-plane")
    names = [machine.wanted.name for machine in machines]
    fatal = fatal_members(len(names))
    there = sum(len(site.hosts) for site in stack.sites)
    if len(names) < 2:
        return
    host, held = most(hosts(stack, machines))
    if held >= fatal:
        yield Violation(
            "hosts",
            f"{host} holds {held} of {len(names)} etcd members, and {fatal} lost are no majority any more: its loss "
            f"stops the API {_until(stack)}",
            tuple(machine.wanted.name for machine in machines if machine.place.host == host),
            of="target",
        )
        return
    vms = [vm for vm in stack.raw(VM) if vm.machine in names]
    if not vms or not there:
        return
    held_apart = [_members(rule, vms) for rule in stack.raw(ANTI_AFFINITY) if rule.get("enabled") is not False]
    kept = max(held_apart, key=len, default=frozenset())
    loose = [name for name in names if name not in kept]
    # What may still come together: all that no rule names, with one of those that it does.
    if len(loose) + bool(kept) >= fatal:
        yield Violation(
            "control-plane",
            f"no anti-affinity rule holds {named(loose)} apart: DRS and HA may put {fatal} of {len(names)} etcd "
            f"members on one host\nplaced at random on {count(there, 'host')}, a lost host takes the majority with p = "
            f"{percent(quorum_lost(len(names), there))}: the API stops {_until(stack)}",
            tuple(loose),
            of="resource",
        )


def _members(rule: Raw, vms: Sequence[Raw]) -> frozenset[str]:
    """The machines that a rule names: by what its ids are made of, or by the ids themselves where they are typed in."""
    made_of = set(rule.sources.get("virtualMachineIds", ()))
    if made_of:
        return frozenset(vm.machine for vm in vms if vm.urn in made_of)
    ids = [rule.get("virtualMachineIds", i) for i in range(len(rule.get("virtualMachineIds") or ()))]
    return frozenset(vm.machine for vm in vms if ids and _uuid(vm) in ids)


def _uuid(vm: Raw) -> str:
    """Not every preview says of what a provider adds that it is unknown."""
    if (uuid := vm.get("uuid")) is None:
        raise Undecided(f"uuid of {vm.name} is known only after `pulumi up`")
    return str(uuid)


def _until(stack: Stack) -> str:
    site = restarting(stack)
    return f"for {seconds(restarted(len(site.hosts)))}, until HA has restarted them" if site else "until it is back"


def check_zones(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    members = Counter(machine.wanted.zone for machine in of_pool(stack, "control-plane"))
    total = sum(members.values())
    if len(spec.zones) < 2 or total < 2:
        return
    zone, held = most(members)
    if held >= fatal_members(total):
        yield Violation(
            "zones",
            f"zone {zone} holds {held} of {total} control-plane nodes, and etcd needs {total // 2 + 1}: its loss stops "
            "the API, that of another zone does not",
        )


def check_single(stack: Stack, params: Params) -> Iterator[Violation]:
    spec = stack.cluster.wanted
    if spec.control_plane.nodes > 1:
        return
    site = restarting(stack)
    if site:
        how = f"are away for {seconds(restarted(len(site.hosts)))} when their host is lost, and come back as they were"
    else:
        backup = spec.backup.etcd
        state = f"a snapshot up to {backup.every / 3600:.2g} h old" if backup else "nothing: there is no backup"
        how = (
            f"are away until a person acts, {seconds(params['humanSeconds'])} [assumption] and the time to build "
            f"them anew: nothing restarts them\nwhere the disk is lost too, what comes back is {state}"
        )
    yield Violation("controlPlane.nodes", f"1: the API and the only etcd {how}")


RULES = (
    Rule(
        id="rec-cp-anti-affinity",
        title="One host may take the majority of etcd",
        severity="critical",
        level="mandatory",
        claims=(12, 11),
        remediation=(
            "Keep all control-plane VMs in one enabled ComputeClusterVmAntiAffinityRule, and give the target config a "
            "host for each (hosts); with fewer hosts than members, controlPlane.nodes: 1 is the honest size."
        ),
        evidence=(
            MAJORITY,
            Evidence(
                "documented",
                "github.com/aws/eks-anywhere/issues/3642: nodes end up on one ESXi host, and rules made by hand lose "
                "their VMs with every replacement",
            ),
            Evidence("assumption", "model: members placed at random: isostack/assess/capacity.py, quorum_lost"),
        ),
        check=check_apart,
        why="etcd needs a majority of its members. Three VMs look like three failure domains, but two of them on one "
        "host are one: its loss stops the API. Where the VMs start is planned; afterwards only a DRS rule keeps them "
        "apart. A rule that names two of three leaves the third free to join them.",
        machines=frozenset({"vm"}),
        reads=(ANTI_AFFINITY, VM),
    ),
    Rule(
        id="rec-quorum-zone",
        title="One zone holds the majority of etcd",
        severity="medium",
        level="advisory",
        claims=(12, 11),
        remediation="Name a third zone (zones), be it a small one, or expect the loss of that zone to stop the API.",
        evidence=(MAJORITY,),
        check=check_zones,
        why="With two zones one always holds the majority of etcd, however many members there are. The cluster then "
        "survives the loss of the other zone alone. This is the same on every target.",
    ),
    Rule(
        id="rec-control-plane-single",
        title="The API and etcd stand on one node",
        severity="medium",
        level="advisory",
        claims=(11, 12),
        remediation="Set controlPlane.nodes: 3, or accept it: pods run on while the API is away, but nothing is "
        "replaced.",
        evidence=(
            MAJORITY,
            Evidence("assumption", "model: isostack/assess/recovery.py, restarted; guest boot 60 s"),
        ),
        check=check_single,
        params=(HUMAN,),
        why="With one control-plane node there is no API while it is away: running pods stay, and none is moved or "
        "started. vSphere HA brings the same node back within minutes; a lost host of metal waits for a person, and "
        "its disk may be lost with it. Here a VM is worth most.",
    ),
)
