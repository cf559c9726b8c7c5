"""The profile `scale` of compose.yaml: several processes behind HAProxy, with its configuration."""

import re
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

from tests.conftest import Render
from tests.support.environment import Environment
from tests.support.pages import block, replaced
from tests.support.servers import UNPRIVILEGED, folder, free_port, program, run_server

PROFILE = "scale"
COMMAND = "docker compose --profile scale up --build proxy"
SECONDS = 20
# Two are known to the name server at first, and the third one afterwards.
ADDRESSES = ["127.0.1.1", "127.0.1.2", "127.0.1.3"]
QUESTION_OF_AN_ADDRESS = 1
VARIABLES = """
from app.settings import Settings
print(*(name.upper() for name in Settings.model_fields))
"""


def loaded(project: Path) -> dict[str, Any]:
    """Return the content of compose.yaml."""
    return dict(yaml.safe_load((project / "compose.yaml").read_text(encoding="utf-8")))


def configuration(project: Path) -> str:
    """Return the configuration of the proxy."""
    content = str(loaded(project)["configs"]["haproxy"]["content"])
    assert "$" not in content, "Compose would replace it"
    return content


def directives(text: str) -> set[str]:
    """Return the lines of a configuration without comments."""
    lines = {line.strip() for line in text.splitlines()}
    return {line for line in lines if line and not line.startswith("#")}


def needed(services: dict[str, Any], name: str) -> set[str]:
    """Return a service and all that it depends on."""
    found = {name}
    for other in services[name].get("depends_on", ()):
        found |= needed(services, other)
    return found


def test_profile_adds_services_and_changes_none(render: Render) -> None:
    services = loaded(render())["services"]
    added = {name for name, one in services.items() if "profiles" in one}
    assert added == {"replica", "proxy", "redis"}
    assert all(services[name]["profiles"] == [PROFILE] for name in added)
    for name in services.keys() - added:
        assert needed(services, name) & added == set()
    # `app` is not started with the proxy, and their ports differ if it is.
    assert needed(services, "proxy") == added | {"migrate", "postgres"}
    assert "ports" not in services["replica"]
    [published] = services["app"]["ports"]
    [other] = services["proxy"]["ports"]
    assert published.startswith("127.0.0.1:${PORT:-8000}")
    assert other.startswith("127.0.0.1:${PROXY_PORT:-8080}")


def test_replicas_are_the_app_with_shared_limits(render: Render, environment: Environment) -> None:
    project = render()
    services = loaded(project)["services"]
    app, replica = services["app"], services["replica"]
    assert replica["deploy"]["replicas"] > 1
    own = {"environment", "ports", "depends_on"}
    assert {name: replica[name] for name in app.keys() - own} == {
        name: app[name] for name in app.keys() - own
    }
    assert replica["environment"].items() >= app["environment"].items()
    added = replica["environment"].keys() - app["environment"].keys()
    assert added == {"FORWARDED_ALLOW_IPS", "RATE_LIMIT_STORAGE_URL"}
    assert replica["environment"]["RATE_LIMIT_STORAGE_URL"] == "redis://redis:6379"
    fields = environment.check(project, "python", "-c", VARIABLES).split()
    assert "RATE_LIMIT_STORAGE_URL" in fields
    text = (project / "Dockerfile").read_text(encoding="utf-8")
    [grace] = re.findall(r"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=(\d+)", text)
    assert int(replica["stop_grace_period"].removesuffix("s")) > int(grace)


def test_command_is_the_same_in_the_file_and_in_the_page(render: Render) -> None:
    project = render()
    for name in ("compose.yaml", "docs/deployment.md"):
        assert COMMAND in (project / name).read_text(encoding="utf-8"), name


def test_configuration_is_that_of_the_page_without_tls(render: Render) -> None:
    project = render()
    own, page = directives(configuration(project)), directives(block(project, "haproxy"))
    assert {line for line in page - own if not line.startswith("server ")} == {
        "stats socket /run/haproxy/admin.sock mode 600 level admin",
        "bind :80",
        "bind :443 ssl crt /etc/haproxy/api.pem alpn h2,http/1.1",
        "http-request redirect scheme https code 308 unless { ssl_fc }",
        "http-request set-header X-Forwarded-Proto https",
    }
    assert {line.split(" ")[0] for line in own - page} == {
        *("resolvers", "nameserver", "hold", "bind", "http-request", "server-template"),
    }
    [port] = re.findall(r"^bind :(\d+)$", "\n".join(own), re.MULTILINE)
    assert loaded(project)["services"]["proxy"]["ports"][0].endswith(f":{port}")


def test_haproxy_accepts_the_configuration(render: Render) -> None:
    command = program("haproxy")
    with folder() as home:
        file = home / "haproxy.cfg"
        file.write_text(configuration(render()), encoding="utf-8")
        done = subprocess.run(
            [command, "-c", "-f", str(file)],
            capture_output=True,
            text=True,
            check=False,
            **UNPRIVILEGED,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


def response(query: bytes, addresses: list[str]) -> bytes:
    """Return the response of a name server: the addresses of the only name, if they are wanted."""
    end = query.index(b"\0", 12) + 5
    [kind] = struct.unpack("!H", query[end - 4 : end - 2])
    found = addresses if kind == QUESTION_OF_AN_ADDRESS else []
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, QUESTION_OF_AN_ADDRESS, 1, 600, 4)
    return head + query[12:end] + b"".join(record + socket.inet_aton(one) for one in found)


@contextmanager
def name_server(addresses: list[str]) -> Iterator[int]:
    """Run a name server that only has these addresses, which can be changed; yield its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    query, client = server.recvfrom(4096)
                    server.sendto(response(query, addresses), client)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            stop.set()
            thread.join()


class Replica(BaseHTTPRequestHandler):
    """Responds with its address, and with the headers about the client."""

    def do_GET(self) -> None:
        sent = [self.headers.get(f"X-Forwarded-{name}", "-") for name in ("For", "Proto")]
        body = " ".join([str(self.server.server_address[0]), *sent]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def replicas(port: int) -> Iterator[None]:
    """Run a server at each address."""
    servers = [ThreadingHTTPServer((address, port), Replica) for address in ADDRESSES]
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def wait_for(port: int, wanted: list[str]) -> None:
    """Send requests through the proxy until exactly these replicas respond in turn."""
    forged = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}
    end = time.monotonic() + SECONDS
    seen: Counter[str] = Counter()
    while time.monotonic() < end:
        seen.clear()
        for _ in range(3 * len(ADDRESSES)):
            with suppress(OSError):
                request = Request(f"http://127.0.0.1:{port}/", headers=forged)
                with urlopen(request, timeout=2) as answer:
                    seen[answer.read().decode()] += 1
        if set(seen) == {f"{address} 127.0.0.1 http" for address in wanted}:
            return
        time.sleep(0.1)
    raise AssertionError(f"not all of {wanted} respond: {seen}")


def test_proxy_finds_the_replicas_by_their_name(render: Render) -> None:
    haproxy = program("haproxy")
    known = ADDRESSES[:2]
    proxy, port = free_port(), free_port()
    with name_server(known) as names, replicas(port), folder() as home:
        changes = {
            "bind :8080": f"bind 127.0.0.1:{proxy}",
            "127.0.0.11:53": f"127.0.0.1:{names}",
            "replica:8000": f"replica:{port}",
        }
        file = home / "haproxy.cfg"
        file.write_text(replaced(configuration(render()), changes), encoding="utf-8")
        with run_server(home, proxy, haproxy, "-db", "-f", str(file)):
            wait_for(proxy, ADDRESSES[:2])
            known[:] = ADDRESSES[1:]
            wait_for(proxy, ADDRESSES[1:])
