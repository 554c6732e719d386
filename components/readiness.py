"""Waits until a Kubernetes API answers /readyz with the given CA. Standard library only: it runs beside `pulumi up`.

Environment: SERVER (https://address:port), CA (PEM of the cluster's CA), SECONDS (how long to wait).
Exits 0 when the API is ready, 1 with the last reason when the time is over.
"""

from __future__ import annotations

import os
import ssl
import sys
import time
import urllib.error
import urllib.request

PAUSE_SECONDS = 5.0


def probe(server: str, context: ssl.SSLContext) -> str:
    """What keeps the API from being ready; empty when it is."""
    try:
        with urllib.request.urlopen(f"{server}/readyz", timeout=10, context=context) as reply:
            body: str = reply.read(1000).decode(errors="replace")
            return "" if reply.status == 200 else f"/readyz answers {reply.status}: {body}"
    except urllib.error.HTTPError as error:
        return f"/readyz answers {error.code}: {error.read(300).decode(errors='replace')}"
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            return f"another server answers there, its certificate is not of this cluster's CA: {error.reason}"
        return f"no answer: {error.reason}"
    except OSError as error:
        return f"no answer: {error}"


def wait(server: str, context: ssl.SSLContext, seconds: float) -> str:
    """Probe until the API is ready or the time is over; returns the last reason, empty when ready."""
    end = time.monotonic() + seconds
    while (reason := probe(server, context)) and time.monotonic() + PAUSE_SECONDS < end:
        time.sleep(PAUSE_SECONDS)
    return reason


def main() -> int:
    server, seconds = os.environ["SERVER"], float(os.environ["SECONDS"])
    context = ssl.create_default_context(cadata=os.environ["CA"])
    reason = wait(server, context, seconds)
    if reason:
        print(
            f"{server} is not ready after {seconds:.0f} s: {reason}\n"
            "Look at the first control-plane node: cloud-init status --long; /var/log/isostack-bootstrap.log",
            file=sys.stderr,
        )
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
