"""The out-of-service taint: what says that a node is off, and may only be said of one that is."""

from __future__ import annotations

from collections.abc import Iterator

from components.rules import Evidence, Params, Raw, Rule, Stack, Undecided, Violation
from policies.words import named

KEY = "node.kubernetes.io/out-of-service"
NODES = ("kubernetes:core/v1:Node", "kubernetes:core/v1:NodePatch")


def check_taint(stack: Stack, params: Params) -> Iterator[Violation]:
    what = (
        "volumes are detached by force and its pods deleted, whether it runs or not: a disk with two writers is corrupt"
    )
    pools = [pool.name for pool in stack.cluster.wanted.pools if any(taint.key == KEY for taint in pool.taints)]
    if pools:
        which = f" of {named(pools)}" if len(pools) > 1 else ""
        yield Violation(f"pools.{pools[0]}.taints", f"{KEY} on every node{which} from its birth: {what}", tuple(pools))
    found, undecided = dict[str, str](), None
    for node in stack.raw(*NODES):
        try:
            if KEY in _keys(node):
                found[node.name] = str(node.get("metadata", "name") or node.name)
        except Undecided as error:
            undecided = undecided or error
    if found:
        yield Violation(
            next(iter(found)),
            f"{KEY} on {named(found.values())}, and nothing here powers {'it' if len(found) == 1 else 'them'} off "
            f"before: {what}",
            tuple(dict.fromkeys(found.values())),
            of="resource",
        )
    if undecided:
        raise undecided


def _keys(node: Raw) -> list[str]:
    return [node.get("spec", "taints", i, "key") for i in range(len(node.get("spec", "taints") or ()))]


RULES = (
    Rule(
        id="rec-taint-without-fence",
        title="A node is declared out of service without proof that it is off",
        severity="critical",
        level="mandatory",
        claims=(11, 6),
        remediation=(
            f"Take the taint {KEY} out of the program. A person sets it once the host is off, or "
            "fence-agents-remediation does, after it has powered the host off (availability.remediation)."
        ),
        evidence=(
            Evidence(
                "documented",
                "kubernetes.io/docs/concepts/cluster-administration/node-shutdown, Non-graceful node shutdown: to be "
                "set only where the node is known to be shut down or powered off",
            ),
            Evidence(
                "documented",
                "github.com/kubernetes/enhancements keps/sig-storage/2268-non-graceful-shutdown: force detach from a "
                "node that runs may corrupt data",
            ),
        ),
        check=check_taint,
        why="With this taint Kubernetes takes a node for dead: it deletes its pods and gives their volumes to other "
        "nodes. On a node that is only cut off from the network the old pods still write. So it belongs to whoever has "
        "just seen the host off, and into no program: a preview cannot see that.",
        reads=NODES,
    ),
)
