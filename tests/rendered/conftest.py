"""Servers that several tests of rendered projects use."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.environment import Environment

REDIS = os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379"
# Runs in the environment of the rendered projects, because this one does not have the client.
PING = "import sys, redis; redis.from_url(sys.argv[1], socket_connect_timeout=5).ping()"


@pytest.fixture(scope="module")
def redis_url(environment: Environment) -> str:
    """The URL of the Redis server."""
    done = environment.run(Path("/"), "python", "-c", PING, REDIS)
    if done.returncode:
        reason = (done.stdout.strip().splitlines() or ["no output"])[-1]
        message = f"no Redis at {urlsplit(REDIS).netloc.rpartition('@')[2]}: {reason}"
        # A server that is configured must be available.
        pytest.fail(message) if "TEST_REDIS_URL" in os.environ else pytest.skip(message)
    return REDIS
