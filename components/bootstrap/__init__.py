"""User data: pure functions from the plan to one cloud-config per machine."""

from __future__ import annotations

from components.bootstrap.late import Late
from components.bootstrap.render import facts, render

__all__ = ["Late", "facts", "render"]
