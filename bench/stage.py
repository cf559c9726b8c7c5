"""The database of bench/speed.py, and the servers that run on it."""

import json
from contextlib import ExitStack
from pathlib import Path

from bench.load import Burst, Load, Request, burst
from bench.project import SHARED, Project, Server, User, fill, serve, serve_own
from bench.rows import Rows, task_id
from tests.support.environment import Environment

ROWS = 1000
OPERATIONS = ("list", "get", "create", "update", "search")
FLOOR, OURS, USUAL = SERVERS = ("floor", "project", "usual way")
NEW = {
    "title": "Write the next report",
    "description": "About as long as descriptions usually are",
    "priority": "high",
    "due_date": "2040-01-31T12:00:00.500000Z",
    "tags": ["home", "week 5"],
}


def headers(user: User, name: str) -> dict[str, str]:
    """How a server identifies a user."""
    return {"X-User-Id": user.id} if name == FLOOR else {"Authorization": f"Bearer {user.token}"}


class Stage:
    """A database with the users and rows of the measurements, and what runs on it."""

    def __init__(
        self, kind: str, url: str, project: Project, environment: Environment, folder: Path
    ) -> None:
        self.kind = kind
        self.url = url
        self.project = project
        self.environment = environment
        self.folder = folder
        project.migrate(url)
        with serve(project, url) as server:
            self.reader, self.writer = server.register("reader"), server.register("writer")
        # Whatever is written belongs to another user, so that what is read stays the same.
        fill(
            environment, url, Rows(self.reader.id, ROWS), Rows(self.writer.id, ROWS), Rows("", ROWS)
        )

    def start(self, stack: ExitStack, name: str, processes: int = 1) -> Server:
        """Start one of the servers, until the stack is left."""
        if name == OURS:
            return stack.enter_context(serve(self.project, self.url, processes))
        module = {FLOOR: "floor", USUAL: "idiomatic"}[name]
        return stack.enter_context(serve_own(self.environment, module, self.url, processes))

    def load(self, operation: str, name: str) -> Load:
        """The requests of an operation to a server."""
        user = self.writer if operation in {"create", "update"} else self.reader
        paths = [f"/api/tasks/{task_id(user.id, number)}" for number in range(ROWS)]
        requests = {
            "list": [Request("GET", "/api/tasks")],
            "search": [Request("GET", "/api/tasks/search?query=Quarterly")],
            "create": [Request("POST", "/api/tasks", NEW)],
            "get": [Request("GET", path) for path in paths],
            "update": [Request("PATCH", path, {"title": "Another title"}) for path in paths],
        }
        return Load(requests[operation], headers(user, name))

    def pieces(self) -> dict[str, float]:
        """The CPU time of the pieces of a get, in µs; see bench/pieces.py."""
        script = str(Path(__file__).with_name("pieces.py"))
        arguments = (self.reader.token, str(task_id(self.reader.id, 0)))
        home = str(self.project.home)
        variables = {**SHARED, "DATABASE_URL": self.url, "PYTHONPATH": home}
        environment = self.project.environment
        printed = environment.check(self.project.home, "python", script, *arguments, **variables)
        found: dict[str, float] = json.loads(printed.splitlines()[-1])
        return found

    def check(self, operation: str, servers: dict[str, Server]) -> None:
        """Compare the answers of the servers: all do the same work."""
        answers = {}
        for name, server in servers.items():
            load = self.load(operation, name)
            request = load.requests[0]
            found = server.ask(request.method, request.path, request.content, load.headers)
            answers[name] = found.get("items", [found])
        if operation in {"create", "update"}:
            compared = [[row["title"] for row in rows] for rows in answers.values()]
        else:
            compared = [[row["id"] for row in rows] for rows in answers.values()]
            assert answers[FLOOR] == answers[OURS], f"{operation}: {answers}"
        assert all(one == compared[0] for one in compared), f"{operation}: {answers}"

    def bursts(
        self, operation: str, servers: dict[str, Server], seconds: int, connections: int = 16
    ) -> dict[str, Burst]:
        """Load the servers, one after the other."""
        return {
            name: burst(server, self.load(operation, name), self.folder, seconds, connections)
            for name, server in servers.items()
        }
