"""The preset todo-fullstack."""

from datetime import UTC, datetime, timedelta

from tests.rendered.presets.helpers import UNKNOWN, assert_unchanged, parse_datetime
from tests.support.preset_server import Api


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
            age = datetime.now(UTC) - parse_datetime(error["timestamp"])
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
        assert_unchanged(ada, self.TASKS, task)

    def test_deleting_a_user_deletes_their_tasks(self, fullstack: Api) -> None:
        ada, bob = fullstack.register(), fullstack.register()
        path = f"{self.TASKS}/{ada.post(201, self.TASKS, {'title': 'Own'})['id']}"
        bob.get(403, path)
        ada.delete(204, "/api/v1/auth/me")
        ada.get(401, path)
        bob.get(404, path)
