"""`python -m isostack`."""

import sys

try:
    from isostack.cli import main

    main()
except KeyboardInterrupt:  # while the command line itself was loading
    sys.exit(130)
