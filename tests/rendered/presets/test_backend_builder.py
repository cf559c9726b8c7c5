"""The preset backend-builder."""

from uuid import UUID

from tests.rendered.presets.helpers import UNKNOWN, assert_unchanged, parse_datetime, titles
from tests.support.preset_server import Api


class TestBackendBuilder:
    """/api/{user_id}/tasks, PUT, search, stats, bulk-complete, own users with UUIDs."""

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
        assert UUID(ada.id).version == 7
        tasks = f"/api/{ada.id}/tasks"
        answer = ada.call("POST", tasks, {"title": "value"})
        assert answer.status == 201
        task = answer.json
        assert isinstance(task["id"], int)
        assert answer.headers["Location"] == f"{tasks}/{task['id']}"
        assert (task["title"], task["user_id"], task["description"]) == ("value", ada.id, None)
        assert parse_datetime(task["created_at"]) <= parse_datetime(task["updated_at"])
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
        assert_unchanged(ada, tasks, changed)
        ada.delete(204, f"{tasks}/{task['id']}")
        assert ada.get(404, f"{tasks}/{task['id']}")["error_code"] == "NOT_FOUND"
        ada.put(404, f"{tasks}/{task['id']}", {"title": "Gone"})
        ada.delete(404, f"{tasks}/{task['id']}")

    def test_paths_of_other_users_are_forbidden(self, builder: Api) -> None:
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
        # Also with an invalid id and body, and for a user who does not exist.
        bob.put(403, f"{tasks}/none", {"title": 7})
        bob.get(403, "/api/some-user-id/tasks")
        # Below Bob's own path, Ada's task does not exist.
        mine = f"/api/{bob.id}/tasks"
        bob.get(404, f"{mine}/{task['id']}")
        bob.put(404, f"{mine}/{task['id']}", {"title": "Bob's"})
        bob.delete(404, f"{mine}/{task['id']}")
        assert bob.get(200, mine)["items"] == []
        assert_unchanged(ada, tasks, task)

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
        foreign = bob.post(201, f"/api/{bob.id}/tasks", {"title": "Bob's"})
        ids = [rows[0]["id"], foreign["id"], rows[1]["id"], UNKNOWN]
        done = ada.post(200, f"{tasks}/bulk-complete", {"task_ids": ids})
        assert done == {"updated_count": 2, "failed_ids": [foreign["id"], UNKNOWN]}
        assert ada.get(200, tasks, status="completed")["pagination"]["total"] == 2
        assert_unchanged(bob, f"/api/{bob.id}/tasks", foreign)
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
