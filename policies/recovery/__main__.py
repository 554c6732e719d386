"""The policy pack recovery, as Pulumi runs it."""

import sys
from pathlib import Path

# Pulumi runs a pack from anywhere, with nothing but the pack's own folder to import from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from policies.pack import pack
from policies.recovery.rules import RULES

pack("recovery", RULES)
