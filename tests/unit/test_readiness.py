"""Readiness: the wait for an API ends when it answers with the cluster's own CA, and says why it does not."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trustme

from components import readiness


@contextmanager
def api(ca: trustme.CA, *statuses: int) -> Iterator[str]:
    """A server on loopback that answers /readyz with these statuses in turn, the last one for ever."""
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(b"[-]etcd failed" if status != 200 else b"ok")

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


def trusting(ca: trustme.CA) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PAUSE_SECONDS", 0.01)


def test_ready(ca: trustme.CA) -> None:
    with api(ca, 200) as server:
        assert readiness.wait(server, trusting(ca), 5) == ""


def test_ready_after_a_while(ca: trustme.CA) -> None:
    with api(ca, 500, 503, 200) as server:
        assert readiness.wait(server, trusting(ca), 5) == ""


def test_never_ready_says_the_last_reason(ca: trustme.CA) -> None:
    with api(ca, 500) as server:
        assert readiness.wait(server, trusting(ca), 0.1) == "/readyz answers 500: [-]etcd failed"


def test_another_cluster_at_the_address(ca: trustme.CA) -> None:
    with api(trustme.CA(), 200) as server:
        reason = readiness.wait(server, trusting(ca), 0.1)
    assert reason.startswith("another server answers there, its certificate is not of this cluster's CA")


def test_nobody_there(ca: trustme.CA) -> None:
    with api(ca, 200) as server:
        gone = server
    assert readiness.wait(gone, trusting(ca), 0.1).startswith("no answer: ")


def test_the_program_tells_what_to_do(
    ca: trustme.CA, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with api(ca, 503) as server:
        for name, value in {"SERVER": server, "CA": ca.cert_pem.bytes().decode(), "SECONDS": "0"}.items():
            monkeypatch.setenv(name, value)
        assert readiness.main() == 1
    message = capsys.readouterr().err
    assert f"{server} is not ready after 0 s: /readyz answers 503" in message
    assert "cloud-init status --long" in message
