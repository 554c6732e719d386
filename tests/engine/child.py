"""One run of the engine with the program of a project inline, as the Automation API does it. Prints the result as JSON.

Not with the Automation API's own stacks: each of their runs starts the CLI four times more, for answers that no test
reads, and none of them previews before it changes anything.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

ARGUMENTS: Mapping[str, Sequence[str]] = {
    "preview": ("preview", "--json", "--show-sames"),
    "up": ("up", "--yes", "--skip-preview"),
    "preview and up": ("up", "--yes"),
    "destroy": ("destroy", "--yes", "--skip-preview"),
}
"""Of the CLI, by what a test calls it."""


def main(root: str, stack: str, operation: str, packs: Sequence[str]) -> dict[str, Any]:
    os.chdir(root)
    sys.path.insert(0, root)

    def program() -> None:
        runpy.run_path(root, run_name="__main__")

    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", 400 * 1024 * 1024)])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # Ctrl-C is for the CLI: it tells everybody else.
    signal.signal(signal.SIGINT, lambda *_: None)
    with TemporaryDirectory() as folder:
        events = Path(folder) / "events"
        done = subprocess.run(
            [
                *("pulumi", *ARGUMENTS[operation], "--stack", stack, "--non-interactive", "--color", "never"),
                *(f"--client=127.0.0.1:{port}", "--exec-kind", "auto.inline", "--event-log", str(events)),
                *(argument for pack in packs for argument in ("--policy-pack", pack)),
            ],
            env=os.environ | {"PULUMI_DEBUG_COMMANDS": "true"},  # without it there is no --event-log
            capture_output=True,
            text=True,
            check=False,
        )
        found = list(_events(events))
    server.stop(0)
    told = done.stdout if operation == "preview" else ""
    return {"error": f"{done.stdout}\n{done.stderr}" if done.returncode else "", "told": told, **_sorted(found)}


def _events(log: Path) -> Iterator[Mapping[str, Any]]:
    for line in log.read_text("utf-8").splitlines() if log.exists() else ():
        yield json.loads(line)


def _sorted(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """[documented] pulumi sdk/go/common/apitype/events.go"""
    steps = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
    said = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
    policies = [event["policyEvent"] for event in events if "policyEvent" in event]
    return {
        "steps": [(step["op"], step["urn"]) for step in steps],
        "diagnostics": [found["message"] for found in said if found["severity"] != "debug"],
        "policies": [
            {
                "urn": found.get("resourceUrn", ""),
                "pack": found["policyPackName"],
                "rule": found["policyName"],
                "level": found["enforcementLevel"],
                "message": found["message"],
            }
            for found in policies
        ],
    }


if __name__ == "__main__":
    print("\n" + json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])))
