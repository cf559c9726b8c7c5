"""A backend with `auth: external` accepts tokens of Better Auth, in both route scopes."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.support.better_auth import Account, BetterAuth, run_better_auth
from tests.support.environment import Environment
from tests.support.npm import missing_programs
from tests.support.preset_server import Api, Caller, serve
from tests.support.rendering import render

pytestmark = pytest.mark.long

RECOVERY_IN_SECONDS = 15
Start = Callable[[], AbstractContextManager[Api]]


@pytest.fixture(scope="module")
def better_auth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BetterAuth]:
    """A Better Auth server."""
    if missing_programs():
        pytest.skip(f"Better Auth requires {' and '.join(missing_programs())}")
    with run_better_auth(tmp_path_factory.mktemp("better_auth") / "log") as issuer:
        yield issuer


@pytest.fixture(scope="module")
def ada(better_auth: BetterAuth) -> Account:
    """A user."""
    return better_auth.sign_up("Ada")


@pytest.fixture(scope="module")
def bob(better_auth: BetterAuth) -> Account:
    """Another user."""
    return better_auth.sign_up("Bob")


@pytest.fixture(scope="module", params=["token", "path"])
def start(
    request: pytest.FixtureRequest,
    better_auth: BetterAuth,
    template: Path,
    environment: Environment,
    tmp_path_factory: pytest.TempPathFactory,
) -> Start:
    """A function that serves a backend with the settings of the issuer."""
    root = tmp_path_factory.mktemp(request.param)
    project = render(template, root / "project", {"auth": "external", "route_scope": request.param})
    url = f"sqlite:///{root / 'tasks.db'}"
    return lambda: serve(environment, project, url, **better_auth.settings)


@pytest.fixture(scope="module")
def backend(start: Start) -> Iterator[Api]:
    """A running backend."""
    with start() as api:
        yield api


def caller(api: Api, account: Account, token: str | None = None) -> Caller:
    """Return a caller with a new JWT or another token."""
    return Caller(api, token or account.token(), account.user)


def tasks(api: Api, account: Account) -> str:
    """Return the path of a user's tasks."""
    in_path = api.answers["route_scope"] == "path"
    return f"/api/{account.user['id']}/tasks" if in_path else "/api/tasks"


def header(token: str) -> dict[str, Any]:
    """Return the header of a JWT."""
    part = token.partition(".")[0]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(f"{part}==="))
    return decoded


def with_key_id(token: str, key_id: str) -> str:
    """Return a token with another key id."""
    changed = json.dumps({**header(token), "kid": key_id}).encode()
    encoded = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
    return f"{encoded}.{token.partition('.')[2]}"


def test_isolation(backend: Api, ada: Account, bob: Account) -> None:
    hers, his = tasks(backend, ada), tasks(backend, bob)
    as_ada, as_bob = caller(backend, ada), caller(backend, bob)
    task = as_ada.post(201, hers, {"title": "Water the plants"})
    assert task["user_id"] == ada.user["id"]
    assert as_ada.get(200, hers)["items"] == [task]

    assert as_bob.get(200, his)["items"] == []
    path = f"{his}/{task['id']}"
    as_bob.get(404, path)
    as_bob.patch(404, path, {"title": "Bob's"})
    as_bob.delete(404, path)
    if his != hers:
        for method in ("GET", "DELETE"):
            as_bob.expect(403, method, f"{hers}/{task['id']}")
        as_bob.post(403, hers, {"title": "Bob's"})
        as_ada.get(403, hers.replace(ada.user["id"], ada.user["id"].swapcase()))
    assert as_ada.get(200, f"{hers}/{task['id']}") == task
    backend.anonymous().get(401, hers)


def test_other_tokens_of_the_issuer_are_rejected(
    backend: Api, better_auth: BetterAuth, ada: Account
) -> None:
    path = tasks(backend, ada)
    good = ada.token()
    cached = header(ada.cached_session)
    assert cached["typ"] == "better-auth.session-cache+jwt"
    published = better_auth.send("GET", "/api/auth/jwks")[0]["keys"]
    assert {cached["kid"], header(good)["kid"]} <= {key["kid"] for key in published}
    assert "." not in ada.opaque_token
    for token in (ada.cached_session, ada.opaque_token):
        answer = caller(backend, ada, token).call("GET", path)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    caller(backend, ada, good).get(200, path)


def test_key_rotation(backend: Api, better_auth: BetterAuth, ada: Account) -> None:
    path = tasks(backend, ada)
    old = ada.token()
    caller(backend, ada, old).get(200, path)
    before = better_auth.fetches()

    better_auth.command("rotate")
    new = ada.token()
    assert header(new)["kid"] != header(old)["kid"]
    for token in (new, old, new):
        caller(backend, ada, token).get(200, path)
    assert better_auth.fetches() == before + 1

    for _ in range(100):
        invented = with_key_id(new, uuid.uuid4().hex)
        caller(backend, ada, invented).get(401, path)
    assert better_auth.fetches() <= before + 2
    caller(backend, ada, new).get(200, path)


def test_outage(backend: Api, better_auth: BetterAuth, ada: Account, bob: Account) -> None:
    accounts = {account.token(): account for account in (ada, bob)}
    caller(backend, ada).get(200, tasks(backend, ada))
    better_auth.command("stop")
    try:
        for token, account in accounts.items():
            caller(backend, account, token).get(200, tasks(backend, account))
    finally:
        better_auth.command("start")
    caller(backend, ada).get(200, tasks(backend, ada))


def test_start_without_the_issuer(start: Start, better_auth: BetterAuth, ada: Account) -> None:
    token = ada.token()
    better_auth.command("stop")
    try:
        with start() as served:
            # Without operations, because the document does not list 503 for outages of the issuer.
            api = Api(served.port, served.answers)
            path = tasks(api, ada)
            answer = caller(api, ada, token).call("GET", path)
            assert answer.status == 503, answer
            assert 1 <= int(answer.headers["Retry-After"]) <= RECOVERY_IN_SECONDS
            assert answer.json["error_code"] == "SERVICE_UNAVAILABLE"
            api.anonymous().get(401, path)
            assert api.anonymous().get(200, "/health") == {"status": "healthy"}

            better_auth.command("start")
            deadline = time.monotonic() + RECOVERY_IN_SECONDS
            while caller(api, ada, token).call("GET", path).status == 503:
                assert time.monotonic() < deadline, "the backend did not recover"
                time.sleep(0.25)
            caller(api, ada, token).get(200, path)
    finally:
        better_auth.command("start")
