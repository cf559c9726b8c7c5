"""The preset backend-scaffolder."""

from urllib.parse import urlencode

from tests.rendered.presets.helpers import (
    UNKNOWN,
    assert_unchanged,
    from_now,
    parse_datetime,
    titles,
)
from tests.support.preset_server import Api, Caller


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
        assert parse_datetime(task["created_at"]) <= parse_datetime(task["updated_at"])
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
        assert parse_datetime(changed["updated_at"]) > parse_datetime(task["updated_at"])
        assert changed == {**task, "completed": True, "updated_at": changed["updated_at"]}
        ada.delete(204, f"{self.TASKS}/{task['id']}")
        error = ada.get(404, f"{self.TASKS}/{task['id']}")
        assert error["detail"]
        assert ada.get(200, self.TASKS) == []

    def test_trailing_slash_does_not_redirect(self, scaffolder: Api) -> None:
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
        due = from_now(days=2)
        row = ada.post(201, self.TASKS, {"title": "Low", "priority": "low", "due_date": due})
        assert row["priority"] == "low"
        assert parse_datetime(row["due_date"]) == parse_datetime(due)
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
        task = ada.post(201, self.TASKS, {"title": "Deleted"})
        path = f"{self.TASKS}/{task['id']}"
        ada.delete(204, path)
        assert ada.get(200, f"{self.TASKS}/stats")["total"] == 0
        ada.put(404, path, {"title": "Changed"})
        ada.patch(404, f"{path}/complete")
        ada.delete(404, path)
        assert ada.post(200, f"{path}/restore")["title"] == "Deleted"
        assert titles(ada.get(200, self.TASKS)) == {"Deleted"}

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
            foreign = bob.expect(404, method, path + tail, body)
            absent = bob.expect(404, method, missing + tail, body)
            assert foreign["error_code"] == absent["error_code"] == "NOT_FOUND"
            assert foreign["detail"] == absent["detail"]
        assert bob.get(200, self.TASKS) == []
        assert bob.get(200, f"{self.TASKS}/stats")["total"] == 0
        assert_unchanged(ada, self.TASKS, task)

    def test_no_token(self, scaffolder: Api) -> None:
        anonymous = scaffolder.anonymous()
        assert anonymous.get(401, self.TASKS)["error_code"] == "UNAUTHORIZED"
        anonymous.post(401, self.TASKS, {"title": "Test task"})
        Caller(scaffolder, "your-token", {}).get(401, f"{self.TASKS}/1")
