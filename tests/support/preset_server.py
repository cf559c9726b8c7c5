"""Serve a rendered app in a separate process, and call it over HTTP."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.environment import INHERITED, Environment
from tests.support.rendering import recorded_answers

SECRET = "the secret of a test, and of nothing else"
LIFETIME_IN_SECONDS = 600
# The alarm ends the server even if the tests are killed. Port 0 is a free port, which is logged.
SERVE = f"""
import signal
signal.alarm({LIFETIME_IN_SECONDS})
import uvicorn
uvicorn.run("app.main:app", host="127.0.0.1", port=0, access_log=False)
"""
STARTED = re.compile(r"running on http://127\.0\.0\.1:(\d+)")

Problem = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: HTTPMessage
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401
        """The parsed body, or None if it is empty."""
        return json.loads(self.text) if self.text else None


def check_problem(answer: Answer) -> None:
    """Check the format of problem details."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    body = answer.json
    assert body.keys() - {"errors"} == {
        *("type", "title", "status", "detail", "error_code", "timestamp")
    }
    assert body["status"] == answer.status
    assert isinstance(body["detail"], str)
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None


def check_envelope(answer: Answer) -> None:
    """Check the format of an error envelope."""
    assert answer.headers["Content-Type"] == "application/json", answer
    [(key, body)] = answer.json.items()
    assert key == "error"
    assert body.keys() - {"details"} == {"code", "message"}
    assert isinstance(body["message"], str)


def send_request(
    port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> Answer:
    """Send one request to a local server, without following redirects."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


@dataclass(frozen=True)
class Api:
    """A served app. Every response is compared with its OpenAPI document."""

    port: int
    answers: dict[str, Any]
    operations: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send one request, and check the format of errors."""
        answer = send_request(self.port, method, path, body, headers)
        if answer.status >= 400:
            problem = self.answers["error_format"] == "problem"
            (check_problem if problem else check_envelope)(answer)
            if answer.status == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        self.check_documented(method, path, answer)
        return answer

    def check_documented(self, method: str, path: str, answer: Answer) -> None:
        """Check that the operation, if the path has one, documents the status."""
        path = urlsplit(path).path.rstrip("/")
        known = [
            (route, operation)
            for (verb, route), operation in self.operations.items()
            if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path)
        ]
        if known:
            # The most specific route: `stats` is not an id.
            _, operation = min(known, key=lambda found: found[0].count("{"))
            assert str(answer.status) in operation["responses"], (method, path, answer)

    def routes(self, *, under: str) -> set[str]:
        """Return the documented routes below a path, such as `GET /api/tasks`."""
        return {f"{verb} {route}" for verb, route in self.operations if route.startswith(under)}

    def anonymous(self) -> "Caller":
        """Return a caller without a token."""
        return Caller(self, "", {})

    def register(self) -> "Caller":
        """Register a user, log in, and return the caller."""
        prefix = self.answers["api_prefix"]
        email = f"{uuid.uuid4().hex}@example.com"
        account = {"email": email, "password": "correct horse", "name": "Ada"}
        status = 202 if self.answers["mail"] else 201
        self.anonymous().post(status, f"{prefix}/auth/register", account)
        tokens = self.anonymous().post(
            200, f"{prefix}/auth/login", {"email": email, "password": "correct horse"}
        )
        assert tokens["token_type"].lower() == "bearer"
        caller = Caller(self, tokens["access_token"], {})
        caller.user.update(caller.get(200, f"{prefix}/auth/me"))
        assert (caller.user["email"], caller.user["name"]) == (email, "Ada")
        return caller

    def bearer(self, user_id: str, secret: str = SECRET, **claims: Any) -> "Caller":  # noqa: ANN401
        """Return a caller whose token another service signed with a shared secret."""
        payload = {"sub": user_id, "exp": int(time.time()) + 300, **claims}
        return Caller(self, sign(payload, secret), {"id": user_id})


def sign(payload: dict[str, Any], secret: str) -> str:
    """Return a JSON Web Token (RFC 7519) signed with HS256."""

    def encode(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    header = {"alg": "HS256", "typ": "JWT"}
    signed = ".".join(encode(json.dumps(part).encode()) for part in (header, payload))
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encode(digest)}"


@dataclass(frozen=True)
class Caller:
    """A client of the API, with or without a token.

    Except for `call`, methods take the expected status first and return the JSON of the response.
    """

    api: Api
    token: str
    user: dict[str, Any]

    @property
    def id(self) -> Any:  # noqa: ANN401
        """The user's id."""
        return self.user["id"]

    def call(self, method: str, path: str, body: Any = None, /, **query: Any) -> Answer:  # noqa: ANN401
        """Send one request, and return the response."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        target = f"{path}?{urlencode(query)}" if query else path
        return self.api.send(method, target, content, **headers)

    def expect(
        self,
        status: int,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401
        /,
        **query: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Send one request, and check the status."""
        answer = self.call(method, path, body, **query)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json

    def get(self, status: int, path: str, /, **query: Any) -> Any:  # noqa: ANN401
        """Send a GET request."""
        return self.expect(status, "GET", path, **query)

    def post(self, status: int, path: str, /, body: Any = None) -> Any:  # noqa: ANN401
        """Send a POST request."""
        return self.expect(status, "POST", path, body)

    def put(self, status: int, path: str, /, body: Any) -> Any:  # noqa: ANN401
        """Send a PUT request."""
        return self.expect(status, "PUT", path, body)

    def patch(self, status: int, path: str, /, body: Any = None) -> Any:  # noqa: ANN401
        """Send a PATCH request."""
        return self.expect(status, "PATCH", path, body)

    def delete(self, status: int, path: str, /) -> None:
        """Send a DELETE request; a successful response has no body."""
        answer = self.call("DELETE", path)
        assert answer.status == status, f"DELETE {path}: {answer.status} {answer.text}"
        assert answer.text == "" or status != 204


def wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the process logs its port, and return it."""
    for _ in range(600):
        text = log.read_text(encoding="utf-8")
        if found := STARTED.search(text):
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the app did not start\n{log.read_text(encoding='utf-8')}")


@contextmanager
def serve(
    environment: Environment, project: Path, database_url: str, **settings: str
) -> Iterator[Api]:
    """Migrate the database, and serve the app on a free port.

    `settings` replace the default, which is the secret that signs or verifies tokens.
    """
    answers = recorded_answers(project)
    secret = "JWT_SECRET_KEY" if answers["auth"] == "local" else "BETTER_AUTH_SECRET"
    variables = {**(settings or {secret: SECRET}), "DATABASE_URL": database_url}
    environment.check(project, "alembic", "upgrade", "head", **variables)
    log = project.with_suffix(".log")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [str(environment.python), "-c", SERVE],
            cwd=project,
            env={
                **{name: os.environ[name] for name in INHERITED if name in os.environ},
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            api = Api(wait_for_port(process, log), answers)
            document = api.anonymous().get(200, "/openapi.json")
            for route, operations in document["paths"].items():
                for verb, operation in operations.items():
                    api.operations[verb.upper(), route] = operation
            yield api
            assert process.poll() is None, log.read_text(encoding="utf-8")
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
    assert "Traceback" not in log.read_text(encoding="utf-8")


Serve = Callable[[str], Api]
