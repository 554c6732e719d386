"""What runs in a child process: one stack's program, as the Python language host would run it, under our monitor.

[documented] github.com/pulumi/pulumi, sdk/python/cmd/pulumi-language-python-exec.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import runpy
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pulumi.runtime import Settings, configure, run_in_stack
from pulumi.runtime.settings import SETTINGS

from isostack.preview.callbacks import Callbacks
from isostack.preview.config import set_config
from isostack.preview.failure import explain
from isostack.preview.model import Preview
from isostack.preview.monitor import Engine, Monitor
from isostack.preview.own import give_way
from isostack.preview.protocol import Job, PreviewFailed
from isostack.preview.transcript import Transcript

T = TypeVar("T")


def run(job: Job) -> Preview | Exception:
    """The preview; or PreviewFailed; or the program's own exception where that tells the `problems` of its input."""
    root = Path(job.root)
    transcript = Transcript()
    monitor = Monitor(job.project, job.stack, root)
    # The SDK's objects all live until the end. Looking through them for garbage finds nothing and takes longer than
    # the program itself: 4,000 resources need 29 s with the collector, 11 s and no more memory without [measured].
    gc.disable()
    try:
        failure = _run_program(job, root, monitor, Engine(transcript))
    except Exception as error:
        if bad_input := _bad_input(error):
            return bad_input
        failure = explain(error, root)
    # What the engine refuses ends the preview, whatever the program or the SDK has made of the error.
    if failure := str(monitor.refusal or failure or ""):
        return PreviewFailed(job.stack, failure, transcript.messages())
    resources = monitor.resources()
    return Preview(job.project, job.stack, resources, resources[0].outputs, transcript.messages())


def _run_program(job: Job, root: Path, monitor: Monitor, engine: Engine) -> str | None:
    """Runs `__main__.py` at the root and all that it leaves to be done. Returns what is wrong with its exit code."""
    if not (root / "__main__.py").is_file():
        return f"unable to find main python program `__main__.py` in `{root}`"
    give_way(root)
    os.chdir(root)
    sys.path.insert(0, job.root)
    sys.argv = [job.root]
    set_config(job.config, job.secret_keys)
    configure(_settings(job, monitor, engine))
    # A failed program leaves futures that nobody has looked at; asyncio would complain of each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(_DirectCalls())
    try:
        loop.run_until_complete(run_in_stack(lambda: _run_main(job.root)))
    except SystemExit as exit_:
        if exit_.code not in (None, 0):
            return f"the program left with sys.exit({exit_.code!r})"
    return None


def _bad_input(error: Exception) -> Exception | None:
    """The exception itself or a cause it names: a program may raise a RunError from it, for the Pulumi CLI."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__) and cause not in chain:  # the SDK raises some exceptions from themselves
        chain.append(cause)
    return next((link for link in chain if isinstance(link, Exception) and hasattr(link, "problems")), None)


async def _run_main(root: str) -> None:
    runpy.run_path(root, run_name="__main__")
    await _settle()


async def _settle() -> None:
    """Waits for the program's outputs, all at once. The SDK's own wait looks at all of them again after each.

    500 machines have 18,000 outputs, and the SDK's wait takes a third of the time [measured]. What has failed is left
    for it to raise.
    """
    while waiting := [output for output in SETTINGS.outputs if not output.done()]:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
        if any(output.cancelled() or output.exception() for output in done):
            return


def _settings(job: Job, monitor: Monitor, engine: Engine) -> Settings:
    settings = Settings(
        project=job.project,
        stack=job.stack,
        monitor=monitor,
        engine=engine,
        dry_run=True,
        organization="organization",  # the language host's own, where there is no login
        root_directory=job.root,
    )
    settings.callbacks = Callbacks(monitor)
    return settings


class _DirectCalls(ThreadPoolExecutor):
    """Calls our monitor at once, in the event loop's thread, where the SDK would have a thread wait for the network.

    So registrations keep the program's order. What the program itself sends to the executor gets its thread.
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        # The SDK wraps each call of the monitor, and nothing else, in a function of this module.
        if getattr(fn, "__module__", None) != "pulumi.runtime._context":
            return super().submit(fn, *args, **kwargs)
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
