"""The table of the embedded preview against Pulumi's own SDK for the same registrations.

`python -m scripts.benchmarks.embedded NAME ARGUMENT...` is one measurement, see `children`.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from scripts.benchmarks.project import ROOT, scratch

RESULT = os.dup(1)
"""Where a child writes what it measured: the engine takes the standard output of what it runs."""


def child(what: str, *arguments: str) -> dict[str, Any]:
    """One measurement in a process of its own; see `children` for what there is."""
    command = [sys.executable, "-P", "-m", "scripts.benchmarks.embedded", what, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


# Children: `isostack` runs the real program of a stack in the embedded engine; `sdk` registers the same resources, with
# the same inputs, under the SDK's own mocks. Both with the garbage collector off and all modules imported beforehand.


def measured(start: tuple[float, float], count: int) -> None:
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    os.write(RESULT, json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "resources": count}).encode())


def clock() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def child_isostack(folder: str, stack: str, pickled: str) -> None:
    """Everything from the loading of the spec to the finished Preview."""
    import pulumi_vsphere  # noqa: F401

    import components.cluster  # noqa: F401
    import isostack.preview.preload  # noqa: F401
    from isostack.preview.child import run
    from isostack.preview.model import Preview
    from isostack.preview.protocol import Job
    from isostack.stacks import find_project

    project = find_project(Path(folder))
    file = project.stack(stack)
    job = Job(str(project.root), project.name, stack, file.config, file.secret_keys, dict(os.environ))
    start = clock()
    result = run(job)
    if not isinstance(result, Preview):
        raise SystemExit(str(result))
    measured(start, len(result.resources))
    if pickled:
        Path(pickled).write_bytes(pickle.dumps(result))


def child_sdk(pickled: str) -> None:
    """A bare program: the resources of a finished Preview, made with their providers' own classes, nothing else."""
    import asyncio
    import gc

    import pulumi
    from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks, set_mocks
    from pulumi.runtime.stack import wait_for_rpcs

    from components.kube import Manifest
    from isostack.preview.model import UNKNOWN, Preview, Secret

    class Echo(Mocks):
        def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            return f"{args.name}-id", args.inputs

        def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
            return {}, None

    def value(given: Any) -> Any:
        if given is UNKNOWN:
            return pulumi.UNKNOWN
        if isinstance(given, Secret):
            return pulumi.Output.secret(value(given.value))
        if isinstance(given, dict):
            return {key: value(item) for key, item in given.items()}
        return [value(item) for item in given] if isinstance(given, list | tuple) else given

    preview: Preview = pickle.loads(Path(pickled).read_bytes())
    classes = provider_classes()

    async def program() -> None:
        made: dict[str, pulumi.Resource] = {}
        for r in preview.resources[1:]:
            opts = pulumi.ResourceOptions(
                parent=made.get(r.parent or ""),
                depends_on=[made[urn] for urn in r.dependencies if urn in made],
                protect=r.protect or None,
                ignore_changes=list(r.ignore_changes) or None,
            )
            inputs = value(dict(r.inputs))
            if r.type in classes:
                made[r.urn] = classes[r.type](r.name, opts=opts, **{snake(key): item for key, item in inputs.items()})
            elif r.custom:
                kind, version = inputs.pop("kind"), inputs.pop("apiVersion")
                made[r.urn] = Manifest(r.name, api_version=version, kind=kind, body=inputs, opts=opts)
            else:
                made[r.urn] = pulumi.ComponentResource(r.type, r.name, inputs, opts)
        await wait_for_rpcs()

    gc.collect()
    gc.freeze()
    gc.disable()
    start = clock()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    set_mocks(Echo(), preview=True)
    loop.run_until_complete(program())
    measured(start, len(preview.resources))


def provider_classes() -> dict[str, Any]:
    """The providers' resource classes by type token, as far as the components use them."""
    import pulumi_kubernetes
    import pulumi_random
    import pulumi_tls
    import pulumi_vsphere
    from pulumi_command.local import Command
    from pulumi_kubernetes.helm.v3 import Release

    found = (item for module in (pulumi_random, pulumi_tls, pulumi_vsphere) for item in vars(module).values())
    classes = [item for item in found if isinstance(item, type) and hasattr(item, "pulumi_type")]
    return {item.pulumi_type: item for item in (*classes, Command, Release, pulumi_kubernetes.Provider)}


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


children: Mapping[str, Callable[..., None]] = {"isostack": child_isostack, "sdk": child_sdk}


def table(runs: int, sizes: Sequence[int]) -> None:
    print("| machines | resources | isostack CPU s | ms a resource | bare SDK CPU s | ratio | peak MB | KB a machine |")
    print("|---|---|---|---|---|---|---|---|")
    for machines in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder, pickled = Path(name), str(Path(name) / "preview.pickle")
            stack = scratch(folder, machines)
            child("isostack", name, stack, pickled)  # warm-up, and what the bare program registers
            ours, bare = [], []
            for _ in range(runs):
                ours.append(child("isostack", name, stack, ""))
                bare.append(child("sdk", pickled))
        cpu, sdk = median(o["cpu"] for o in ours), median(b["cpu"] for b in bare)
        ratio = median(o["cpu"] / b["cpu"] for o, b in zip(ours, bare, strict=True))
        count, peak = ours[0]["resources"], median(o["peak"] for o in ours)
        print(
            f"| {machines} | {count} | {cpu:.2f} | {1000 * cpu / count:.2f} | {sdk:.2f} | {ratio:.2f} | {peak:.0f} "
            f"| {1024 * peak / machines:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    children[sys.argv[1]](*sys.argv[2:])
