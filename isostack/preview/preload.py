"""What every stack's program imports: loaded once, in the fork server, and shared by all children.

Importing it there saves each child about a second [measured]. It must start no thread and no event loop, since a
process with either cannot be forked safely.
"""

from __future__ import annotations

import gc
import os

# With this variable set, importing pulumi starts a thread that exports traces (pulumi/runtime/_instrumentation.py).
os.environ.pop("TRACEPARENT", None)

import pulumi
import pulumi.runtime  # noqa: F401
import pulumi_command  # noqa: F401
import pulumi_kubernetes  # noqa: F401
import pulumi_random  # noqa: F401
import pulumi_tls  # noqa: F401

import isostack.preview.child  # noqa: F401

gc.collect()
# What is loaded here lives as long as the process: no collection needs to look at it, or touch its shared pages.
gc.freeze()
