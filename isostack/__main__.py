"""`python -m isostack`."""

from isostack.cli import main

main()
