"""A real Better Auth, from the npm registry, as a process of its own."""

import json
import select
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.support.npm import installed
from tests.support.rendering import ROOT

SOURCE = ROOT / "tests" / "rendered" / "better_auth"
PATIENCE_IN_SECONDS = 30


@dataclass(frozen=True)
class Account:
    """A user of Better Auth, who is signed in."""

    issuer: "BetterAuth"
    user: dict[str, Any]
    opaque_token: str
    cached_session: str

    def token(self) -> str:
        """A new JWT."""
        headers = {"Authorization": f"Bearer {self.opaque_token}"}
        return str(self.issuer.send("GET", "/api/auth/token", **headers)[0]["token"])


@dataclass(frozen=True)
class BetterAuth:
    """The server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def origin(self) -> str:
        """What it calls itself, as issuer and as audience."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """What a backend has to know of it."""
        return {
            "JWKS_URL": f"{self.origin}/api/auth/jwks",
            "JWT_ISSUER": self.origin,
            "JWT_AUDIENCE": self.origin,
        }

    def command(self, word: str) -> str:
        """Have it do something that server.mjs knows."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n".encode())
        return read_line(self.process)

    def fetches(self) -> int:
        """How often its keys were asked for."""
        return int(self.command("fetches"))

    def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[Any, SimpleCookie]:
        """Send it a request; the JSON and the cookies that come back."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_IN_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            headers = {"Origin": self.origin, "Content-Type": "application/json", **headers}
            connection.request(method, path, body=content, headers=headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        assert response.status == 200, (method, path, response.status, text)
        cookies = SimpleCookie()
        for line in response.headers.get_all("Set-Cookie", []):
            cookies.load(line)
        return json.loads(text), cookies

    def sign_up(self, name: str) -> Account:
        """A new user."""
        who = {
            "name": name,
            "email": f"{uuid.uuid4().hex}@example.com",
            "password": "correct horse",
        }
        answer, cookies = self.send("POST", "/api/auth/sign-up/email", who)
        session = cookies["better-auth.session_data"].value
        return Account(self, answer["user"], answer["token"], session)


def read_line(process: subprocess.Popen[bytes]) -> str:
    """The next line that a process prints, unless it takes too long."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE_IN_SECONDS)
    line = process.stdout.readline().decode().strip() if ready else ""
    assert line, f"no answer; the process {'runs' if process.poll() is None else 'has ended'}"
    return line


@contextmanager
def run_better_auth(log: Path) -> Iterator[BetterAuth]:
    """Start it on a free port, and end it."""
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            ["node", "server.mjs"],
            cwd=installed(SOURCE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
        ) as process,
    ):
        try:
            yield BetterAuth(process, int(read_line(process)))
        finally:
            process.kill()
