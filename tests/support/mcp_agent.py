"""Agents that call the tools of a served app, with the official SDK's client over HTTP."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.environment import Environment
from tests.support.preset_server import Caller

DRIVER = Path(__file__).parent / "mcp_driver.py"
# The protocol with an `initialize` handshake, and the newer one without.
PROTOCOLS = ("legacy", "2026-07-28")

Json = dict[str, Any]


@dataclass(frozen=True)
class Agent:
    """A connected agent."""

    process: "subprocess.Popen[str]"
    tools: dict[str, Json]

    def send(self, tool: str, arguments: Json) -> Json:
        """Call a tool; return whether it failed, and its content."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([tool, arguments]) + "\n")
        self.process.stdin.flush()
        result: Json = json.loads(self.process.stdout.readline())
        return result

    def call(self, tool: str, /, **arguments: Any) -> Any:  # noqa: ANN401
        """Call a tool, which succeeds; return its content."""
        result = self.send(tool, arguments)
        assert not result["failed"], (tool, arguments, result)
        return result["content"]

    def fail(self, tool: str, code: str, /, **arguments: Any) -> Json:  # noqa: ANN401
        """Call a tool, which fails with a code; return its messages by field."""
        result = self.send(tool, arguments)
        assert result["failed"], (tool, arguments, result)
        assert result["content"]["code"] == code
        errors: Json = result["content"].get("errors", {})
        return errors


@contextmanager
def agent_of(environment: Environment, caller: Caller, mode: str = "auto") -> Iterator[Agent]:
    """Run an agent with the token of a caller."""
    url = f"http://127.0.0.1:{caller.api.port}{caller.api.answers['api_prefix']}/mcp"
    with subprocess.Popen(
        [str(environment.python), str(DRIVER), url, mode, caller.token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        connected = json.loads(line)
        assert mode in {"auto", "legacy", connected["protocol"]}
        yield Agent(process, connected["tools"])
        # The end of its input ends the process.
        process.communicate(timeout=30)
    assert process.returncode == 0
