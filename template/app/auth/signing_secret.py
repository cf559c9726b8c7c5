"""The strength of secrets that sign tokens."""

MIN_BYTES = 32
MIN_DISTINCT_CHARACTERS = 8
PLACEHOLDERS = ("change", "example", "password", "placeholder", "secret", "your-")


def check_signing_secret(name: str, secret: str) -> None:
    """Reject a secret that can be guessed.

    Raises:
        ValueError: it is short or a placeholder.
    """
    if len(secret.encode()) < MIN_BYTES:
        raise ValueError(f"{name} must have at least {MIN_BYTES} bytes")
    few = len(set(secret)) < MIN_DISTINCT_CHARACTERS
    if few or any(word in secret.lower() for word in PLACEHOLDERS):
        raise ValueError(f"{name} is a placeholder; generate a random one")
