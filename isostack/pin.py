"""`isostack plan --pin`: writes into the stack file on which host each machine stands, so that nothing moves later."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from components.load import TARGET
from components.plan import Plan
from components.problems import InvalidInput, Problem, listed
from isostack.writing import replacing

KEYS = (TARGET[1], str(TARGET[1]).replace(":", ":config:", 1), str(TARGET[1]).partition(":")[2])
"""How Pulumi lets the key of the target config be written, beside its short form in a project of our name."""
FIELD = "assignments"
"""Where a target config that can be pinned keeps host by machine."""


def write_pins(path: Path, plan: Plan) -> str:
    """Write the plan's hosts into the stack file, comments kept, and say what was done. What is pinned is left alone,
    also for a machine that is gone: its host still runs it until the next `up`.

    Raises InvalidInput where there is nothing to pin, or no place to write it.
    """
    if FIELD not in type(plan.target).model_fields:
        what = f"target {plan.kind} has nothing to pin"
        raise InvalidInput([Problem(what, "its machines keep their place without it", file=str(path))])
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 200
    text = path.read_bytes().decode("utf-8-sig")
    document = yaml.load(text)
    config = document.get("config") if isinstance(document, CommentedMap) else None
    target = next((config[key] for key in KEYS if key in config), None) if isinstance(config, CommentedMap) else None
    if not isinstance(target, CommentedMap):
        what = "the target config is no mapping in this file: pins cannot be written into it"
        raise InvalidInput(
            [Problem(what, f"write {':, '.join(map(str, TARGET))}: and its fields as YAML", TARGET, str(path))]
        )
    pins = target.get(FIELD) or CommentedMap()
    wanted = {machine.name: str(machine.place.host) for machine in plan.machines}
    new = {name: host for name, host in wanted.items() if name not in pins}
    if new:
        pins.update(new)
        pins.fa.set_block_style()
        target[FIELD] = pins
        with replacing(path, "\r\n" if "\r\n" in text else "\n") as file:
            yaml.dump(document, file)
    where = f" ({listed([f'{name} on {host}' for name, host in new.items()])})" if new else ""
    return (
        f"{path}: pinned {len(new)} machine{'' if len(new) == 1 else 's'}{where}, {len(wanted) - len(new)} were pinned"
    )
