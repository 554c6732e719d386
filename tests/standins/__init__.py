"""Stand-ins for Pulumi's provider plugins, which take a download: strict about what a program gives them.

Each is one process of `python -m tests.standins NAME`, on the protocol of the real ones. What they know of a resource
(inputs, types, what must be given, what replaces it) stands in NAME.json with its source.
"""
