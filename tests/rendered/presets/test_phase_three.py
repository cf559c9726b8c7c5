"""The preset phase-three."""

import pytest

from tests.rendered.presets.helpers import UNKNOWN
from tests.support.environment import Environment
from tests.support.mcp_agent import PROTOCOLS, agent_of
from tests.support.preset_server import Api, Caller


def operations_of(path: str, parameter: str) -> set[str]:
    """Return the routes that every resource has."""
    row = f"{path}/{{{parameter}}}"
    return {f"POST {path}", f"GET {path}", f"GET {row}", f"PUT {row}", f"DELETE {row}"}


class TestPhaseThree:
    """Tasks that an agent and its user both see; conversations and their messages."""

    TASKS, CONVERSATIONS, MESSAGES = "/api/tasks", "/api/conversations", "/api/messages"

    def test_routes(self, phase_three: Api) -> None:
        assert phase_three.routes(under=self.TASKS) == operations_of(self.TASKS, "task_id") | {
            "PATCH /api/tasks/{task_id}/complete",
            *("GET /api/tasks/stats", "GET /api/tasks/search"),
        }
        conversations = operations_of(self.CONVERSATIONS, "conversation_id")
        assert phase_three.routes(under=self.CONVERSATIONS) == conversations
        messages = operations_of(self.MESSAGES, "message_id") | {"GET /api/messages/search"}
        assert phase_three.routes(under=self.MESSAGES) == messages

    @pytest.mark.parametrize("mode", PROTOCOLS)
    def test_agent_and_user_see_the_same_tasks(
        self, phase_three: Api, environment: Environment, mode: str
    ) -> None:
        ada, bob = phase_three.register(), phase_three.register()
        theirs = bob.post(201, self.TASKS, {"title": "Bob's own"})
        with agent_of(environment, ada, mode) as agent:
            assert len(agent.tools) == 8 + 5 + 6
            milk = agent.call("create_task", title="Buy milk")
            assert ada.get(200, f"{self.TASKS}/{milk['id']}") == milk
            tea = ada.post(201, self.TASKS, {"title": "Drink tea", "description": "x" * 1000})
            listed = agent.call("list_tasks", sort="id")
            shown = [{key: row[key] for key in ("id", "title", "completed")} for row in (milk, tea)]
            assert listed == {"items": shown, "next_cursor": None}
            for _ in range(2):
                assert agent.call("complete_task", id=milk["id"])["completed"] is True
            assert ada.get(200, self.TASKS, completed="true")["items"][0]["id"] == milk["id"]
            assert agent.call("task_stats")["completed"] == 1
            agent.call("update_task", id=tea["id"], title="Drink green tea")
            assert agent.call("search_tasks", query="GREEN")["items"][0]["id"] == tea["id"]
            agent.call("delete_task", id=milk["id"])
            ada.get(404, f"{self.TASKS}/{milk['id']}")
            for task_id in (milk["id"], theirs["id"], UNKNOWN):
                agent.fail("complete_task", "NOT_FOUND", id=task_id)
            assert set(agent.fail("create_task", "VALIDATION_ERROR", title="")) == {"title"}
            invented = {"title": "For Bob", "user_id": bob.id}
            assert set(agent.fail("create_task", "VALIDATION_ERROR", **invented)) == {"user_id"}
        assert bob.get(200, self.TASKS)["items"] == [theirs]

    def test_conversations(self, phase_three: Api, environment: Environment) -> None:
        ada, bob = phase_three.register(), phase_three.register()
        conversation = ada.post(201, self.CONVERSATIONS, {"title": "Shopping"})
        words = [("user", "Add milk"), ("assistant", "Done"), ("user", "Thank you")]
        sent = [
            ada.post(
                201,
                self.MESSAGES,
                {"role": role, "content": content, "conversation_id": conversation["id"]},
            )
            for role, content in words
        ]
        query = {"conversation_id": conversation["id"], "sort": "created_at"}
        assert ada.get(200, self.MESSAGES, **query)["items"] == sent
        wrong = {"role": "system", "content": "Hi", "conversation_id": conversation["id"]}
        assert ada.post(422, self.MESSAGES, wrong)["errors"].keys() == {"role"}
        self.check_agent(environment, ada, conversation["id"], words)
        reply = {"role": "user", "content": "Hello", "conversation_id": conversation["id"]}
        assert "conversation_id" in bob.post(422, self.MESSAGES, reply)["errors"]
        assert bob.get(200, self.MESSAGES, **query)["items"] == []
        ada.delete(204, f"{self.CONVERSATIONS}/{conversation['id']}")
        assert ada.get(200, self.MESSAGES)["items"] == []

    def check_agent(
        self, environment: Environment, ada: Caller, conversation: int, words: list[tuple[str, str]]
    ) -> None:
        """An agent reads what was said, page by page, and stores its own words."""
        with agent_of(environment, ada) as agent:
            query = {"conversation_id": conversation, "sort": "created_at", "limit": 2}
            first = agent.call("list_messages", **query)
            rest = agent.call("list_messages", **query, cursor=first["next_cursor"])
            read = [(one["role"], one["content"]) for one in first["items"] + rest["items"]]
            assert read == words
            said = {"role": "assistant", "content": "You are welcome"}
            message = agent.call("create_message", conversation_id=conversation, **said)
            assert ada.get(200, f"{self.MESSAGES}/{message['id']}") == message
