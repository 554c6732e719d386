"""The one comment of a pull request: found by its first line and its author, written anew instead of repeated.

[documented] https://docs.github.com/en/rest/issues/comments, https://docs.gitlab.com/api/notes/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import Any, Final, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from components.problems import InvalidInput, Problem

TIMEOUT: Final = 30.0
"""Seconds for one answer of the provider."""
PAGE: Final = 100
"""Comments of one answer, the most that both providers give [documented] see above."""
PAGES: Final = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where the comments of one pull request are."""

    provider: Literal["GitHub", "GitLab"]
    comments: str
    """URL of all of them."""
    one: str
    """URL of one, without its id."""
    update: str
    """Method that writes one anew."""
    headers: Mapping[str, str] = field(repr=False)
    """With the token."""
    author: str
    """Who writes ours: a login of GitHub, the URL that tells it of GitLab."""
    denied: str
    """What to do where the token may not."""


def github(api: str, repository: str, number: str, token: str, author: str) -> Place:
    base = f"{api.rstrip('/')}/repos/{quote(repository)}/issues"
    return Place(
        provider="GitHub",
        comments=f"{base}/{quote(number, safe='')}/comments",
        one=f"{base}/comments",
        update="PATCH",
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        author=author,
        denied="the job needs `permissions: pull-requests: write`; of a fork's pull request the token only reads",
    )


def gitlab(api: str, project: str, number: str, token: str) -> Place:
    base = f"{api.rstrip('/')}/projects/{quote(project, safe='')}/merge_requests/{quote(number, safe='')}/notes"
    return Place(
        provider="GitLab",
        comments=base,
        one=base,
        update="PUT",
        headers={"PRIVATE-TOKEN": token},
        author=f"{api.rstrip('/')}/user",
        denied="the token needs the scope `api` and the role Reporter, or more",
    )


def post(place: Place, marker: str, body: str) -> str:
    """Write the comment that begins with the line `marker`, or write it anew; an equal one is left alone. Says which.

    Raises InvalidInput with what the provider said.
    """
    text = f"{marker}\n{body}"
    if (found := _own(place, marker)) is None:
        _ask(place, "POST", place.comments, {"body": text})
        return "created"
    # A provider may keep a text with other ends of lines.
    if str(found["body"]).replace("\r\n", "\n").rstrip() == text.rstrip():
        return "unchanged"
    _ask(place, place.update, f"{place.one}/{found['id']}", {"body": text})
    return "updated"


def there(place: Place, marker: str) -> bool:
    """Whether the comment is there."""
    return _own(place, marker) is not None


def _own(place: Place, marker: str) -> Any:
    """Ours: whoever else begins one with our line could change it later, and would be believed."""
    whose = place.author if place.provider == "GitHub" else _ask(place, "GET", place.author)[0]["username"]
    for comment in _comments(place):
        author = comment.get("user") or comment.get("author") or {}
        body = str(comment.get("body") or "")
        if body.split("\n", 1)[0].rstrip() == marker and whose in (author.get("login"), author.get("username")):
            return comment
    return None


def _comments(place: Place) -> Iterator[Any]:
    for page in range(1, PAGES + 1):
        found, headers = _ask(place, "GET", f"{place.comments}?per_page={PAGE}&page={page}")
        yield from found
        # The number alone: an address in an answer could lead the token elsewhere.
        if not re.search(r'rel="?next"?', headers.get("Link") or ""):
            return


class _NoRedirect(HTTPRedirectHandler):
    """The token goes to nobody else, and a POST must not become a GET."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _ask(place: Place, method: str, url: str, body: Any = None) -> tuple[Any, HTTPMessage]:
    data = None if body is None else json.dumps(body).encode()
    headers = {**place.headers, "User-Agent": "isostack", **({"Content-Type": "application/json"} if data else {})}
    request = Request(url, data, headers, method=method)
    if request.type not in ("https", "http"):
        raise _fault(place, f"{request.type}: is no way to an API")
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read()), answer.headers
    except HTTPError as error:
        said = f"{error.code} {error.reason}{_message(error)}"
        raise _fault(place, said, place.denied if error.code in (401, 403, 404) else "") from None
    except URLError as error:
        raise _fault(place, f"cannot be reached: {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise _fault(place, f"broke off: {error or type(error).__name__}") from None
    except ValueError:
        raise _fault(place, "did not answer with JSON") from None


def _message(error: HTTPError) -> str:
    """The provider's own words, of an answer to which it gave some."""
    try:
        said = json.loads(error.read(10_000))["message"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return ""
    return f", {str(said)[:200]!r}"


def _fault(place: Place, said: str, right: str = "") -> InvalidInput:
    return InvalidInput([Problem(f"no comment was written: {place.provider} {said}", right)])
