"""Target equinix: Equinix Metal devices."""
