"""Assessments: what a choice costs, as pure functions with their sources."""
