"""Fleet: what the objects of Tinkerbell say of hosts, those of the inventory and those that somebody has added."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import HIDDEN, Evidence, Param, Params, Raw, Rule, Stack, Violation, figure
from isostack.assess.fleet import rebuild_seconds
from policies.words import count, named

HARDWARE = "kubernetes:tinkerbell.org/v1alpha1:Hardware"
WORKFLOW = "kubernetes:tinkerbell.org/v1alpha1:Workflow"
BMC = "kubernetes:bmc.tinkerbell.org/v1alpha1:Machine"


def check_bmc(stack: Stack, params: Params) -> Iterator[Violation]:
    """Hosts without a BMC: by name where their objects are there, otherwise as the site says."""
    dumb = [hardware.name for hardware in stack.raw(HARDWARE) if not hardware.get("spec", "bmcRef", "name")]
    if not dumb and all(site.power_control for site in stack.sites):
        return
    who = f"{count(len(dumb), 'host')} without a BMC ({named(dumb)})" if dumb else "hosts without a BMC"
    yield Violation(
        "inventory",
        f"{who}: nothing powers them off or boots them from the network\n"
        f"a rebuild of {figure(rebuild_seconds() / 60)} min waits for a person first, "
        f"{params['personMinutes']:g} min [assumption]\n"
        "such a host cannot be fenced: where its node is lost, pods with a volume wait for that person too",
        tuple(dumb),
        of="target",
    )


def check_twice(stack: Stack, params: Params) -> Iterator[Violation]:
    """One violation for each pair of objects, with all that they share."""
    owners: dict[tuple[str, str, str], list[Raw]] = {}
    for what, value, scope, owner in _claims(stack):
        if value == HIDDEN:  # alike, whatever stands behind it
            continue
        found = owners.setdefault((what, value, scope), [])
        if owner not in found:
            found.append(owner)
    shared: dict[tuple[str, ...], list[str]] = {}
    for (what, value, _), found in owners.items():
        if len(found) > 1:
            shared.setdefault(tuple(each.name for each in found), []).append(f"{what} {value}")
    for names, things in shared.items():
        yield Violation(
            names[-1],
            f"{', '.join(things)}: also of {named(names[:-1])}\n"
            "whichever is meant, the other may be powered off or imaged while it carries a node",
            names,
            of="resource",
        )


def _claims(stack: Stack) -> Iterator[tuple[str, str, str, Raw]]:
    """What an object has to itself, and where that holds: everywhere, or in a namespace."""
    for hardware in stack.raw(HARDWARE):
        for i, _ in enumerate(hardware.get("spec", "interfaces") or ()):
            for what, path in _OF_INTERFACE.items():
                if value := hardware.get("spec", "interfaces", i, "dhcp", *path):
                    yield what, str(value).lower(), "", hardware
        if bmc := hardware.get("spec", "bmcRef", "name"):
            yield "bmcRef", bmc, _namespace(hardware), hardware
    for machine in stack.raw(BMC):
        if host := machine.get("spec", "connection", "host"):
            yield "BMC", str(host).lower(), "", machine
    for workflow in stack.raw(WORKFLOW):
        if host := workflow.get("spec", "hardwareRef"):
            yield "hardwareRef", host, _namespace(workflow), workflow


_OF_INTERFACE = {"MAC": ("mac",), "hostname": ("hostname",), "address": ("ip", "address")}


def _namespace(raw: Raw) -> str:
    return str(raw.get("metadata", "namespace"))


NO_BMC = Rule(
    id="fleet-no-bmc",
    title="Hosts that nothing can power off or boot from the network",
    severity="high",
    # A host may be booted by hand on purpose.
    level="advisory",
    claims=(2, 11),
    remediation="Write bmc_ip of these hosts into the inventory, and isostack:bmcUsername and isostack:bmcPassword.",
    evidence=(
        Evidence(
            "documented",
            "github.com/tinkerbell/tinkerbell v0.25: a Workflow with a bootMode fails where the Hardware has no "
            "bmcRef; one without waits until a person boots the host",
        ),
        Evidence(
            "documented",
            "kubernetes.io/docs/concepts/cluster-administration/node-shutdown: volumes of a node that does not answer "
            "are detached only once it is known to be off",
        ),
        Evidence("measured", "POST 531 s: gitlab.com/testing-farm/infrastructure MR 1526; the rest is assumed"),
    ),
    check=check_bmc,
    params=(
        Param(
            name="personMinutes",
            default=30,
            minimum=0,
            maximum=10_080,
            description="Minutes until a person stands before the host.",
            evidence=Evidence("assumption", "somebody on call in the same building"),
        ),
    ),
    machines=frozenset({"host"}),
    reads=(HARDWARE,),
    why="A hypervisor can always power a VM off and on. A host needs its BMC for that. Without one a rebuild begins "
    "with a person, and nobody can tell a dead node from one that is only cut off, so its volumes stay attached.",
)
TWICE = Rule(
    id="fleet-hardware-twice",
    title="Two objects of Tinkerbell claim one host",
    severity="critical",
    level="mandatory",
    claims=(2, 7),
    remediation="Give each Hardware, BMC and Workflow what is its own, or delete the one that is left over.",
    evidence=(
        Evidence(
            "documented",
            "https://github.com/tinkerbell/tinkerbell/issues/460: Hardware that is not unique leads to undefined "
            "behaviour, and nothing refuses it",
        ),
        Evidence("documented", "creating a Workflow images the host that it names: components/tinkerbell/site.py"),
    ),
    check=check_twice,
    machines=frozenset({"host"}),
    reads=(HARDWARE, BMC, WORKFLOW),
    why="Tinkerbell finds a host by its MAC, and its BMC by an address. Two objects that share one stand for the same "
    "host: a Workflow of the one images what runs as the other. The inventory of one stack is checked when it is read; "
    "this rule also sees objects that were added by hand and those of another cluster in the same stack.",
)
