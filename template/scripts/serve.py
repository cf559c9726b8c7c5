"""Serve the API on the port in PORT, or on 8000: `python -m scripts.serve`.

Options of uvicorn can follow, or be in its variables (UVICORN_…, WEB_CONCURRENCY).
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn

from app.settings import load_settings

APP = "app.main:app"
# The app has its own access log, and does not tell clients the name of the server.
OPTIONS = ("--no-access-log", "--no-server-header")
DEFAULT_PORT = "8000"


def stop(_signal: int, _frame: FrameType | None) -> None:
    """End the process without an error."""
    sys.exit(0)


def main(arguments: Sequence[str]) -> None:
    """Serve until a signal stops the process.

    Uvicorn lets requests finish after a signal, and then raises it again. Without this handler,
    the process would look as if it had been killed, which platforms report as a failure.
    """
    signal.signal(signal.SIGTERM, stop)
    # With several processes, uvicorn would end with 0 if none of them could start.
    load_settings()
    port = os.environ.get("PORT") or DEFAULT_PORT
    uvicorn.main([APP, "--port", port, *OPTIONS, *arguments], prog_name="scripts.serve")


if __name__ == "__main__":
    main(sys.argv[1:])
