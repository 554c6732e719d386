"""The reference architecture: from one spec to Pulumi resources on every target."""
