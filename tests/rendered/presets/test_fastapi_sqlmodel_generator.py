"""The preset fastapi-sqlmodel-generator."""

from tests.rendered.presets.helpers import UNKNOWN, assert_unchanged, parse_datetime, titles
from tests.support.preset_server import Api, Caller


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
        anonymous = generator.anonymous()
        assert anonymous.get(200, "/").keys() == {"message"}
        assert anonymous.get(200, "/health") == {"status": "healthy"}
        headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "PATCH"}
        answer = generator.send("OPTIONS", "/api/user123/tasks", **headers)
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
        assert parse_datetime(changed["updated_at"]) > parse_datetime(data["updated_at"])
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
        wrong.post(403, "/api/owner/tasks/", {"title": "Added"})
        assert wrong.get(200, "/api/wrong-user/tasks") == []
        wrong.get(404, f"/api/wrong-user/tasks/{UNKNOWN}")
        assert_unchanged(user, "/api/owner/tasks", task)

    def test_unauthorized_access(self, generator: Api) -> None:
        tasks = "/api/test-user/tasks/"
        generator.anonymous().get(401, tasks)
        for caller in (
            generator.bearer("test-user", exp=1),
            generator.bearer("test-user", secret="another secret of at least 32 characters"),
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
