"""How the help names what a command can be asked about."""

SOURCES = "stacks, or JSON of `pulumi preview --json` or `pulumi stack export`, - for the standard input"
