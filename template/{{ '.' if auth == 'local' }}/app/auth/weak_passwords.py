"""New passwords that are easy to guess: common ones, and those made of the email (NIST SP 800-63B).

No other rules: required digits or symbols do not make passwords harder to guess.
"""

import unicodedata
from functools import cache
from pathlib import Path

COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")
COMMON = "One of the most common passwords."
LIKE_EMAIL = "Too similar to the email address."
# Shorter parts of an email are in too many passwords.
MIN_PART_LENGTH = 3


@cache
def _common_passwords() -> frozenset[str]:
    """Return the list without its comments; the file is read once."""
    lines = COMMON_PASSWORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line != "#" and not line.startswith("# "))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _alphanumeric(text: str) -> str:
    return "".join(filter(str.isalnum, _folded(text)))


def _is_like_email(password: str, email: str) -> bool:
    """Return whether a password is the email or a part of it, once or repeated, perhaps with digits.

    Case and punctuation are ignored. The parts are the one before the `@`, also without a tag such as
    `+work`, and the one after it.
    """
    local, _, domain = email.rpartition("@")
    parts = {_alphanumeric(part) for part in (email, local, local.partition("+")[0], domain)}
    given = _alphanumeric(password)
    others = (
        given.replace(part, "") for part in parts if len(part) >= MIN_PART_LENGTH and part in given
    )
    return any(not other or other.isdigit() for other in others)


def weakness(password: str, email: str) -> str | None:
    """Return why a user with this email should not have this password, if there is a reason."""
    if _folded(password).strip() in _common_passwords():
        return COMMON
    if _is_like_email(password, email):
        return LIKE_EMAIL
    return None
