"""One stand-in: `python -m tests.standins NAME`."""

from __future__ import annotations

import sys

from tests.standins.packages import PACKAGES
from tests.standins.server import serve

if __name__ == "__main__":
    serve(sys.argv[1], PACKAGES[sys.argv[1]]())
