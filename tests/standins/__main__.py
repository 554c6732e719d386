"""One stand-in as a plugin: `python -m tests.standins NAME`. Without a name all of them, for engines to attach to."""

from __future__ import annotations

import os
import sys

from tests.standins.packages import PACKAGES
from tests.standins.server import serve, started

if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1], PACKAGES[sys.argv[1]]())
    else:
        running = {name: started(name, package()) for name, package in PACKAGES.items()}
        # As the engine wants it in PULUMI_DEBUG_PROVIDERS.
        print(",".join(f"{name}:{port}" for name, (_, port) in running.items()), flush=True)
        sys.stdin.read()  # until whoever has started it closes it, or ends
        os._exit(0)
