"""An OpenID Connect issuer on the loopback, and the tokens that it signs."""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


@dataclass(frozen=True)
class Issuer:
    url: str
    ca: Path
    """File with the CA of its certificate."""
    _key: ec.EllipticCurvePrivateKey

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        parts = ({"alg": "ES256", "kid": "1"}, {"iss": self.url, "iat": now, "exp": now + 600, **claims})
        signed = ".".join(_text(json.dumps(part).encode()) for part in parts)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_text(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@contextmanager
def issuing(folder: Path) -> Iterator[Issuer]:
    authority, key = trustme.CA(), ec.generate_private_key(ec.SECP256R1())
    answers: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    issuer = Issuer(f"https://127.0.0.1:{server.server_port}", folder / "issuer.pem", key)
    authority.cert_pem.write_to_path(str(issuer.ca))
    public = key.public_key().public_numbers()
    point = {name: _text(value.to_bytes(32, "big")) for name, value in {"x": public.x, "y": public.y}.items()}
    keys = [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", **point}]
    answers["/keys"] = {"keys": keys}
    answers["/.well-known/openid-configuration"] = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
