"""Each preset serves its design: routes and bodies as that design's document shows them.

Black box: the rendered app runs as a process of its own, on either database. That the presets pass
the checks of their own is the matter of the matrix, whose cells they are.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.cells import CELLS
from tests.support.environment import Environment
from tests.support.postgres import Postgres
from tests.support.preset_server import Api, Caller, Serve, serve
from tests.support.presets import PRESETS, RICH
from tests.support.rendering import ROOT, questions, render

UNKNOWN = 2**40
Row = dict[str, Any]


def test_each_design_has_its_preset() -> None:
    assert PRESETS.keys() == {
        "backend-builder",
        "backend-engineer",
        "backend-scaffolder",
        "fastapi-sqlmodel-generator",
        "todo-fullstack",
    }


def test_presets_and_rich_answers_are_cells() -> None:
    for name, answers in (PRESETS | RICH).items():
        assert CELLS[name] == answers


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_answers_what_matters(name: str) -> None:
    """No default that changes later may change what a preset is; what follows is computed."""
    computed = {"project_slug", "resource_plural", "more_resources"}
    assert list(PRESETS[name]) == [each for each in questions() if each not in computed]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_which_design_it_is(name: str) -> None:
    text = (ROOT / "presets" / f"{name}.yml").read_text(encoding="utf-8")
    header = text.partition("project_name:")[0]
    assert header.startswith(f"# {name}: ")
    assert "Where this differs from the design" in header
    assert all(line.startswith("#") for line in header.splitlines())


def test_the_readme_lists_the_presets() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(.+?)`\]\(presets/(.+?)\.yml\) \|", readme, flags=re.MULTILINE)
    assert sorted(rows) == [(name, name) for name in PRESETS]


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.long) for name in ("sqlite", "postgresql")],
)
def served(
    request: pytest.FixtureRequest,
    template: Path,
    environment: Environment,
    postgres: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Presets by name, each served from the first test that asks for it on."""
    root = tmp_path_factory.mktemp(request.param)
    running: dict[str, Api] = {}
    with ExitStack() as stack:

        def start(name: str) -> Api:
            if name not in running:
                project = render(template, root / name, PRESETS[name])
                url = f"sqlite:///{root / name}.db"
                if request.param == "postgresql":
                    url = stack.enter_context(postgres.database())
                running[name] = stack.enter_context(serve(environment, project, PRESETS[name], url))
            return running[name]

        yield start
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def scaffolder(served: Serve) -> Api:
    return served("backend-scaffolder")


@pytest.fixture
def builder(served: Serve) -> Api:
    return served("backend-builder")


@pytest.fixture
def generator(served: Serve) -> Api:
    return served("fastapi-sqlmodel-generator")


@pytest.fixture
def engineer(served: Serve) -> Api:
    return served("backend-engineer")


@pytest.fixture
def fullstack(served: Serve) -> Api:
    return served("todo-fullstack")


def soon(**after: float) -> str:
    """A moment to come, as JSON has it."""
    return (datetime.now(UTC) + timedelta(**after)).isoformat()


def moment(text: str) -> datetime:
    """A moment, which has to say its offset."""
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None
    return found


def titles(rows: list[Row]) -> set[str]:
    """What the rows are called."""
    return {row["title"] for row in rows}


def is_kept(caller: Caller, path: str, row: Row) -> None:
    """Expect that the row is as it was, whatever others tried."""
    assert caller.get(200, f"{path}/{row['id']}") == row


class TestBackendScaffolder:
    """/api/tasks, bare arrays, PUT, soft delete, choices, custom routes, own users."""

    TASKS = "/api/tasks"

    def test_routes(self, scaffolder: Api) -> None:
        assert scaffolder.routes(under="/api/tasks") == {
            "POST /api/tasks",
            "GET /api/tasks",
            "GET /api/tasks/{task_id}",
            "PUT /api/tasks/{task_id}",
            "DELETE /api/tasks/{task_id}",
            "PATCH /api/tasks/{task_id}/complete",
            "GET /api/tasks/stats",
            "POST /api/tasks/bulk",
            "POST /api/tasks/bulk-complete",
            "POST /api/tasks/{task_id}/restore",
        }

    def test_users(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        me = ada.get(200, "/api/auth/me")
        assert me == ada.user
        assert me.keys() == {"id", "email", "name", "created_at"}
        form = urlencode({"username": me["email"], "password": "correct horse"}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = scaffolder.send("POST", "/api/auth/token", form, **kind)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
        again = {"email": me["email"].upper(), "password": "another horse"}
        error = scaffolder.anonymous().post(409, "/api/auth/register", again)
        assert error["error_code"] == "CONFLICT"

    def test_crud(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        body = {"title": "Test task", "description": "Test description"}
        answer = ada.call("POST", self.TASKS, body)
        assert answer.status == 201
        task = answer.json
        assert answer.headers["Location"] == f"{self.TASKS}/{task['id']}"
        assert moment(task["created_at"]) <= moment(task["updated_at"])
        assert task == {
            **body,
            "id": task["id"],
            "completed": False,
            "priority": "medium",
            "due_date": None,
            "user_id": ada.id,
            "created_at": task["created_at"],
            "updated_at": task["updated_at"],
        }
        assert isinstance(task["id"], int)
        data = ada.get(200, self.TASKS)
        assert len(data) == 1
        assert data[0]["title"] == "Test task"
        assert ada.get(200, f"{self.TASKS}/{task['id']}") == task

        changed = ada.put(200, f"{self.TASKS}/{task['id']}", {"completed": True})
        assert moment(changed["updated_at"]) > moment(task["updated_at"])
        assert changed == {**task, "completed": True, "updated_at": changed["updated_at"]}
        ada.delete(204, f"{self.TASKS}/{task['id']}")
        error = ada.get(404, f"{self.TASKS}/{task['id']}")
        assert error["detail"]
        assert ada.get(200, self.TASKS) == []

    def test_a_trailing_slash_is_no_redirect(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        task = ada.post(201, f"{self.TASKS}/", {"title": "With a slash"})
        assert ada.get(200, f"{self.TASKS}/") == [task]
        assert ada.get(200, f"{self.TASKS}/{task['id']}/") == task

    def test_status_filter_and_slices(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        for number in range(4):
            ada.post(201, self.TASKS, {"title": f"Task {number}", "completed": number < 1})
        assert len(ada.get(200, self.TASKS, status="all")) == 4
        assert titles(ada.get(200, self.TASKS, status="completed")) == {"Task 0"}
        assert titles(ada.get(200, self.TASKS, status="pending")) == {"Task 1", "Task 2", "Task 3"}
        ada.get(422, self.TASKS, status="done")
        everything = ada.get(200, self.TASKS)
        assert [row["title"] for row in everything] == ["Task 3", "Task 2", "Task 1", "Task 0"]
        assert ada.get(200, self.TASKS, limit=2, offset=1) == everything[1:3]

    def test_business_rules(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        due = soon(days=2)
        row = ada.post(201, self.TASKS, {"title": "Low", "priority": "low", "due_date": due})
        assert row["priority"] == "low"
        assert moment(row["due_date"]) == moment(due)
        assert ada.get(200, self.TASKS, priority="low") == [row]
        for wrong in ({"title": "ab"}, {"title": "x" * 201}, {"title": None}, {}):
            assert "title" in ada.post(422, self.TASKS, wrong)["errors"]
        error = ada.post(422, self.TASKS, {"title": "Any", "priority": "urgent"})
        assert error["error_code"] == "VALIDATION_ERROR"
        assert error["errors"].keys() == {"priority"}

    def test_custom_routes(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        assert ada.get(200, f"{self.TASKS}/stats")["completion_rate"] == 0
        rows = ada.post(201, f"{self.TASKS}/bulk", [{"title": f"Bulk {n}"} for n in range(4)])
        assert [row["title"] for row in rows] == [f"Bulk {n}" for n in range(4)]
        path = f"{self.TASKS}/{rows[0]['id']}/complete"
        assert ada.patch(200, path)["completed"] is True
        assert ada.get(200, f"{self.TASKS}/stats") == {
            "total": 4,
            "completed": 1,
            "pending": 3,
            "completion_rate": 0.25,
        }
        assert ada.patch(200, path)["completed"] is False
        ada.post(422, f"{self.TASKS}/bulk", [{"title": "Good"}, {"title": ""}])
        assert ada.get(200, f"{self.TASKS}/stats")["total"] == 4

    def test_soft_delete(self, scaffolder: Api) -> None:
        ada = scaffolder.register()
        task = ada.post(201, self.TASKS, {"title": "Hidden"})
        path = f"{self.TASKS}/{task['id']}"
        ada.delete(204, path)
        assert ada.get(200, f"{self.TASKS}/stats")["total"] == 0
        ada.put(404, path, {"title": "Shown"})
        ada.patch(404, f"{path}/complete")
        ada.delete(404, path)
        assert ada.post(200, f"{path}/restore")["title"] == "Hidden"
        assert titles(ada.get(200, self.TASKS)) == {"Hidden"}

    def test_another_users_task_is_not_found(self, scaffolder: Api) -> None:
        ada, bob = scaffolder.register(), scaffolder.register()
        task = ada.post(201, self.TASKS, {"title": "Ada's own"})
        path = f"{self.TASKS}/{task['id']}"
        missing = f"{self.TASKS}/{UNKNOWN}"
        for method, tail, body in (
            ("GET", "", None),
            ("PUT", "", {"title": "Bob's"}),
            ("DELETE", "", None),
            ("PATCH", "/complete", None),
            ("POST", "/restore", None),
        ):
            theirs = bob.expect(404, method, path + tail, body)
            nobodys = bob.expect(404, method, missing + tail, body)
            assert theirs["error_code"] == nobodys["error_code"] == "NOT_FOUND"
            assert theirs["detail"] == nobodys["detail"]
        assert bob.get(200, self.TASKS) == []
        assert bob.get(200, f"{self.TASKS}/stats")["total"] == 0
        is_kept(ada, self.TASKS, task)

    def test_no_token(self, scaffolder: Api) -> None:
        anybody = scaffolder.anonymous()
        assert anybody.get(401, self.TASKS)["error_code"] == "UNAUTHORIZED"
        anybody.post(401, self.TASKS, {"title": "Test task"})
        Caller(scaffolder, "your-token", {}).get(401, f"{self.TASKS}/1")


class TestBackendBuilder:
    """/api/{user_id}/tasks, PUT, search, stats, bulk-complete, own users."""

    def test_routes(self, builder: Api) -> None:
        tasks = "/api/{user_id}/tasks"
        assert builder.routes(under="/api/{user_id}") == {
            f"GET {tasks}",
            f"POST {tasks}",
            f"GET {tasks}/{{task_id}}",
            f"PUT {tasks}/{{task_id}}",
            f"DELETE {tasks}/{{task_id}}",
            f"PATCH {tasks}/{{task_id}}/complete",
            f"GET {tasks}/stats",
            f"POST {tasks}/bulk",
            f"POST {tasks}/bulk-complete",
            f"GET {tasks}/search",
        }

    def test_crud(self, builder: Api) -> None:
        ada = builder.register()
        assert isinstance(ada.id, int)
        tasks = f"/api/{ada.id}/tasks"
        answer = ada.call("POST", tasks, {"title": "value"})
        assert answer.status == 201
        task = answer.json
        assert answer.headers["Location"] == f"{tasks}/{task['id']}"
        assert (task["title"], task["user_id"], task["description"]) == ("value", ada.id, None)
        assert moment(task["created_at"]) <= moment(task["updated_at"])
        listed = ada.get(200, tasks)
        assert isinstance(listed["items"], list)
        assert listed == {
            "items": [task],
            "pagination": {
                "total": 1,
                "page": 1,
                "page_size": 20,
                "total_pages": 1,
                "has_previous": False,
                "has_next": False,
            },
        }
        changed = ada.put(200, f"{tasks}/{task['id']}", {"description": "Longer"})
        assert (changed["title"], changed["description"]) == ("value", "Longer")
        is_kept(ada, tasks, changed)
        ada.delete(204, f"{tasks}/{task['id']}")
        assert ada.get(404, f"{tasks}/{task['id']}")["error_code"] == "NOT_FOUND"
        ada.put(404, f"{tasks}/{task['id']}", {"title": "Gone"})
        ada.delete(404, f"{tasks}/{task['id']}")

    def test_the_path_is_the_tokens_own(self, builder: Api) -> None:
        ada, bob = builder.register(), builder.register()
        tasks = f"/api/{ada.id}/tasks"
        task = ada.post(201, tasks, {"title": "Ada's own"})
        for method, tail, body in (
            ("GET", "", None),
            ("POST", "", {"title": "Bob's"}),
            ("GET", f"/{task['id']}", None),
            ("PUT", f"/{task['id']}", {"title": "Bob's"}),
            ("DELETE", f"/{task['id']}", None),
            ("PATCH", f"/{task['id']}/complete", None),
            ("GET", "/stats", None),
            ("GET", "/search?query=own", None),
            ("POST", "/bulk", [{"title": "Bob's"}]),
            ("POST", "/bulk-complete", {"task_ids": [task["id"]]}),
        ):
            assert bob.expect(403, method, tasks + tail, body)["error_code"] == "FORBIDDEN"
        # Before ids and bodies are looked at, and for a user who is none.
        bob.put(403, f"{tasks}/none", {"title": 7})
        bob.get(403, "/api/some-user-id/tasks")
        # Under his own path, Ada's task does not exist.
        mine = f"/api/{bob.id}/tasks"
        bob.get(404, f"{mine}/{task['id']}")
        bob.put(404, f"{mine}/{task['id']}", {"title": "Bob's"})
        bob.delete(404, f"{mine}/{task['id']}")
        assert bob.get(200, mine)["items"] == []
        is_kept(ada, tasks, task)

    def test_unauthorized_access(self, builder: Api) -> None:
        builder.anonymous().get(401, "/api/some-user-id/tasks")
        builder.anonymous().post(401, "/api/some-user-id/tasks/bulk-complete", {"task_ids": [1]})

    def test_statistics(self, builder: Api) -> None:
        ada = builder.register()
        tasks = f"/api/{ada.id}/tasks"
        for number in range(4):
            ada.post(201, tasks, {"title": f"Task {number}", "completed": number < 3})
        stats = ada.get(200, f"{tasks}/stats")
        assert stats == {"total": 4, "completed": 3, "pending": 1, "completion_rate": 0.75}

    def test_bulk_complete(self, builder: Api) -> None:
        ada, bob = builder.register(), builder.register()
        tasks = f"/api/{ada.id}/tasks"
        rows = ada.post(201, f"{tasks}/bulk", [{"title": "One"}, {"title": "Two"}])
        theirs = bob.post(201, f"/api/{bob.id}/tasks", {"title": "Bob's"})
        ids = [rows[0]["id"], theirs["id"], rows[1]["id"], UNKNOWN]
        done = ada.post(200, f"{tasks}/bulk-complete", {"task_ids": ids})
        assert done == {"updated_count": 2, "failed_ids": [theirs["id"], UNKNOWN]}
        assert ada.get(200, tasks, status="completed")["pagination"]["total"] == 2
        is_kept(bob, f"/api/{bob.id}/tasks", theirs)
        again = ada.post(200, f"{tasks}/bulk-complete", {"task_ids": [rows[0]["id"]]})
        assert again["failed_ids"] == []
        ada.post(422, f"{tasks}/bulk-complete", {"task_ids": ["one"]})

    def test_search(self, builder: Api) -> None:
        ada, bob = builder.register(), builder.register()
        tasks = f"/api/{ada.id}/tasks"
        ada.post(201, tasks, {"title": "Buy MILK", "completed": True})
        ada.post(201, tasks, {"title": "Shop", "description": "Bread, milk"})
        ada.post(201, tasks, {"title": "100% sure"})
        ada.post(201, tasks, {"title": "ÜBUNG"})
        bob.post(201, f"/api/{bob.id}/tasks", {"title": "Bob's milk"})
        found = ada.get(200, f"{tasks}/search", query="milk")
        assert titles(found["items"]) == {"Buy MILK", "Shop"}
        assert found["pagination"]["total"] == 2
        done = ada.get(200, f"{tasks}/search", query="milk", status="completed")
        assert titles(done["items"]) == {"Buy MILK"}
        second = ada.get(200, f"{tasks}/search", query="milk", page=2, page_size=1)
        assert titles(second["items"]) == {"Buy MILK"}
        assert second["pagination"]["page"] == 2
        assert titles(ada.get(200, f"{tasks}/search", query="%")["items"]) == {"100% sure"}
        assert titles(ada.get(200, f"{tasks}/search", query="übung")["items"]) == {"ÜBUNG"}
        ada.get(422, f"{tasks}/search", query="")
        ada.get(422, f"{tasks}/search")
        ada.get(422, f"{tasks}/search", query="milk", page_size=101)


class TestFastapiSqlmodelGenerator:
    """/api/{user_id}/tasks/ with the tokens of another service, PUT, complete, `status`."""

    def test_routes(self, generator: Api) -> None:
        tasks = "/api/{user_id}/tasks"
        assert generator.routes(under="/api") == {
            f"GET {tasks}",
            f"POST {tasks}",
            f"GET {tasks}/{{task_id}}",
            f"PUT {tasks}/{{task_id}}",
            f"DELETE {tasks}/{{task_id}}",
            f"PATCH {tasks}/{{task_id}}/complete",
        }

    def test_main_app(self, generator: Api) -> None:
        anybody = generator.anonymous()
        assert anybody.get(200, "/").keys() == {"message"}
        assert anybody.get(200, "/health") == {"status": "healthy"}
        asked = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "PATCH"}
        answer = generator.send("OPTIONS", "/api/user123/tasks", **asked)
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"

    def test_crud(self, generator: Api) -> None:
        user = generator.bearer("test-user")
        tasks = "/api/test-user/tasks"
        data = user.post(201, f"{tasks}/", {"title": "New Task", "description": "New description"})
        assert data == {
            "id": data["id"],
            "title": "New Task",
            "description": "New description",
            "completed": False,
            "user_id": "test-user",
            "created_at": data["created_at"],
            "updated_at": data["updated_at"],
        }
        assert isinstance(data["id"], int)
        listed = user.get(200, f"{tasks}/")
        assert isinstance(listed, list)
        assert listed[0] == data
        path = f"{tasks}/{data['id']}"
        assert user.get(200, path) == data
        changed = user.put(200, path, {"title": "Updated Task"})
        assert (changed["title"], changed["description"]) == ("Updated Task", "New description")
        assert moment(changed["updated_at"]) > moment(data["updated_at"])
        assert user.patch(200, f"{path}/complete")["completed"] is True
        assert user.patch(200, f"{path}/complete")["completed"] is False
        user.delete(204, path)
        error = user.get(404, path)
        assert error["error_code"] == "NOT_FOUND"
        user.put(404, path, {"title": "Gone"})
        user.patch(404, f"{path}/complete")
        user.delete(404, path)

    def test_status_filter(self, generator: Api) -> None:
        user = generator.bearer("filter|user")
        tasks = "/api/filter%7Cuser/tasks"
        user.post(201, tasks, {"title": "Done", "completed": True})
        user.post(201, tasks, {"title": "Open"})
        assert titles(user.get(200, tasks, status="all")) == {"Done", "Open"}
        assert titles(user.get(200, tasks, status="pending")) == {"Open"}
        assert titles(user.get(200, tasks, status="completed")) == {"Done"}
        user.get(422, tasks, status="other")

    def test_wrong_user_access(self, generator: Api) -> None:
        user, wrong = generator.bearer("owner"), generator.bearer("wrong-user")
        task = user.post(201, "/api/owner/tasks", {"title": "Owned"})
        for tasks in ("/api/owner/tasks", "/api/wrong-user/tasks"):
            path = f"{tasks}/{task['id']}"
            assert wrong.get(403, path)["error_code"] == "FORBIDDEN"
            wrong.put(403, path, {"title": "Taken"})
            wrong.delete(403, path)
            wrong.patch(403, f"{path}/complete")
        wrong.get(403, "/api/owner/tasks/")
        wrong.post(403, "/api/owner/tasks/", {"title": "Slipped in"})
        assert wrong.get(200, "/api/wrong-user/tasks") == []
        wrong.get(404, f"/api/wrong-user/tasks/{UNKNOWN}")
        is_kept(user, "/api/owner/tasks", task)

    def test_unauthorized_access(self, generator: Api) -> None:
        tasks = "/api/test-user/tasks/"
        generator.anonymous().get(401, tasks)
        for caller in (
            generator.bearer("test-user", exp=1),
            generator.bearer("test-user", secret="a secret that nobody shares with us"),
            generator.bearer(""),
            Caller(generator, "test-token", {}),
        ):
            answer = caller.call("GET", tasks)
            assert answer.status == 401
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    def test_validation(self, generator: Api) -> None:
        user = generator.bearer("validator")
        for wrong in ({}, {"title": "x" * 201}, {"title": "A", "user_id": "owner"}, [], "text"):
            error = user.post(422, "/api/validator/tasks", wrong)
            assert error["error_code"] == "VALIDATION_ERROR"
        user.post(422, "/api/validator/tasks", {"title": "A", "description": "x" * 1001})


class TestBackendEngineer:
    """/api/tasks, UUIDs, PATCH, pages, tags, priorities, future due dates, 403, envelopes."""

    TASKS = "/api/tasks"

    def test_routes(self, engineer: Api) -> None:
        assert engineer.routes(under="/api/tasks") == {
            "GET /api/tasks",
            "POST /api/tasks",
            "GET /api/tasks/{task_id}",
            "PATCH /api/tasks/{task_id}",
            "DELETE /api/tasks/{task_id}",
        }

    def test_crud(self, engineer: Api) -> None:
        ada = engineer.register()
        due = soon(days=7)
        body = {
            "title": "Write the report",
            "description": "All of it",
            "priority": "high",
            "due_date": due,
            "tags": ["work", "urgent"],
        }
        task = ada.post(201, self.TASKS, body)
        assert task.keys() == {
            *("id", "title", "description", "priority", "completed", "due_date", "tags"),
            *("created_at", "updated_at", "user_id"),
        }
        assert {**body, "due_date": task["due_date"]}.items() <= task.items()
        assert moment(task["due_date"]) == moment(due)
        assert (len(task["id"]), task["id"][14], task["completed"]) == (36, "7", False)
        assert task["user_id"] == ada.id
        plain = ada.post(201, self.TASKS, {"title": "Plain"})
        assert (plain["priority"], plain["tags"], plain["due_date"]) == ("medium", [], None)

        path = f"{self.TASKS}/{task['id']}"
        assert ada.get(200, path) == task
        changed = ada.patch(200, path, {"completed": True, "tags": []})
        assert (changed["completed"], changed["tags"]) == (True, [])
        assert changed["title"] == task["title"]
        assert moment(changed["updated_at"]) > moment(task["updated_at"])
        assert ada.get(200, self.TASKS, completed="true")["items"] == [changed]
        assert ada.get(200, self.TASKS, completed="false")["items"] == [plain]
        ada.delete(204, path)
        assert ada.get(404, path)["error"]["code"] == "NOT_FOUND"

    def test_pagination(self, engineer: Api) -> None:
        ada = engineer.register()
        for number in range(5):
            ada.post(201, self.TASKS, {"title": f"Task {number}"})
        assert ada.get(200, self.TASKS)["pagination"] == {
            "total": 5,
            "page": 1,
            "page_size": 20,
            "total_pages": 1,
            "has_previous": False,
            "has_next": False,
        }
        seen = []
        for page, previous, following in ((1, False, True), (2, True, True), (3, True, False)):
            found = ada.get(200, self.TASKS, page=page, page_size=2)
            seen += [row["title"] for row in found["items"]]
            assert found["pagination"] == {
                "total": 5,
                "page": page,
                "page_size": 2,
                "total_pages": 3,
                "has_previous": previous,
                "has_next": following,
            }
        assert seen == [f"Task {number}" for number in reversed(range(5))]
        for wrong in ({"page": 0}, {"page_size": 0}, {"page_size": 101}, {"completed": "perhaps"}):
            ada.get(422, self.TASKS, **wrong)

    def test_validation_errors(self, engineer: Api) -> None:
        ada = engineer.register()
        for field, value in (
            ("title", ""),
            ("title", "x" * 101),
            ("description", "x" * 501),
            ("priority", "urgent"),
            ("due_date", soon(days=-1)),
            ("due_date", "2999-01-01T12:00:00"),
            ("tags", "work"),
        ):
            error = ada.post(422, self.TASKS, {"title": "Any", field: value})["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert error["details"].keys() == {field}
        task = ada.post(201, self.TASKS, {"title": "Any"})
        past = {"due_date": soon(days=-1)}
        assert "due_date" in ada.patch(422, f"{self.TASKS}/{task['id']}", past)["error"]["details"]
        ada.get(422, f"{self.TASKS}/1")

    def test_another_users_task_is_forbidden(self, engineer: Api) -> None:
        ada, bob = engineer.register(), engineer.register()
        task = ada.post(201, self.TASKS, {"title": "Ada's own"})
        path = f"{self.TASKS}/{task['id']}"
        assert bob.get(403, path)["error"]["code"] == "FORBIDDEN"
        bob.patch(403, path, {"title": "Bob's"})
        bob.delete(403, path)
        missing = f"{self.TASKS}/{task['id'][:-12]}{'0' * 12}"
        bob.get(404, missing)
        bob.patch(404, missing, {"title": "Bob's"})
        bob.delete(404, missing)
        assert bob.get(200, self.TASKS)["items"] == []
        is_kept(ada, self.TASKS, task)

    def test_authentication(self, engineer: Api) -> None:
        error = engineer.anonymous().get(401, self.TASKS)["error"]
        assert error["code"] == "UNAUTHORIZED"
        Caller(engineer, "not.a.token", {}).get(401, self.TASKS)
        ada = engineer.register()
        wrong = {"email": ada.user["email"], "password": "wrong horse"}
        engineer.anonymous().post(401, "/api/auth/login", wrong)


class TestTodoFullstack:
    """/api/v1/tasks, PUT, 403, errors with three keys, users and their tasks."""

    TASKS = "/api/v1/tasks"

    def test_routes(self, fullstack: Api) -> None:
        assert fullstack.routes(under="/api/v1/tasks") == {
            "GET /api/v1/tasks",
            "POST /api/v1/tasks",
            "GET /api/v1/tasks/{task_id}",
            "PUT /api/v1/tasks/{task_id}",
            "DELETE /api/v1/tasks/{task_id}",
        }
        assert {
            *("POST /api/v1/auth/register", "POST /api/v1/auth/login", "GET /api/v1/auth/me"),
        } <= fullstack.routes(under="/api/v1/auth")

    def test_crud(self, fullstack: Api) -> None:
        ada = fullstack.register()
        task = ada.post(201, f"{self.TASKS}/", {"title": "Buy milk"})
        assert task == {
            "id": task["id"],
            "title": "Buy milk",
            "description": None,
            "completed": False,
            "user_id": ada.id,
            "created_at": task["created_at"],
            "updated_at": task["updated_at"],
        }
        assert isinstance(task["id"], int)
        path = f"{self.TASKS}/{task['id']}"
        assert ada.get(200, path) == task
        long = {"title": "x" * 255, "description": "y" * 5000, "completed": True}
        assert long.items() <= ada.put(200, path, long).items()
        assert ada.get(200, self.TASKS)["pagination"]["total"] == 1
        ada.delete(204, path)
        ada.get(404, path)

    def test_errors(self, fullstack: Api) -> None:
        ada = fullstack.register()
        for error, code in (
            (fullstack.anonymous().get(401, self.TASKS), "UNAUTHORIZED"),
            (ada.get(404, f"{self.TASKS}/{UNKNOWN}"), "NOT_FOUND"),
            (ada.get(404, "/api/v1/nothing"), "NOT_FOUND"),
            (ada.post(422, self.TASKS, {"title": ""}), "VALIDATION_ERROR"),
            (ada.post(422, self.TASKS, {"title": "x" * 256}), "VALIDATION_ERROR"),
        ):
            assert error["error_code"] == code
            age = datetime.now(UTC) - moment(error["timestamp"])
            assert abs(age) < timedelta(minutes=1)
            assert error["timestamp"].endswith("Z")

    def test_another_users_task_is_forbidden(self, fullstack: Api) -> None:
        ada, bob = fullstack.register(), fullstack.register()
        task = ada.post(201, self.TASKS, {"title": "Ada's own"})
        path = f"{self.TASKS}/{task['id']}"
        assert bob.get(403, path)["error_code"] == "FORBIDDEN"
        bob.put(403, path, {"title": "Bob's"})
        bob.delete(403, path)
        assert bob.get(200, self.TASKS)["items"] == []
        is_kept(ada, self.TASKS, task)

    def test_a_users_tasks_go_with_the_user(self, fullstack: Api) -> None:
        ada, bob = fullstack.register(), fullstack.register()
        path = f"{self.TASKS}/{ada.post(201, self.TASKS, {'title': 'Own'})['id']}"
        bob.get(403, path)
        ada.delete(204, "/api/v1/auth/me")
        ada.get(401, path)
        bob.get(404, path)
