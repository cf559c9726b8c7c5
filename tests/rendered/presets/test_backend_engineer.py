"""The preset backend-engineer."""

from tests.rendered.presets.helpers import assert_unchanged, from_now, parse_datetime
from tests.support.preset_server import Api, Caller


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
        due = from_now(days=7)
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
        assert parse_datetime(task["due_date"]) == parse_datetime(due)
        assert (len(task["id"]), task["id"][14], task["completed"]) == (36, "7", False)
        assert task["user_id"] == ada.id
        plain = ada.post(201, self.TASKS, {"title": "Plain"})
        assert (plain["priority"], plain["tags"], plain["due_date"]) == ("medium", [], None)

        path = f"{self.TASKS}/{task['id']}"
        assert ada.get(200, path) == task
        changed = ada.patch(200, path, {"completed": True, "tags": []})
        assert (changed["completed"], changed["tags"]) == (True, [])
        assert changed["title"] == task["title"]
        assert parse_datetime(changed["updated_at"]) > parse_datetime(task["updated_at"])
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
            ("due_date", from_now(days=-1)),
            ("due_date", "2999-01-01T12:00:00"),
            ("tags", "work"),
        ):
            error = ada.post(422, self.TASKS, {"title": "Any", field: value})["error"]
            assert error["code"] == "VALIDATION_ERROR"
            assert error["details"].keys() == {field}
        task = ada.post(201, self.TASKS, {"title": "Any"})
        past = {"due_date": from_now(days=-1)}
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
        assert_unchanged(ada, self.TASKS, task)

    def test_authentication(self, engineer: Api) -> None:
        error = engineer.anonymous().get(401, self.TASKS)["error"]
        assert error["code"] == "UNAUTHORIZED"
        Caller(engineer, "not.a.token", {}).get(401, self.TASKS)
        ada = engineer.register()
        wrong = {"email": ada.user["email"], "password": "wrong horse"}
        engineer.anonymous().post(401, "/api/auth/login", wrong)
