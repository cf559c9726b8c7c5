"""Write `.env` from `.env.example`, with a random value for each secret."""

import re
import secrets
from pathlib import Path

PLACEHOLDER = "change-me"


def main() -> None:
    """Create the file, readable only by its owner; an existing file is not changed."""
    example = Path(".env.example").read_text(encoding="utf-8")
    env = Path(".env")
    if env.exists():
        return
    env.touch(mode=0o600)
    env.write_text(
        re.sub(
            rf"(?<==){PLACEHOLDER}$",
            lambda _: secrets.token_hex(32),
            example,
            flags=re.MULTILINE,
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
