"""Stand-in for the SDK's callback server, through which a real engine calls functions of the program."""

from __future__ import annotations

from typing import Any, NoReturn

from isostack.preview.monitor import Monitor


class Callbacks:
    """Takes hooks and invoke transforms, which change nothing that a preview shows; refuses what would.

    Same methods as pulumi.runtime._callbacks._CallbackServicer, without a server: a preview opens no port.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def register_resource_hook(self, hook: Any) -> None:
        """Hooks run when a resource is created, changed or deleted."""

    def register_error_hook(self, hook: Any) -> None:
        """Error hooks run when an operation has failed."""

    def register_invoke_transform(self, transform: Any) -> None:
        """Data sources are unknown, whatever their arguments."""

    def register_transform(self, transform: Any) -> NoReturn:
        self._monitor.refuse(
            "resource transforms run inside the engine, and a preview without it cannot show what they change;"
            " use `transformations`, or `pulumi preview` for this stack"
        )

    register_stack_transform = register_transform
