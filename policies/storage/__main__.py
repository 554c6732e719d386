"""The policy pack storage, as Pulumi runs it."""

import sys
from pathlib import Path

# Pulumi runs a pack from anywhere, with nothing but the pack's own folder to import from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from policies.pack import pack
from policies.storage.rules import RULES

pack("storage", RULES)
