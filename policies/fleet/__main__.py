"""The policy pack fleet, as Pulumi runs it."""

import sys
from pathlib import Path

# Pulumi runs a pack from anywhere, with nothing but the pack's own folder to import from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from policies.fleet.rules import RULES
from policies.pack import pack

pack("fleet", RULES)
