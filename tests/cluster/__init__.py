"""User data and objects of the example stacks, held against the real Kubernetes programs."""
