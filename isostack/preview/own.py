"""What is run imports its own project's modules, also where the fork server has ours of the same name loaded."""

from __future__ import annotations

import sys
from pathlib import Path

_OURS = Path(__file__).resolve().parents[2]
_NAMES = ("components", "policies")


def give_way(root: Path) -> None:
    """Forget our modules of these names, unless the project at `root` has the same files."""
    for name in _NAMES:
        if (root / name).resolve() != _OURS / name:
            for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[loaded]
