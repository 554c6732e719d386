"""The tool around the reference architecture: previews, comparison, checks, command line."""

VERSION = "0.1.0"
"""As pyproject.toml has it."""
