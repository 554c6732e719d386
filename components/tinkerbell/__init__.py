"""Target tinkerbell: own hardware, provisioned by Tinkerbell."""
