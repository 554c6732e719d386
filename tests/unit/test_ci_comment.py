"""The comment of a pull request, held against a strict stand-in for the providers' APIs."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.problems import InvalidInput
from isostack.ci.comment import Place, github, gitlab, post, there
from tests.comments import BOT, TOKEN, Comments, served
from tests.repository import Repository, repository

MARKER = "<!-- isostack pull-request: isostack -->"


@pytest.fixture(params=["github", "gitlab"])
def comments(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Comments]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with served(request.param) as comments:
        yield comments


def place(comments: Comments, url: str = "") -> Place:
    if comments.provider == "github":
        return github(url or comments.url, "acme/clusters", "7", TOKEN, BOT)
    return gitlab(url or comments.url, "12", "7", TOKEN)


def own(comments: Comments) -> str:
    return BOT if comments.provider == "github" else "project_12_bot"


def test_it_is_created_then_updated_then_left_alone(comments: Comments) -> None:
    comments.add("alice", "LGTM")
    assert [post(place(comments), MARKER, text) for text in ("one", "two", "two")] == [
        "created",
        "updated",
        "unchanged",
    ]
    assert comments.bodies == ["LGTM", f"{MARKER}\ntwo"]
    assert sum(not line.startswith("GET ") for line in comments.asked) == 2


def test_it_is_found_on_whichever_page(comments: Comments) -> None:
    for number in range(250):
        comments.add("alice", f"{number}")
    assert not there(place(comments), MARKER)
    comments.add(own(comments), f"{MARKER}\r\nold")
    for number in range(100):
        comments.add("alice", f"{number}")
    assert post(place(comments), MARKER, "new") == "updated"
    assert comments.bodies[250] == f"{MARKER}\nnew"
    assert len(comments.bodies) == 351


def test_a_comment_of_somebody_else_is_not_ours(comments: Comments) -> None:
    """Who has written it could change it after us."""
    comments.add("mallory", f"{MARKER}\nall is well")
    comments.add(own(comments), f"quoted:\n{MARKER}")
    comments.add(own(comments), "<!-- isostack pull-request: another project -->\nx")
    assert post(place(comments), MARKER, "bad") == "created"
    assert comments.bodies[0] == f"{MARKER}\nall is well"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_the_token_may_not_is_said_with_a_way_out(comments: Comments, status: int) -> None:
    comments.refusal = (status, b'{"message": "Resource not accessible by integration"}', {})
    with pytest.raises(InvalidInput) as caught:
        post(place(comments), MARKER, "text")
    told = str(caught.value)
    assert f"no comment was written: Git{comments.provider[3:].title()}" in told
    assert f"{status} " in told
    assert "'Resource not accessible by integration'" in told
    assert ("pull-requests: write" if comments.provider == "github" else "scope `api`") in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((500, b"<html>", {}), "500 Internal Server Error"),
        ((200, b"<html>", {}), "did not answer with JSON"),
        ((301, b"", {"Location": "http://192.0.2.1/"}), "301 Moved Permanently"),
    ],
)
def test_other_answers_end_in_one_line(
    comments: Comments, refusal: tuple[int, bytes, dict[str, str]], words: str
) -> None:
    """The token is not carried to where an answer points."""
    comments.refusal = refusal
    with pytest.raises(InvalidInput, match=words):
        post(place(comments), MARKER, "text")
    assert len(comments.asked) == 1


def test_who_does_not_answer(comments: Comments) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(InvalidInput, match="cannot be reached"):
        post(place(comments, f"http://127.0.0.1:{port}"), MARKER, "text")
    with pytest.raises(InvalidInput, match="file: is no way to an API"):
        post(place(comments, "file:///etc"), MARKER, "text")


def test_no_trace_shows_the_token(comments: Comments) -> None:
    assert TOKEN not in repr(place(comments))


# ---- the command


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    made = repository(tmp_path)
    (tmp_path / "comment.md").write_text(f"{MARKER}\ntext\n")
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 7, "base": {"sha": "0"}}}))
    return made


def environment(comments: Comments, project: Repository) -> dict[str, str]:
    shared = {"no_proxy": "127.0.0.1", "PATH": os.environ["PATH"]}
    if comments.provider == "github":
        of_job = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": comments.url}
        event = {"GITHUB_REPOSITORY": "acme/clusters", "GITHUB_EVENT_PATH": str(project.root / "event.json")}
        return {**shared, **of_job, **event}
    of_job = {"GITLAB_CI": "true", "ISOSTACK_GITLAB_TOKEN": TOKEN, "CI_API_V4_URL": comments.url}
    return {**shared, **of_job, "CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7"}


def test_the_command_knows_its_job(comments: Comments, project: Repository) -> None:
    job = environment(comments, project)
    done = project.run("comment", "comment.md", **job)
    assert (done.returncode, done.stdout, done.stderr) == (0, "comment created\n", "")
    assert comments.bodies == [f"{MARKER}\ntext\n"]
    quiet = f"{MARKER}\n<!-- no stack is touched -->\nnothing"
    (project.root / "comment.md").write_text(quiet)
    assert project.run("comment", "comment.md", **job).stdout == "comment updated\n"
    comments.kept.clear()
    assert project.run("comment", "comment.md", **job).stdout == "comment not needed\n"
    assert comments.kept == []


def test_the_command_says_what_is_missing(comments: Comments, project: Repository) -> None:
    job = environment(comments, project)
    token = "GITHUB_TOKEN" if comments.provider == "github" else "ISOSTACK_GITLAB_TOKEN"
    done = project.run("comment", "comment.md", **{**job, token: ""})
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no comment was written: {token} is not set; " in done.stderr
    done = project.run("comment", "comment.md")
    assert "this is no job of GitHub or GitLab" in done.stderr
    (project.root / "comment.md").write_text("text")
    assert "comment.md: not a comment of ours" in project.run("comment", "comment.md", **job).stderr
    assert comments.asked == []
