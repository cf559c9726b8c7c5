"""Where faults happen: a project with its database; what is seen, and whether that is right."""

import re
import secrets
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.clients import NO_ANSWER, Client, Load, Response
from bench.faults.servers import Cluster, wait_until
from tests.support.environment import Environment
from tests.support.image import start_image
from tests.support.servers import free_port

PASSWORD = "a sound that no bird makes"
# What the pages of a project promise, and what a machine that does other things may add.
ANSWER_SECONDS = 5
NOISE_SECONDS = 3
SUCCESSES = frozenset({200, 201, 204})
UNAVAILABLE = frozenset({503})


@dataclass
class Seen:
    """What was seen during a fault.

    `healed` are the seconds from the end of the fault to the last failed request, `lost` the
    acknowledged writes that were not stored. None: the fault has no end, or nothing is written.
    `heals` and `noticed` say whether the fault has an end, and whether it must refuse requests.
    """

    statuses: Counter[int]
    longest: float | None = None
    healed: float | None = None
    lost: int | None = None
    note: str = ""
    allowed: frozenset[int] = UNAVAILABLE
    heals: bool = True
    noticed: bool = True
    wrong: tuple[str, ...] = ()

    def problems(self, limit: float = ANSWER_SECONDS + NOISE_SECONDS) -> list[str]:
        """Return what must not be."""
        unexpected = {
            status: many
            for status, many in self.statuses.items()
            if status not in SUCCESSES | self.allowed
        }
        without_effect = self.heals and self.noticed and not self.statuses.keys() & self.allowed
        return [
            *(["the fault had no effect"] if without_effect else []),
            *([f"unexpected answers: {unexpected}"] if unexpected else []),
            *(["no request succeeded"] if not SUCCESSES & self.statuses.keys() else []),
            *([f"a request took {self.longest:.1f} s"] if (self.longest or 0) > limit else []),
            *self.wrong,
            *(["not healed"] if self.heals and self.healed is None else []),
            *([f"{self.lost} acknowledged writes lost"] if self.lost else []),
        ]

    def row(self) -> list[str]:
        """Return the columns of the table."""
        names = {NO_ANSWER: "no answer"}
        answers = [
            f"{names.get(status, status)}: {many}"
            for status, many in sorted(self.statuses.items(), key=lambda one: one[0] or 999)
        ]
        return [
            ", ".join(answers),
            "" if self.longest is None else f"{self.longest:.1f} s",
            "" if self.healed is None else f"{self.healed:.1f} s",
            "" if self.lost is None else str(self.lost),
            self.note,
        ]


@dataclass
class App:
    """A process of the image's command."""

    process: subprocess.Popen[str]
    port: int
    token: str = ""

    def send(self, method: str, path: str, body: object = None) -> Response:
        """Send a request that does not count."""
        client = Client(self.port, self.token, [])
        try:
            return client.send(method, path, body)
        finally:
            client.close()

    def is_healthy(self) -> bool:
        """Return whether the process answers."""
        return self.send("GET", "/health").status == 200

    def is_ready(self) -> bool:
        """Return whether the database answers."""
        return self.send("GET", "/ready").status == 200

    def log_in(self) -> None:
        """Log the user in, who is registered if they are not."""
        account = {"email": "ada@example.com", "password": PASSWORD}
        self.send("POST", "/api/auth/register", account)
        answer = self.send("POST", "/api/auth/login", account)
        assert answer.status == 200, answer
        self.token = answer.content["access_token"]

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit status, and after how many seconds the process ended."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60), time.monotonic() - started


@dataclass
class Stage:
    """A project, the PostgreSQL that it uses, and a folder for files."""

    environment: Environment
    home: Path
    cluster: Cluster
    folder: Path
    secret: str = field(default_factory=lambda: secrets.token_hex(32))

    def settings(self, **settings: str) -> dict[str, str]:
        """Return the settings of the project, some of them given."""
        return {
            "ALLOWED_HOSTS": "*",
            "DATABASE_URL": self.cluster.url,
            "JWT_SECRET_KEY": self.secret,
            "RATE_LIMIT_REGISTER": "1000/minute",
            **settings,
        }

    def migrate(self, **settings: str) -> None:
        """Create the tables."""
        used = self.settings(**settings)
        self.environment.check(self.home, "python", "-m", "migrations", **used)

    @contextmanager
    def app(self, *, ready: bool = True, **settings: str) -> Iterator[App]:
        """Run the command of the image; with a database, log a user in."""
        port = free_port()
        used = {**self.settings(**settings), "PORT": str(port)}
        app = App(start_image(self.environment, self.home, used), port)
        try:
            wait_until(app.is_healthy, "the start of the app")
            if ready:
                app.log_in()
            yield app
        finally:
            app.process.kill()
            app.process.wait()

    def lost(self, load: Load, file: Path | None = None) -> int:
        """Count the acknowledged writes that are not stored, in a file or in PostgreSQL."""
        select = "SELECT title, description FROM tasks"
        if file is None:
            stored = dict(line.split("\t") for line in self.cluster.run(select))
        else:
            with closing(sqlite3.connect(file)) as connection:
                stored = {title: text or "" for title, text in connection.execute(select)}
        return sum(
            title not in stored or (text is not None and stored[title] != text)
            for title, text in load.acknowledged.items()
        )

    def seen(
        self, load: Load, ended: float | None = None, *, file: Path | None = None, note: str = ""
    ) -> Seen:
        """Return what a load has seen, and how long it took to heal."""
        return Seen(
            load.statuses(),
            load.longest(),
            None if ended is None else load.healed(ended),
            self.lost(load, file),
            note,
            heals=ended is not None,
        )


def pool_size(home: Path) -> int:
    """Return the number of connections of a process."""
    text = (home / "app" / "db" / "engine.py").read_text(encoding="utf-8")
    return int(re.findall(r"^POOL_SIZE = (\d+)", text, re.MULTILINE)[0])
