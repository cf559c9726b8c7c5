"""Load a server with wrk, a load generator that is not Python and leaves the CPU to the server."""

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.project import Server

# wrk counts all answers above 399; none of the servers redirects.
SCRIPT = """local requests = {}
local number = 0

function init()
  for _, request in ipairs(WANTED) do
    table.insert(requests, wrk.format(request[1], request[2], HEADERS, request[3]))
  end
end

function request()
  number = number % #requests + 1
  return requests[number]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %d, "seconds": %.6f, "p50": %.3f, "connect": %d, "read": %d, ' ..
    '"write": %d, "timeout": %d, "status": %d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, errors.connect,
    errors.read, errors.write, errors.timeout, errors.status))
end
"""


@dataclass(frozen=True)
class Request:
    """A request of a load."""

    method: str
    path: str
    content: object = None


@dataclass(frozen=True)
class Load:
    """Requests that are sent in turns, and the status of their answers."""

    requests: Sequence[Request]
    headers: dict[str, str]
    status: int = 200


@dataclass(frozen=True)
class Burst:
    """What a server did in a few seconds under load."""

    requests: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU time of the server for a request, in microseconds."""
        return self.cpu_seconds / max(self.requests, 1) * 1e6

    @property
    def failed(self) -> str:
        """What went wrong, if anything did."""
        if not self.errors:
            return ""
        listed = ", ".join(f"{count} times {kind}" for kind, count in self.errors.items())
        return f"{listed}, with {self.requests} answers"


def wrk() -> str:
    """Find wrk, or stop."""
    found = shutil.which("wrk")
    if found is None:
        sys.exit(
            "wrk is not installed, which creates the load (Debian and Ubuntu: apt install wrk)"
        )
    return found


def wrk_version() -> str:
    """The version of wrk, which it prints with its usage."""
    printed = subprocess.run([wrk(), "--version"], capture_output=True, text=True, check=False)
    return printed.stdout.split()[1].removeprefix("debian/")


def lua(value: object) -> str:
    """A string, number, list or dictionary in Lua; its strings are those of JSON in ASCII."""
    match value:
        case dict():
            return f"{{{', '.join(f'[{lua(key)}] = {lua(item)}' for key, item in value.items())}}}"
        case list() | tuple():
            return f"{{{', '.join(map(lua, value))}}}"
        case None:
            return "nil"
        case _:
            return json.dumps(value)


def script(load: Load) -> str:
    """The requests of a load, as a script of wrk."""
    wanted = [
        (
            request.method,
            request.path,
            None if request.content is None else json.dumps(request.content),
        )
        for request in load.requests
    ]
    headers = {"Content-Type": "application/json", **load.headers}
    return f"WANTED = {lua(wanted)}\nHEADERS = {lua(headers)}\n{SCRIPT}"


def burst(server: Server, load: Load, folder: Path, seconds: int, connections: int = 16) -> Burst:
    """Send requests for some seconds, one after the other on each connection."""
    file = folder / "load.lua"
    file.write_text(script(load), encoding="utf-8")
    command = [
        *(wrk(), "--threads", "1", "--connections", str(connections)),
        # Slow answers are no errors.
        *("--timeout", "10s", "--duration", f"{seconds}s", "--script", str(file), server.url),
    ]
    before = server.cpu_seconds()
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = server.cpu_seconds() - before
    result = json.loads(printed.rpartition("RESULT ")[2])
    kinds = {f"a {kind} error": result[kind] for kind in ("connect", "read", "write", "timeout")}
    good = result["requests"] - result["status"] if load.status < 400 else result["status"]
    kinds["an unexpected status"] = result["requests"] - good
    errors = {kind: count for kind, count in kinds.items() if count}
    return Burst(result["requests"], result["seconds"], used, result["p50"], errors)


def spread(figures: Sequence[float]) -> tuple[float, float, float]:
    """The median, the least and the greatest of some figures."""
    return statistics.median(figures), min(figures), max(figures)
