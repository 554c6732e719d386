"""The tool around the reference architecture: previews, comparison, checks, command line."""
