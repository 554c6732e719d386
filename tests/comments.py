"""A stand-in for the comments of one pull request, at GitHub or GitLab, on loopback: strict about what it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-that-nobody-may-see"
BOT = "github-actions[bot]"
PER_PAGE = 100
"""Most of one answer [documented] https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api,
https://docs.gitlab.com/api/rest/#pagination"""
LONGEST = 65_536


@dataclass
class Comments:
    """What is there, oldest first, and what was asked."""

    provider: str
    url: str = ""
    kept: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refusal: tuple[int, bytes, dict[str, str]] | None = None
    """Status, body and headers of every answer."""

    def add(self, author: str, body: str) -> int:
        number = len(self.kept) + 1
        whose = {"user": {"login": author}} if self.provider == "github" else {"author": {"username": author}}
        self.kept.append({"id": number, "body": body, **whose})
        return number

    @property
    def bodies(self) -> list[str]:
        return [each["body"] for each in self.kept]


@contextmanager
def served(provider: str) -> Iterator[Comments]:
    """GitHub's repository acme/clusters, pull request 7; GitLab's project 12, merge request 7."""
    comments = Comments(provider)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Of", (_Handler,), {"comments": comments}))
    comments.url = f"http://127.0.0.1:{server.server_port}/api"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield comments
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    comments: ClassVar[Comments]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, query = self._start()
        if self.comments.refusal:
            self._answer(*self.comments.refusal)
        elif path == "/api/user" and self.comments.provider == "gitlab":
            self._json(200, {"id": 1, "username": "project_12_bot"})
        elif path != self._all():
            self._json(404, {"message": "Not Found"})
        else:
            size, page = min(int(query["per_page"][0]), PER_PAGE), int(query["page"][0])
            more = len(self.comments.kept) > size * page
            # An address that leads elsewhere: nobody must follow it with the token.
            link = {"Link": f'<http://192.0.2.1/?page={page + 1}>; rel="next"'} if more else {}
            self._json(200, self.comments.kept[size * (page - 1) : size * page], link)

    def do_POST(self) -> None:
        path, _ = self._start()
        body = self._body()
        if path != self._all() or self.comments.refusal:
            self._answer(*(self.comments.refusal or (404, b"{}", {})))
        elif body is not None:
            number = self.comments.add(BOT if self.comments.provider == "github" else "project_12_bot", body)
            self._json(201, self.comments.kept[number - 1])

    def _update(self) -> None:
        path, _ = self._start()
        body = self._body()
        one = "/api/repos/acme/clusters/issues/comments" if self.comments.provider == "github" else self._all()
        found = next((each for each in self.comments.kept if path == f"{one}/{each['id']}"), None)
        if found is None:
            self._json(404, {"message": "Not Found"})
        elif body is not None:
            found["body"] = body
            self._json(200, found)

    def do_PATCH(self) -> None:
        assert self.comments.provider == "github"
        self._update()

    def do_PUT(self) -> None:
        assert self.comments.provider == "gitlab"
        self._update()

    def _all(self) -> str:
        if self.comments.provider == "github":
            return "/api/repos/acme/clusters/issues/7/comments"
        return "/api/projects/12/merge_requests/7/notes"

    def _start(self) -> tuple[str, dict[str, list[str]]]:
        self.comments.asked.append(f"{self.command} {self.path}")
        if self.comments.provider == "github":
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            assert self.headers["Accept"] == "application/vnd.github+json"
        else:
            assert self.headers["PRIVATE-TOKEN"] == TOKEN
        # GitHub refuses who has no name [documented] https://docs.github.com/en/rest/using-the-rest-api/getting-started
        assert self.headers["User-Agent"]
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query)

    def _body(self) -> str | None:
        assert self.headers["Content-Type"] == "application/json"
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert sent.keys() == {"body"}
        if self.comments.provider == "github" and len(sent["body"]) > LONGEST:
            self._json(422, {"message": "Validation Failed"})
            return None
        return str(sent["body"])

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._answer(status, json.dumps(value).encode(), headers or {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""
