"""One run of the engine: the Automation API with the program of a project inline. Prints the result as JSON."""

from __future__ import annotations

import json
import os
import runpy
import sys
from typing import Any

from pulumi import automation


def main(root: str, stack: str, operation: str, packs: list[str]) -> dict[str, Any]:
    os.chdir(root)
    sys.path.insert(0, root)
    steps: list[tuple[str, str]] = []
    diagnostics: list[str] = []
    policies: list[dict[str, Any]] = []

    def program() -> None:
        runpy.run_path(root, run_name="__main__")

    def on_event(event: automation.EngineEvent) -> None:
        if event.resource_pre_event:
            metadata = event.resource_pre_event.metadata
            steps.append((str(metadata.op.value), metadata.urn))
        elif event.diagnostic_event:
            diagnostics.append(event.diagnostic_event.message)
        elif event.policy_event:
            found = event.policy_event
            policies.append(
                {
                    "urn": found.resource_urn,
                    "pack": found.policy_pack_name,
                    "rule": found.policy_name,
                    "level": found.enforcement_level,
                    "message": found.message,
                }
            )

    opened = automation.select_stack(
        stack, project_name="isostack", program=program, opts=automation.LocalWorkspaceOptions(work_dir=root)
    )
    options: dict[str, Any] = {"on_event": on_event, "color": "never"}
    if operation in ("preview", "up") and packs:
        options["policy_packs"] = packs
    told = ""
    try:
        if operation == "preview --json":
            told = opened.preview(json=True).stdout
        else:
            getattr(opened, operation)(**options)
        error = ""
    except automation.CommandError as failed:
        error = str(failed)
    return {"error": error, "steps": steps, "diagnostics": diagnostics, "policies": policies, "told": told}


if __name__ == "__main__":
    print("\n" + json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])))
