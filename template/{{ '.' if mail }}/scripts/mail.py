"""Send the mails of the outbox: `python -m scripts.mail`, until a signal stops it.

With `--once`, send those that are due, and exit; the status is 1 if there was an error. Set
SEND_MAIL=false for the app, so that only this process sends mails.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence

from app.db.database import Database
from app.http.logs import configure_logging
from app.mail.sender import Sender, running
from app.settings import Settings, load_settings

ONCE = "--once"


async def run(settings: Settings, *, once: bool) -> int:
    """Send mails, once or until a signal; return the exit status."""
    database = Database(settings.database_url, pool_size=1)
    sender = Sender(database, settings)
    try:
        if once:
            return 0 if await sender.send_once() else 1
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        async with running(sender):
            await stopped.wait()
    finally:
        await database.dispose()
    return 0


def main(arguments: Sequence[str]) -> int:
    """Read the settings, and send mails."""
    if set(arguments) - {ONCE}:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    return asyncio.run(run(settings, once=ONCE in arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
