"""Run Better Auth, installed from the npm registry, in a separate process."""

import json
import select
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from tests.support.npm import install
from tests.support.preset_server import send_request
from tests.support.rendering import ROOT

SOURCE = ROOT / "tests" / "rendered" / "better_auth"
TIMEOUT_IN_SECONDS = 30


@dataclass(frozen=True)
class Account:
    """A signed-in user of Better Auth."""

    issuer: "BetterAuth"
    user: dict[str, Any]
    opaque_token: str
    cached_session: str

    def token(self) -> str:
        """Return a new JWT."""
        headers = {"Authorization": f"Bearer {self.opaque_token}"}
        return str(self.issuer.send("GET", "/api/auth/token", **headers)[0]["token"])


@dataclass(frozen=True)
class BetterAuth:
    """A running Better Auth server."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def origin(self) -> str:
        """The server's URL, which is the issuer and the audience of its tokens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a backend that accepts its tokens."""
        return {
            "JWKS_URL": f"{self.origin}/api/auth/jwks",
            "JWT_ISSUER": self.origin,
            "JWT_AUDIENCE": self.origin,
        }

    def command(self, name: str) -> str:
        """Run one of the commands of server.mjs, and return its result."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n".encode())
        return read_line(self.process)

    def fetches(self) -> int:
        """Return how often its keys were requested."""
        return int(self.command("fetches"))

    def send(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[Any, SimpleCookie]:
        """Send a request; return the JSON and the cookies of the response."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Origin": self.origin, "Content-Type": "application/json", **headers}
        answer = send_request(self.port, method, path, content, headers)
        assert answer.status == 200, (method, path, answer)
        cookies = SimpleCookie()
        for line in answer.headers.get_all("Set-Cookie", []):
            cookies.load(line)
        return answer.json, cookies

    def sign_up(self, name: str) -> Account:
        """Create a user."""
        user = {
            "name": name,
            "email": f"{uuid.uuid4().hex}@example.com",
            "password": "correct horse",
        }
        answer, cookies = self.send("POST", "/api/auth/sign-up/email", user)
        session = cookies["better-auth.session_data"].value
        return Account(self, answer["user"], answer["token"], session)


def read_line(process: subprocess.Popen[bytes]) -> str:
    """Return the next line that a process prints; fail after a timeout."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], TIMEOUT_IN_SECONDS)
    line = process.stdout.readline().decode().strip() if ready else ""
    assert line, f"no output; the process {'is running' if process.poll() is None else 'ended'}"
    return line


@contextmanager
def run_better_auth(log: Path) -> Iterator[BetterAuth]:
    """Run the server on a free port."""
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            ["node", "server.mjs"],
            cwd=install(SOURCE),
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
