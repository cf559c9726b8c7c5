"""Faults of the Redis in which rate limits are counted."""

import time
from collections.abc import Callable
from uuid import uuid4

from bench.faults.clients import Client, load
from bench.faults.servers import Redis, redis, wait_until
from bench.faults.stage import PASSWORD, Seen, Stage

SECONDS = 5
LIMIT = "100000/minute"


def log_in(client: Client, _number: int) -> bool:
    """Log in."""
    account = {"email": "ada@example.com", "password": PASSWORD}
    return client.send("POST", "/api/auth/login", account).status == 200


def guess(client: Client, _number: int) -> bool:
    """Log in as a user who does not exist, which is counted."""
    account = {"email": f"{uuid4()}@example.com", "password": PASSWORD}
    return client.send("POST", "/api/auth/login", account, expected=401).status == 401


def during(stage: Stage, fault: Callable[[Redis], None]) -> Seen:
    """Read, write and log in before, during and after a fault, until attempts are counted again."""
    with redis() as server:
        settings = {"RATE_LIMIT_STORAGE_URL": server.url, "RATE_LIMIT_LOGIN": LIMIT}

        def counts() -> bool:
            return server.ask("DBSIZE") != ":0"

        with (
            stage.app(**settings) as app,
            load(app.port, app.token, others=(log_in, guess)) as found,
        ):
            wait_until(counts, "the first count in Redis")
            fault(server)
            ended = time.monotonic()
            server.ask("FLUSHALL")
            time.sleep(1)
            wait_until(counts, "another count in Redis")
            note = f"counted in Redis again within {time.monotonic() - ended:.0f} s"
    seen = stage.seen(found, ended, note=note)
    seen.allowed = frozenset({401})
    return seen


def killed(stage: Stage) -> Seen:
    """Kill Redis, and start it again a little later."""

    def fault(server: Redis) -> None:
        server.kill()
        time.sleep(SECONDS)
        server.start()

    return during(stage, fault)


def frozen(stage: Stage) -> Seen:
    """Stop the process of Redis, which keeps its connections."""

    def fault(server: Redis) -> None:
        with server.frozen():
            time.sleep(SECONDS)

    return during(stage, fault)


FAULTS: dict[str, Callable[[Stage], Seen]] = {
    f"Redis is killed, and started again {SECONDS} s later": killed,
    f"Redis is frozen for {SECONDS} s": frozen,
}
